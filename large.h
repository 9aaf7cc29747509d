/* SPDX-License-Identifier: GPL-2.0 */
/*
 * large.h - pages of 2 MiB and 1 GiB: when they are used, and where they fit.
 */
#ifndef PETMEM_LARGE_H
#define PETMEM_LARGE_H

#include <linux/types.h>

#include "memmap.h"

struct petmem_process;

/**
 * petmem_large_place() - petmem_memmap_alloc() with an alignment that large pages fit
 * @process: the process; nobody shares its memory map
 * @spares: as for petmem_memmap_alloc()
 * @size: multiple of the page size, not 0
 * @align: power of two, at least the page size
 *
 * Return: the range; NULL when large pages are turned off or do not fit, or there is no such
 * hole.
 * Context: the family's lock is held.
 */
struct petmem_range *petmem_large_place(struct petmem_process *process,
					struct petmem_memmap_spares *spares,
					u64 size, u64 align);

/**
 * petmem_large_map() - map a 2 MiB page of zeros around an address
 * @process: the process
 * @addr: an address without a page and without a PTE table
 * @start: the beginning of its allocation
 * @end: the end of the part of the allocation that may be touched
 *
 * Return: 0; with nothing changed: -ENOMEM when it has to be a 4 KiB page, because 2 MiB
 * pages are turned off or do not fit there, or the pool has none; -EAGAIN when a page table
 * has to be unshared first.
 * Context: may sleep; the process's lock and the family's are held.
 */
int petmem_large_map(struct petmem_process *process, u64 addr, u64 start,
		     u64 end);

/**
 * petmem_large_take_giant() - take a 1 GiB page of zeros
 * @process: the process to charge
 * @page_addr: set to its physical address
 *
 * Return: 0; -ENOMEM when the pool has none, or a limit is reached; -EINTR.
 * Context: may sleep, and takes long; no lock is held.
 */
int petmem_large_take_giant(struct petmem_process *process,
			    uintptr_t *page_addr);

/**
 * petmem_large_put_giant() - give back a page from petmem_large_take_giant()
 * @process: as for petmem_large_take_giant()
 * @page_addr: physical address
 *
 * Context: may sleep; no lock of petmem's is held.
 */
void petmem_large_put_giant(struct petmem_process *process,
			    uintptr_t page_addr);

#endif /* PETMEM_LARGE_H */
