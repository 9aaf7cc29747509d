/* SPDX-License-Identifier: GPL-2.0 */
/*
 * large.h - pages of 2 MiB and 1 GiB: when one is taken, and where they fit.
 */
#ifndef PETMEM_LARGE_H
#define PETMEM_LARGE_H

#include <linux/types.h>

#include "memmap.h"

struct petmem_process;

/**
 * petmem_large_place() - allocate a range where large pages fit into it
 * @process: for whom; its memory map is its own
 * @spares: as for petmem_memmap_alloc(), which is what this is
 * @size: multiple of the page size, not 0
 * @align: power of two, at least the page size
 *
 * Return: the range; NULL when large pages are not to be used, do not fit, or there is
 * no such hole.
 * Context: the family's lock is held.
 */
struct petmem_range *petmem_large_place(struct petmem_process *process,
					struct petmem_memmap_spares *spares,
					u64 size, u64 align);

/**
 * petmem_large_map() - put a 2 MiB page of zeros around an address
 * @process: whose
 * @addr: where no page and no PTE table is
 * @start: where its allocation begins
 * @end: where what may be touched of the allocation ends
 *
 * Return: 0; with nothing changed: -ENOMEM when it must be 4 KiB, since 2 MiB pages are not
 * to be used, do not fit there, or the pool has none; -EAGAIN when a page table has to be
 * unshared first.
 * Context: may sleep; the process's lock and the family's are held.
 */
int petmem_large_map(struct petmem_process *process, u64 addr, u64 start,
		     u64 end);

/**
 * petmem_large_take_giant() - take a 1 GiB page of zeros
 * @process: for whom
 * @page_addr: set to its physical address
 *
 * Return: 0; -ENOMEM when the pool has none, or a limit is reached; -EINTR.
 * Context: may sleep, and takes long, without a lock.
 */
int petmem_large_take_giant(struct petmem_process *process,
			    uintptr_t *page_addr);

/**
 * petmem_large_put_giant() - give back what petmem_large_take_giant() took
 * @process: for whom
 * @page_addr: physical address
 *
 * Context: may sleep; no lock of petmem's is held.
 */
void petmem_large_put_giant(struct petmem_process *process,
			    uintptr_t page_addr);

#endif /* PETMEM_LARGE_H */
