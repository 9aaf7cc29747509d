// SPDX-License-Identifier: GPL-2.0
/*
 * unshare.c - copy-on-write in the page tables: tables and pages that relatives share. The
 * rules are in pgtables.h.
 */
#include "unshare.h"

#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#include <asm/cpufeature.h>

#include "compat.h"
#include "gather.h"
#include "giant_page.h"
#include "large_page.h"
#include "pgtables.h"
#include "slot.h"
#include "table.h"
#include "tlb.h"

/* ---- Tables ---- */

/*
 * AMD's family 10h must never find two page sizes for one address (erratum 383), so it gets
 * a flush in between.
 */
void petmem_pgtables_replace_entry(struct mm_struct *mm, u64 addr, u64 *entry,
				   enum petmem_level level, u64 new)
{
	if (is_large(*entry) && boot_cpu_has_bug(X86_BUG_AMD_TLB_MMATCH)) {
		set_none(entry, level);
		petmem_tlb_shoot_path(mm, addr);
	}
	WRITE_ONCE(*entry, new);
}

/* A path that is being made private. */
struct table_path {
	struct mm_struct *mm;
	u64 addr;
	struct petmem_spare_tables *spares;
	struct petmem_gather *replaced;
	bool stale; /* processors may have cached the target of a replaced entry */
};

/*
 * Make an entry that leads to a private table of @level, to take the place of @entry, which
 * leads to a table or to a large page. The reference to a replaced table goes to
 * path->replaced.
 */
static u64 private_table(struct table_path *path, u64 entry,
			 enum petmem_level level)
{
	u64 *table;

	if (is_large(entry) && level == PETMEM_PMD) {
		entry = petmem_giant_split(entry);
		path->stale = true;
	}
	if (is_private(entry))
		return entry | _PAGE_RW;
	path->stale = true;
	if (is_large(entry)) {
		table = petmem_table_split(path->spares, entry);
	} else {
		table = petmem_table_copy(path->spares, table_of(entry), level);
		petmem_gather_add(path->replaced, entry, level + 1);
	}
	/* The table is filled before a processor can find it. */
	smp_wmb();
	return table_entry(table);
}

/*
 * Replace an entry of a table. In a PMD table, faults of other threads enter 2 MiB pages and
 * make them writable, and they hold the table's lock for it.
 */
static void replace_entry(struct table_path *path, u64 *entry,
			  enum petmem_level level)
{
	spinlock_t *lock = NULL;
	u64 new;

	if (level == PETMEM_PMD) {
		lock = petmem_table_lock(entry);
		spin_lock(lock);
	}
	new = private_table(path, *entry, level - 1);
	if (new != *entry)
		petmem_pgtables_replace_entry(path->mm, path->addr, entry,
					      level, new);
	if (lock)
		spin_unlock(lock);
}

/* Make all tables on the path private that there are, down to @lowest. */
static void replace_path(struct table_path *path, enum petmem_level lowest)
{
	u64 old_slot = petmem_pgtables_slot(path->mm), slot, *entry = &slot;
	int level;

	if (!is_table(old_slot))
		return;
	slot = private_table(path, old_slot, PETMEM_PUD);
	if (slot != old_slot)
		petmem_slot_write(path->mm, slot);
	for (level = PETMEM_PUD; level > (int)lowest; level--) {
		entry = entry_of(table_of(*entry), path->addr, level);
		if (is_none(READ_ONCE(*entry)))
			break;
		replace_entry(path, entry, level);
	}
	/*
	 * One address is enough. An invalidation drops everything cached of the tables on
	 * the path to the address. Cached parts of the paths to other addresses lead to
	 * tables that are still below ours. The same holds for a large page that was split.
	 */
	if (path->stale)
		petmem_tlb_shoot_path(path->mm, path->addr);
}

int petmem_pgtables_make_private(struct mm_struct *mm,
				 struct petmem_account *account, u64 addr,
				 enum petmem_level lowest,
				 const struct petmem_leaf *leaf,
				 struct petmem_gather *replaced)
{
	int nr_tables = max((int)leaf->private - (int)lowest, 0);
	struct petmem_spare_tables spares;
	struct table_path path = {
		.mm = mm,
		.addr = addr,
		.spares = &spares,
		.replaced = replaced,
	};
	int err;

	if (petmem_tables_take(&spares, account, nr_tables))
		return -ENOMEM;
	if (nr_tables && leaf->shared && !replaced) {
		petmem_tables_put(&spares, account);
		return -EAGAIN;
	}
	replace_path(&path, lowest);
	err = petmem_pgtables_add_from(mm, addr, lowest, &spares);
	petmem_tables_put(&spares, account);
	return err;
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

/* ---- Pages ---- */

bool petmem_leaf_is_shared(const struct petmem_leaf *leaf, u64 addr,
			   enum petmem_level level)
{
	uintptr_t page_addr = petmem_leaf_page_at(leaf, addr);
	bool shared;

	if (leaf->private > min(leaf->level, PETMEM_PMD))
		return true;
	/* Another fault may have replaced the page, and the leaf's lock is not held. */
	rcu_read_lock();
	shared = level == PETMEM_PTE
			 ? petmem_page_is_shared(page_addr & PAGE_MASK)
			 : petmem_large_is_shared(page_addr & PMD_MASK);
	rcu_read_unlock();
	return shared;
}

/* More permission needs no flush: a fault through a stale TLB entry drops that entry. */
static void allow_write(const struct petmem_leaf *leaf, u64 value)
{
	WRITE_ONCE(*leaf->entry, value | LEAF_WRITE);
	page_of(__pa(leaf->entry))->maybe_writable = true;
}

int petmem_leaf_allow_write(const struct petmem_leaf *leaf)
{
	spinlock_t *lock = petmem_leaf_lock(leaf);

	if (!lock)
		return -EEXIST;
	allow_write(leaf, leaf->value);
	spin_unlock(lock);
	return 0;
}

uintptr_t petmem_leaf_get(const struct petmem_leaf *leaf)
{
	uintptr_t page_addr = petmem_leaf_page(leaf);
	spinlock_t *lock = petmem_leaf_lock(leaf);

	if (!lock)
		return 0;
	if (leaf->level == PETMEM_PMD)
		petmem_get_large(page_addr);
	else
		petmem_get_page(page_addr);
	spin_unlock(lock);
	return page_addr;
}

int petmem_leaf_replace(const struct petmem_leaf *leaf, struct mm_struct *mm,
			u64 addr, uintptr_t page_addr)
{
	u64 value = data_entry(page_addr, leaf->level) & ~LEAF_WRITE;
	spinlock_t *lock = petmem_leaf_lock(leaf);

	if (!lock)
		return -EEXIST;
	WRITE_ONCE(*leaf->entry, value);
	petmem_tlb_shoot_page(mm, addr);
	allow_write(leaf, value);
	spin_unlock(lock);
	return 0;
}

int petmem_leaf_take(struct petmem_leaf *leaf, struct mm_struct *mm, u64 addr)
{
	spinlock_t *lock = petmem_leaf_lock(leaf);

	if (!lock)
		return -EEXIST;
	WRITE_ONCE(*leaf->entry, 0);
	page_of(__pa(leaf->entry))->live--;
	petmem_tlb_shoot_page(mm, addr);
	spin_unlock(lock);
	leaf->value = 0;
	return 0;
}
