// SPDX-License-Identifier: GPL-2.0
/*
 * giant.c - 1 GiB pages in the page tables. giant.h says how they work, and compat.h what
 * Linux does with them.
 */
#include "giant.h"

#include <linux/atomic.h>

#include "entry.h"

/* Atomic, because each family has a lock of its own. */
static atomic64_t count = ATOMIC64_INIT(0);

u64 petmem_giant_table(u64 entry)
{
	if (!is_large(entry))
		return entry;
	return table_entry(__va(*petmem_large_note(frame_of(entry)))) &
	       (entry | ~(u64)_PAGE_RW);
}

void petmem_giant_enter(u64 *entry, uintptr_t page_addr)
{
	u64 *table = table_of(*entry);
	size_t i;

	for (i = 0; i < ENTRIES; i++)
		table[i] = large_entry(page_addr + i * PMD_SIZE) & ~LEAF_WRITE;
	page_of(*entry)->live = ENTRIES;
	*petmem_large_note(page_addr) = frame_of(*entry);
	atomic64_inc(&count);
	/* A processor that still has the table cached finds the same pages through it. */
	smp_wmb();
	WRITE_ONCE(*entry, giant_entry(page_addr));
}

/* A writable page has one owner, and so has its table. */
u64 petmem_giant_split(u64 entry)
{
	u64 *table;
	size_t i;

	atomic64_dec(&count);
	if (entry & _PAGE_RW) {
		table = table_of(petmem_giant_table(entry));
		for (i = 0; i < ENTRIES; i++)
			WRITE_ONCE(table[i], table[i] | LEAF_WRITE);
	}
	/* As in petmem_giant_enter(): the caller writes the entry. */
	smp_wmb();
	return petmem_giant_table(entry);
}

void petmem_giant_share(u64 *entry)
{
	page_of(petmem_giant_table(*entry))->refs++;
	atomic64_inc(&count);
	WRITE_ONCE(*entry, *entry & ~LEAF_WRITE);
}

u64 petmem_giant_drop(u64 entry)
{
	atomic64_dec(&count);
	return petmem_giant_table(entry);
}

u64 petmem_giant_count(void)
{
	return atomic64_read(&count);
}
