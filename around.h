/* SPDX-License-Identifier: GPL-2.0 */
/*
 * around.h - map the neighbours of a page that faulted, to save their faults.
 */
#ifndef PETMEM_AROUND_H
#define PETMEM_AROUND_H

#include "entry.h"

struct petmem_fault_context;

/**
 * petmem_map_around() - map the pages around a page that was just mapped
 * @fault: the fault, with the leaf of the 4 KiB page
 * @map_page: maps a page of zeros at an address that has none; returns 0 or an error
 *
 * Maps the addresses in the aligned group of process->fault_around pages that are allocated
 * and have no page, as long as the pool has pages.
 *
 * Context: as for petmem_resolve_fault().
 */
void petmem_map_around(const struct petmem_fault_context *fault,
		       int (*map_page)(struct petmem_fault_context *fault,
				       enum petmem_level level));

#endif /* PETMEM_AROUND_H */
