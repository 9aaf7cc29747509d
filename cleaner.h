/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cleaner.h - pages of zeros: clear free pages ahead of time, and the others when they are
 * taken.
 */
#ifndef PETMEM_CLEANER_H
#define PETMEM_CLEANER_H

#include <linux/types.h>

#include "entry.h"

/**
 * petmem_cleaner_init() - start the cleaner
 *
 * Return: 0 or a negative errno.
 * Context: module initialisation.
 */
int petmem_cleaner_init(void);

/** petmem_cleaner_exit() - stop the cleaner, and wait until it has stopped */
void petmem_cleaner_exit(void);

/**
 * petmem_cleaner_wake() - tell the cleaner that pages were freed
 *
 * Context: any but interrupts.
 */
void petmem_cleaner_wake(void);

/**
 * petmem_cleaner_cancel() - stop clearing free pages
 * @start: physical address
 * @size: in bytes
 *
 * Waits at most as long as clearing a page takes.
 *
 * Context: petmem_pool.lock is held.
 */
void petmem_cleaner_cancel(uintptr_t start, u64 size);

/**
 * petmem_clear_page() - clear a page that was just taken
 * @page_addr: physical address
 * @level: its size: PETMEM_PTE or PETMEM_PMD
 *
 * Does nothing if the page was cleared ahead of time.
 *
 * Context: any; may sleep for a 2 MiB page.
 */
void petmem_clear_page(uintptr_t page_addr, enum petmem_level level);

/**
 * petmem_clear_large() - clear a 2 MiB page that was just taken
 * @page_addr: physical address
 *
 * Skips the 4 KiB pages that were cleared ahead of time.
 *
 * Context: may sleep.
 */
void petmem_clear_large(uintptr_t page_addr);

#endif /* PETMEM_CLEANER_H */
