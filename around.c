// SPDX-License-Identifier: GPL-2.0
/*
 * around.c - map the neighbours of a page that faulted, to save their faults.
 */
#include "around.h"

#include <linux/minmax.h>

#include "fault.h"
#include "memmap.h"
#include "process.h"

/* A group is at most one page table, so its entries are beside the page's entry. */
void petmem_map_around(const struct petmem_fault_context *fault,
		       int (*map_page)(struct petmem_fault_context *fault))
{
	u64 span = fault->process->fault_around * PAGE_SIZE;
	u64 group = fault->addr & ~(span - 1);
	u64 end = min(group + span, petmem_range_usable_end(fault->range));
	struct petmem_fault_context neighbour = *fault;

	neighbour.addr = max(group, fault->range->start);
	for (; neighbour.addr < end; neighbour.addr += PAGE_SIZE) {
		neighbour.leaf.entry =
			fault->leaf.entry +
			((s64)(neighbour.addr - fault->addr) >> PAGE_SHIFT);
		if (petmem_leaf_page(&neighbour.leaf))
			continue;
		if (map_page(&neighbour))
			return;
	}
}
