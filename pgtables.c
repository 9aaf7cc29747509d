// SPDX-License-Identifier: GPL-2.0
/*
 * pgtables.c - the walk through the page tables of the region, and its leaves. The rules
 * are in pgtables.h.
 */
#include "pgtables.h"

#include <linux/mm.h>

#include <asm/cpufeature.h>

#include "gather.h"
#include "giant_page.h"
#include "large_page.h"
#include "slot.h"
#include "table.h"
#include "tlb.h"

/* ---- The walk ---- */

/*
 * Note what the table of @level, to which @entry leads, means for a change below it. A
 * writable entry leads to a table with one owner, except in a PMD table.
 */
static void look_at_table(struct petmem_leaf *leaf, u64 entry,
			  enum petmem_level level)
{
	if (leaf->private > level + 1)
		return;
	if ((level > PETMEM_PTE && (entry & _PAGE_RW)) || is_private(entry))
		leaf->private = level;
	else
		leaf->shared = is_table(entry);
}

struct petmem_leaf petmem_pgtables_find(struct mm_struct *mm, u64 addr)
{
	struct petmem_leaf leaf = { .private = PETMEM_LEVELS };
	u64 entry = petmem_pgtables_slot(mm), allowed;
	int level;

	/* While the region is detached, nothing is mapped. */
	if (!entry)
		entry = petmem_empty_pud_entry;
	allowed = entry;
	for (level = PETMEM_PUD; level >= PETMEM_PTE; level--) {
		look_at_table(&leaf, entry, level);
		allowed &= entry;
		leaf.entry = entry_of(table_of(entry), addr, level);
		leaf.level = level;
		entry = *leaf.entry;
		if (is_none(entry) || is_large(entry))
			break;
	}
	leaf.writable = allowed & _PAGE_RW;
	if (leaf.level == PETMEM_PUD && is_large(entry))
		look_at_table(&leaf, petmem_giant_table(entry), PETMEM_PMD);
	return leaf;
}

/* One address is enough for a page of any size (SDM volume 3A, section 4.10.4.1). */
static void shoot_page(struct mm_struct *mm, u64 addr)
{
	addr &= PAGE_MASK;
	petmem_tlb_shootdown(mm, addr, addr + PAGE_SIZE, PAGE_SIZE);
}

/* ---- Make the path private ---- */

/*
 * AMD's family 10h must never find two page sizes for one address (erratum 383), so it gets
 * a flush in between.
 */
void petmem_pgtables_replace_entry(struct mm_struct *mm, u64 addr, u64 *entry,
				   enum petmem_level level, u64 new)
{
	if (is_large(*entry) && boot_cpu_has_bug(X86_BUG_AMD_TLB_MMATCH)) {
		set_none(entry, level);
		shoot_page(mm, addr);
	}
	WRITE_ONCE(*entry, new);
}

/*
 * Make an entry that leads to a private table of @level, to take the place of @entry. Sets
 * *@stale when processors may have cached the target of @entry. The reference to a replaced
 * table goes to @replaced.
 */
static u64 private_table(u64 entry, enum petmem_level level,
			 struct petmem_spare_tables *spares,
			 struct petmem_gather *replaced, bool *stale)
{
	u64 *table;

	if (is_large(entry) && level == PETMEM_PMD) {
		entry = petmem_giant_split(entry);
		*stale = true;
	}
	if (is_private(entry))
		return entry | _PAGE_RW;
	if (is_large(entry)) {
		table = petmem_table_split(spares, entry);
		*stale = true;
	} else if (is_table(entry)) {
		table = petmem_table_copy(spares, table_of(entry), level);
		petmem_gather_add(replaced, entry, level + 1);
		*stale = true;
	} else {
		table = petmem_table_new(spares, level);
	}
	/* The table is filled before a processor can find it. */
	smp_wmb();
	return table_entry(table);
}

/* The work of petmem_pgtables_make_private(), with enough pages for it. */
static void replace_path(struct mm_struct *mm, u64 addr,
			 enum petmem_level lowest, struct petmem_leaf *leaf,
			 struct petmem_spare_tables *spares,
			 struct petmem_gather *replaced)
{
	u64 old_slot = petmem_pgtables_slot(mm), slot, *entry = &slot;
	bool stale = false;
	u64 *table, new;
	int level;

	slot = private_table(old_slot, PETMEM_PUD, spares, replaced, &stale);
	if (slot != old_slot)
		petmem_slot_write(mm, slot);
	for (level = PETMEM_PUD; level > (int)lowest; level--) {
		table = table_of(*entry);
		entry = entry_of(table, addr, level);
		if (is_none(*entry))
			page_of(__pa(table))->live++;
		new = private_table(*entry, level - 1, spares, replaced,
				    &stale);
		petmem_pgtables_replace_entry(mm, addr, entry, level, new);
	}
	*leaf = (struct petmem_leaf){
		.entry = entry_of(table_of(*entry), addr, lowest),
		.level = lowest,
		.private = lowest,
		.writable = true,
	};
	/*
	 * One address is enough. An invalidation drops everything cached of the tables on
	 * the path to the address. Cached parts of the paths to other addresses lead to
	 * tables that are still below ours. The same holds for a large page that was split.
	 */
	if (stale)
		shoot_page(mm, addr);
}

int petmem_pgtables_make_private(struct mm_struct *mm,
				 struct petmem_account *account, u64 addr,
				 enum petmem_level lowest,
				 struct petmem_leaf *leaf,
				 struct petmem_gather *replaced)
{
	int nr_tables = max((int)leaf->private - (int)lowest, 0);
	struct petmem_spare_tables spares;

	if (WARN_ON_ONCE(!petmem_pgtables_slot(mm)))
		return -EFAULT;
	if (petmem_tables_take(&spares, account, nr_tables))
		return -ENOMEM;
	if (nr_tables && leaf->shared && !replaced) {
		petmem_tables_put(&spares, account);
		return -EAGAIN;
	}
	replace_path(mm, addr, lowest, leaf, &spares, replaced);
	return 0;
}

int petmem_pgtables_unshare(struct mm_struct *mm,
			    struct petmem_account *account, u64 addr,
			    struct petmem_gather *replaced)
{
	struct petmem_leaf leaf = petmem_pgtables_find(mm, addr);

	if (!leaf.shared)
		return 0;
	return petmem_pgtables_make_private(mm, account, addr,
					    min(leaf.level, PETMEM_PMD), &leaf,
					    replaced);
}

/* ---- Leaves ---- */

uintptr_t petmem_leaf_page(const struct petmem_leaf *leaf)
{
	return is_none(*leaf->entry) ? 0 : frame_of(*leaf->entry);
}

bool petmem_leaf_is_shared(const struct petmem_leaf *leaf, u64 addr,
			   enum petmem_level level)
{
	uintptr_t page_addr =
		petmem_leaf_page(leaf) + (addr & (level_size(leaf->level) - 1));

	if (leaf->private > min(leaf->level, PETMEM_PMD))
		return true;
	return level == PETMEM_PTE
		       ? petmem_page_is_shared(page_addr & PAGE_MASK)
		       : petmem_large_is_shared(page_addr & PMD_MASK);
}

bool petmem_leaf_is_writable(const struct petmem_leaf *leaf)
{
	return leaf->writable && (*leaf->entry & _PAGE_RW);
}

/* The record of the table that contains an entry. */
static struct petmem_page *page_around(const u64 *entry)
{
	return petmem_pool_page(__pa(entry) & PAGE_MASK);
}

void petmem_leaf_set(const struct petmem_leaf *leaf, uintptr_t page_addr)
{
	struct petmem_page *table = page_around(leaf->entry);

	WRITE_ONCE(*leaf->entry, data_entry(page_addr, leaf->level));
	table->maybe_writable = true;
	table->live++;
}

uintptr_t petmem_leaf_take(const struct petmem_leaf *leaf, struct mm_struct *mm,
			   u64 addr)
{
	uintptr_t page_addr = frame_of(*leaf->entry);

	WRITE_ONCE(*leaf->entry, 0);
	page_around(leaf->entry)->live--;
	shoot_page(mm, addr);
	return page_addr;
}

/* More permission needs no flush: a fault through a stale TLB entry drops that entry. */
void petmem_leaf_allow_write(const struct petmem_leaf *leaf)
{
	WRITE_ONCE(*leaf->entry, *leaf->entry | LEAF_WRITE);
	page_around(leaf->entry)->maybe_writable = true;
}

uintptr_t petmem_leaf_replace(const struct petmem_leaf *leaf,
			      struct mm_struct *mm, u64 addr,
			      uintptr_t page_addr)
{
	uintptr_t old = frame_of(*leaf->entry);

	WRITE_ONCE(*leaf->entry,
		   data_entry(page_addr, leaf->level) & ~LEAF_WRITE);
	shoot_page(mm, addr);
	petmem_leaf_allow_write(leaf);
	return old;
}
