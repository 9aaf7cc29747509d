/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fault.h - what is known of a page fault while it is handled.
 */
#ifndef PETMEM_FAULT_H
#define PETMEM_FAULT_H

#include "pgtables.h"

struct petmem_process;
struct petmem_range;

/*
 * It is made once for each fault and handed down. It is valid while the family's lock is
 * held, and .leaf is updated with the page tables.
 */
struct petmem_fault_context {
	struct petmem_process *process;
	u64 addr; /* page-aligned */
	u32 error_code; /* PETMEM_FAULT_* */
	const struct petmem_range
		*range; /* the allocated range of the address */
	struct petmem_leaf leaf;
};

#endif /* PETMEM_FAULT_H */
