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
	bool is_first = leaf->private == level + 1;
	bool is_writable = entry & _PAGE_RW;

	if (level > PETMEM_PTE && is_writable) {
		leaf->private -= is_first;
		return;
	}
	if (!is_table(entry))
		return;
	leaf->writable &= is_writable;
	leaf->table = page_of(entry);
	if (is_first && petmem_page_refs(leaf->table) == 1)
		leaf->private = level;
	else if (is_first)
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
		look_at_table(&leaf, petmem_giant_bypassed(entry), PETMEM_PMD);
	return leaf;
}

/* ---- Entries ---- */

spinlock_t *petmem_leaf_lock(const struct petmem_leaf *leaf)
{
	spinlock_t *lock = petmem_table_lock(leaf->entry);

	spin_lock(lock);
	if (*leaf->entry == leaf->value)
		return lock;
	spin_unlock(lock);
	return NULL;
}

uintptr_t petmem_leaf_page(const struct petmem_leaf *leaf)
{
	return is_none(leaf->value) ? 0 : frame_of(leaf->value);
}

uintptr_t petmem_leaf_page_at(const struct petmem_leaf *leaf, u64 addr)
{
	uintptr_t page_addr = petmem_leaf_page(leaf);

	return page_addr ? page_addr + (addr & (level_size(leaf->level) - 1))
			 : 0;
}

/* Set an entry that leads to nothing. Returns false if it leads somewhere by now. */
static bool enter_value(const struct petmem_leaf *leaf, u64 value)
{
	struct petmem_page *table = leaf->level == PETMEM_PTE
					    ? leaf->table
					    : page_of(__pa(leaf->entry));
	spinlock_t *lock = petmem_leaf_lock(leaf);

	if (!lock)
		return false;
	/* A page or table is filled before a processor can find it. */
	smp_wmb();
	WRITE_ONCE(*leaf->entry, value);
	table->maybe_writable = true;
	table->live++;
	spin_unlock(lock);
	return true;
}

int petmem_leaf_set(const struct petmem_leaf *leaf, uintptr_t page_addr)
{
	return enter_value(leaf, data_entry(page_addr, leaf->level)) ? 0
								     : -EEXIST;
}

/* ---- Missing tables ---- */

/* The table that an entry leads to, which is made if there is none. Returns the entry. */
static u64 table_below(u64 *entry, enum petmem_level level,
		       struct petmem_spare_tables *spares)
{
	struct petmem_leaf leaf = {
		.entry = entry,
		.value = READ_ONCE(*entry),
		.level = level,
	};
	u64 *table, new;

	if (!is_none(leaf.value))
		return leaf.value;
	table = petmem_table_new(spares, level - 1);
	new = table_entry(table);
	if (enter_value(&leaf, new))
		return new;
	petmem_table_unused(spares, table);
	return READ_ONCE(*entry);
}

int petmem_pgtables_add_from(struct mm_struct *mm, u64 addr,
			     enum petmem_level lowest,
			     struct petmem_spare_tables *spares)
{
	u64 entry = petmem_pgtables_slot(mm);
	int level;

	if (!is_table(entry)) {
		entry = table_entry(petmem_table_new(spares, PETMEM_PUD));
		/* The table is filled before a processor can find it. */
		smp_wmb();
		petmem_slot_write(mm, entry);
	}
	for (level = PETMEM_PUD; level > (int)lowest; level--) {
		entry = table_below(entry_of(table_of(entry), addr, level),
				    level, spares);
		if (is_large(entry))
			return -EEXIST;
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
