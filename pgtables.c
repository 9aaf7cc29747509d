// SPDX-License-Identifier: GPL-2.0
/*
 * pgtables.c - walk the page tables of the region, add the tables that a path lacks, and
 * enter a page. The rules are in pgtables.h.
 */
#include "pgtables.h"

#include <linux/mm.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "giant_page.h"
#include "slot.h"
#include "table.h"

/* ---- The walk ---- */

/*
 * Note what the table of @level, to which @entry leads, means for a change below it. A
 * writable entry leads to a table with one owner, except in a PMD table.
 */
static void look_at_table(struct petmem_leaf *leaf, u64 entry,
			  enum petmem_level level)
{
	if (!is_table(entry))
		return;
	leaf->writable &= !!(entry & _PAGE_RW);
	if (leaf->private > level + 1)
		return;
	if ((level > PETMEM_PTE && (entry & _PAGE_RW)) || is_private(entry))
		leaf->private = level;
	else
		leaf->shared = true;
}

struct petmem_leaf petmem_pgtables_find(struct mm_struct *mm, u64 addr)
{
	struct petmem_leaf leaf = {
		.private = PETMEM_LEVELS,
		.writable = true,
	};
	u64 entry = petmem_pgtables_slot(mm);
	int level;

	/* While the region is detached, nothing is mapped. */
	if (!entry)
		entry = petmem_empty_pud_entry;
	for (level = PETMEM_PUD; level >= PETMEM_PTE; level--) {
		look_at_table(&leaf, entry, level);
		leaf.entry = entry_of(table_of(entry), addr, level);
		leaf.level = level;
		entry = READ_ONCE(*leaf.entry);
		if (is_none(entry) || is_large(entry))
			break;
	}
	leaf.value = entry;
	if (leaf.level == PETMEM_PUD && is_large(entry))
		look_at_table(&leaf, petmem_giant_table(entry), PETMEM_PMD);
	return leaf;
}

/* ---- Entries ---- */

/* The table that contains an entry. */
static u64 *table_around(const u64 *entry)
{
	return (u64 *)((uintptr_t)entry & PAGE_MASK);
}

bool petmem_leaf_lock(const struct petmem_leaf *leaf)
{
	spinlock_t *lock = petmem_table_lock(table_around(leaf->entry));

	spin_lock(lock);
	if (*leaf->entry == leaf->value)
		return true;
	spin_unlock(lock);
	return false;
}

void petmem_leaf_unlock(const struct petmem_leaf *leaf)
{
	spin_unlock(petmem_table_lock(table_around(leaf->entry)));
}

uintptr_t petmem_leaf_page(const struct petmem_leaf *leaf)
{
	return is_none(leaf->value) ? 0 : frame_of(leaf->value);
}

/* Set an entry that leads to nothing. Returns false if it leads somewhere by now. */
static bool enter_value(const struct petmem_leaf *leaf, u64 value)
{
	struct petmem_page *table = page_of(__pa(leaf->entry));

	if (!petmem_leaf_lock(leaf))
		return false;
	/* A page or table is filled before a processor can find it. */
	smp_wmb();
	WRITE_ONCE(*leaf->entry, value);
	table->maybe_writable = true;
	table->live++;
	petmem_leaf_unlock(leaf);
	return true;
}

int petmem_leaf_set(const struct petmem_leaf *leaf, uintptr_t page_addr)
{
	return enter_value(leaf, data_entry(page_addr, leaf->level)) ? 0
								     : -EEXIST;
}

/* ---- Missing tables ---- */

int petmem_pgtables_add_from(struct mm_struct *mm, u64 addr,
			     enum petmem_level lowest,
			     struct petmem_spare_tables *spares)
{
	u64 slot = petmem_pgtables_slot(mm);
	struct petmem_leaf leaf;
	u64 *table;

	if (!is_table(slot)) {
		slot = table_entry(petmem_table_new(spares, PETMEM_PUD));
		smp_wmb();
		petmem_slot_write(mm, slot);
	}
	for (leaf = petmem_pgtables_find(mm, addr); leaf.level > lowest;
	     leaf = petmem_pgtables_find(mm, addr)) {
		if (!is_none(leaf.value))
			return -EEXIST;
		table = petmem_table_new(spares, leaf.level - 1);
		if (!enter_value(&leaf, table_entry(table)))
			petmem_table_unused(spares, table);
	}
	return 0;
}

int petmem_pgtables_add(struct mm_struct *mm, struct petmem_account *account,
			u64 addr, enum petmem_level lowest,
			const struct petmem_leaf *leaf)
{
	struct petmem_spare_tables spares;
	int err = petmem_tables_take(&spares, account, leaf->private - lowest);

	if (err)
		return err;
	err = petmem_pgtables_add_from(mm, addr, lowest, &spares);
	petmem_tables_put(&spares, account);
	return err;
}
