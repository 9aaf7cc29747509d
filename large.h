/* SPDX-License-Identifier: GPL-2.0 */
/*
 * large.h - when pages of 2 MiB are used, and where large pages fit.
 */
#ifndef PETMEM_LARGE_H
#define PETMEM_LARGE_H

#include <linux/types.h>

#include "memmap.h"

struct petmem_fault_context;
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
 * Context: the process's map_lock is held for writing.
 */
struct petmem_range *petmem_large_place(struct petmem_process *process,
					struct petmem_memmap_spares *spares,
					u64 size, u64 align);

/**
 * petmem_large_fits() - may the page of an address be one of 2 MiB?
 * @fault: the fault, at an address without a page
 *
 * Return: false when there is a PTE table already, 2 MiB pages are turned off, or the range
 * is not large enough around the address.
 */
bool petmem_large_fits(const struct petmem_fault_context *fault);

#endif /* PETMEM_LARGE_H */
