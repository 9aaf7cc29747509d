/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fault.h - what is known of a page fault while it is handled.
 */
#ifndef PETMEM_FAULT_H
#define PETMEM_FAULT_H

#include "pgtables.h"

struct petmem_process;

/*
 * It is made once for each fault and handed down.
 *
 * Faults of one process run side by side. They hold its mmap lock or the VMA's lock for
 * reading, so the range stays allocated, no table on the path goes away, and a private path
 * stays private. But another fault may change the entry of the leaf. So the leaf is entered
 * only if it is as it was found; otherwise a function returns -EEXIST, and the fault looks
 * again.
 */
struct petmem_fault_context {
	struct petmem_process *process;
	u64 addr; /* page-aligned */
	u32 error_code; /* PETMEM_FAULT_* */
	u64 start; /* of the allocated range */
	u64 end; /* of the part of it that may be touched */
	struct petmem_leaf leaf;
};

/**
 * petmem_fault_make_private() - prepare the path to the address for a change of the leaf
 * @fault: .leaf is not private at @level; it is afterwards
 * @level: of the leaf
 *
 * Return: 0; -EEXIST when another fault has mapped, split or replaced the page; -ENOMEM,
 * -EAGAIN as from petmem_pgtables_make_private().
 * Context: may sleep; takes the family's lock.
 */
int petmem_fault_make_private(struct petmem_fault_context *fault,
			      enum petmem_level level);

#endif /* PETMEM_FAULT_H */
