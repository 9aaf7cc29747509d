// SPDX-License-Identifier: GPL-2.0
/*
 * gather.c - references that have been taken out of page tables and are still held.
 */
#include "gather.h"

#include <linux/slab.h>

#include "giant_page.h"
#include "table.h"

/*
 * The most entries that a range can have: all but one of the PTE and PMD tables at both
 * ends, all of the PUD table, and these five tables themselves.
 */
#define GATHER_MOST (5 * ENTRIES)

void petmem_gather_few(struct petmem_gather *gather)
{
	gather->entries = gather->few;
	gather->nr = 0;
	gather->max = PETMEM_GATHER_FEW;
}

void petmem_gather_init(struct petmem_gather *gather, u64 start, u64 end)
{
	u64 most = min_t(u64, ((end - start) >> PAGE_SHIFT) + PETMEM_LEVELS,
			 GATHER_MOST);

	petmem_gather_few(gather);
	if (most > gather->max) {
		u64 *entries = kmalloc_array(most, sizeof(*entries),
					     GFP_KERNEL | __GFP_NOWARN);

		if (entries) {
			gather->entries = entries;
			gather->max = most;
		}
	}
}

void petmem_gather_exit(struct petmem_gather *gather)
{
	if (gather->entries != gather->few)
		kfree(gather->entries);
}

/* The table's level is in the low bits. */
#define GATHERED (PTE_PFN_MASK | _PAGE_PSE)

void petmem_gather_add(struct petmem_gather *gather, u64 entry, int level)
{
	if (level == PETMEM_PUD && is_large(entry))
		entry = petmem_giant_drop(entry);
	gather->entries[gather->nr++] = (entry & GATHERED) | level;
}

void petmem_gather_slot(struct petmem_gather *gather, u64 slot)
{
	petmem_gather_few(gather);
	if (is_table(slot))
		petmem_gather_add(gather, slot, PETMEM_LEVELS);
}

bool petmem_gather_put(struct petmem_gather *gather, u64 *freed)
{
	*freed = 0;
	while (gather->nr && *freed < PTRS_PER_PTE) {
		u64 entry = gather->entries[gather->nr - 1];

		if (petmem_entry_put_part(entry & GATHERED, entry & ~GATHERED,
					  freed))
			gather->nr--;
	}
	return gather->nr;
}
