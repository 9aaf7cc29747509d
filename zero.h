/* SPDX-License-Identifier: GPL-2.0 */
/*
 * zero.h - pages of zeros.
 *
 * A page is clean when it is free and all zeros. The cleaner (cleaner.h) makes free pages
 * clean ahead of time. A caller that takes a page that is not clean clears it itself, so
 * nothing depends on the cleaner.
 */
#ifndef PETMEM_ZERO_H
#define PETMEM_ZERO_H

#include <linux/types.h>
#include <linux/wait.h>

#include "entry.h"

struct pool_extent;

/**
 * petmem_clear_page() - clear a page that was just taken
 * @page_addr: physical address
 * @level: its size: PETMEM_PTE or PETMEM_PMD
 *
 * Does nothing for the parts that were cleared ahead of time.
 *
 * Context: any; may sleep for a 2 MiB page.
 */
void petmem_clear_page(uintptr_t page_addr, enum petmem_level level);

/* ---- For the rooms of the pool ---- */

/**
 * petmem_zero_ahead() - make a free page clean
 * @extent: its extent
 * @page: its number
 *
 * The page stays free, and taking it does not wait for more than this page.
 *
 * Context: petmem_pool.lock is held; it is released meanwhile.
 */
void petmem_zero_ahead(struct pool_extent *extent, u32 page);

/**
 * petmem_zero_cancel() - stop clearing free pages
 * @start: physical address
 * @size: in bytes
 *
 * Waits at most as long as clearing a page takes.
 *
 * Context: petmem_pool.lock is held.
 */
void petmem_zero_cancel(uintptr_t start, u64 size);

/**
 * petmem_zero_wake() - tell the cleaner that there are pages to clear
 *
 * Context: any but interrupts.
 */
void petmem_zero_wake(void);

extern wait_queue_head_t petmem_zero_work;
extern bool petmem_clear_ahead; /* a module parameter */
extern bool
	petmem_zero_is_behind; /* pages were freed since the cleaner found none to clear */

#endif /* PETMEM_ZERO_H */
