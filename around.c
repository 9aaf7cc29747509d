// SPDX-License-Identifier: GPL-2.0
/*
 * around.c - map the neighbours of a page that faulted, to save their faults.
 */
#include "around.h"

#include <linux/minmax.h>
#include <linux/mm.h>

#include "fault.h"
#include "process.h"

/* A group is at most one page table, so its entries are beside the page's entry. */
void petmem_map_around(const struct petmem_fault_context *fault,
		       int (*map_page)(struct petmem_fault_context *fault,
				       enum petmem_level level))
{
	u64 span = READ_ONCE(fault->process->fault_around) * PAGE_SIZE;
	u64 group = fault->addr & ~(span - 1);
	u64 end = min(group + span, fault->end);
	struct petmem_fault_context neighbour = *fault;

	neighbour.addr = max(group, fault->start);
	for (; neighbour.addr < end; neighbour.addr += PAGE_SIZE) {
		neighbour.leaf.entry =
			fault->leaf.entry +
			((s64)(neighbour.addr - fault->addr) >> PAGE_SHIFT);
		neighbour.leaf.value = READ_ONCE(*neighbour.leaf.entry);
		if (petmem_leaf_page(&neighbour.leaf))
			continue;
		if (map_page(&neighbour, PETMEM_PTE) == -ENOMEM)
			return;
	}
}
