// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - one page table: make it, copy it, write-protect it, drop it.
 */
#include "table.h"

#include <linux/cache.h>
#include <linux/hash.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "charge.h"
#include "giant_page.h"
#include "large_page.h"
#include "page_list.h"
#include "pgtables.h"
#include "zero.h"

/* ---- The empty tables ---- */

/*
 * They are in the trees of all processes, so nobody may write to them, not even Linux by
 * mistake. They belong to the module's data, which becomes read-only after initialisation,
 * also at the addresses in the direct map that page tables are reached by (set_memory_ro()
 * changes the direct map, too: cpa_process_alias() in arch/x86/mm/pat/set_memory.c).
 */
static u64 empty_tables[2][ENTRIES] __aligned(PAGE_SIZE) __ro_after_init;
u64 petmem_empty_pud_entry, petmem_empty_pmd_entry;

/* Where locks are too large for a struct page, the tables share these. */
#define TABLE_LOCK_BITS 6

static spinlock_t table_locks[1 << TABLE_LOCK_BITS] = {
	[0 ...(1 << TABLE_LOCK_BITS) - 1] = __SPIN_LOCK_UNLOCKED(table_locks),
};

static void init_lock(u64 *table)
{
	petmem_init_table_lock(table,
			       &table_locks[hash_ptr(table, TABLE_LOCK_BITS)]);
}

/* The entry for a table in the module's data, by its address in the direct map. */
static u64 empty_entry(void *table)
{
	return table_entry(page_address(vmalloc_to_page(table))) &
	       ~(u64)_PAGE_RW;
}

void petmem_pgtables_init(void)
{
	size_t i;

	petmem_empty_pud_entry = empty_entry(empty_tables[0]);
	petmem_empty_pmd_entry = empty_entry(empty_tables[1]);
	for (i = 0; i < ENTRIES; i++)
		set_none(&empty_tables[0][i], PETMEM_PUD);
	init_lock(table_of(petmem_empty_pmd_entry));
}

/* Is a table read-only at its address in the direct map? */
static bool is_read_only(u64 entry)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)table_of(entry), &level);

	return pte && !(pte_flags(*pte) & _PAGE_RW);
}

bool petmem_pgtables_are_sealed(void)
{
	return is_read_only(petmem_empty_pud_entry) &&
	       is_read_only(petmem_empty_pmd_entry);
}

/* ---- Make ---- */

void petmem_tables_put(struct petmem_spare_tables *spares,
		       struct petmem_account *account)
{
	while (spares->nr)
		petmem_put_charged(account, spares->page_addr[--spares->nr],
				   PETMEM_PTE);
}

int petmem_tables_take(struct petmem_spare_tables *spares,
		       struct petmem_account *account, int nr)
{
	for (spares->nr = 0; spares->nr < nr; spares->nr++) {
		uintptr_t page_addr = petmem_alloc_charged(
			account, PETMEM_PAGE_TABLE, PETMEM_PTE);

		if (!page_addr) {
			petmem_tables_put(spares, account);
			return -ENOMEM;
		}
		spares->page_addr[spares->nr] = page_addr;
	}
	return 0;
}

static u64 *spare_table(struct petmem_spare_tables *spares)
{
	u64 *table = __va(spares->page_addr[--spares->nr]);

	init_lock(table);
	return table;
}

void petmem_table_unused(struct petmem_spare_tables *spares, u64 *table)
{
	spares->page_addr[spares->nr++] = __pa(table);
}

u64 *petmem_table_new(struct petmem_spare_tables *spares,
		      enum petmem_level level)
{
	u64 *table = spare_table(spares);
	size_t i;

	if (level == PETMEM_PUD)
		for (i = 0; i < ENTRIES; i++)
			set_none(&table[i], level);
	else
		petmem_clear_page(__pa(table), PETMEM_PTE);
	return table;
}

/* ---- Write-protect ---- */

/*
 * Make all leaves of a PTE table read-only. In a fork, petmem_pgtables_detach() or
 * petmem_pgtables_share() does the flush. When a PMD table is copied, no processor can have
 * a writable translation: the entries above have been read-only since the fork's flush.
 */
static void protect_leaves(u64 entry)
{
	u64 *table = table_of(entry);
	struct petmem_page *page = page_of(entry);
	size_t i;

	if (!page->maybe_writable)
		return;
	/* Absent entries stay 0. This is the inner loop of fork: eight at a time. */
	for (i = 0; i < ENTRIES; i += 8) {
		table[i] &= ~LEAF_WRITE;
		table[i + 1] &= ~LEAF_WRITE;
		table[i + 2] &= ~LEAF_WRITE;
		table[i + 3] &= ~LEAF_WRITE;
		table[i + 4] &= ~LEAF_WRITE;
		table[i + 5] &= ~LEAF_WRITE;
		table[i + 6] &= ~LEAF_WRITE;
		table[i + 7] &= ~LEAF_WRITE;
	}
	page->maybe_writable = false;
}

/* The same for the table or the 2 MiB page of a PMD entry. */
static void protect_pmd(u64 *entry)
{
	if (is_large(*entry))
		WRITE_ONCE(*entry, *entry & ~LEAF_WRITE);
	else
		protect_leaves(*entry);
}

/*
 * Write-protect everything that can be written: below the writable PUD entries. Their tables
 * have one owner, so no other member uses them.
 */
void petmem_pgtables_protect(u64 slot)
{
	u64 *pud_table = table_of(slot);
	size_t i, j;

	if (!(slot & _PAGE_RW))
		return;
	for (i = 0; i < ENTRIES; i++) {
		u64 *pmd_table = table_of(pud_table[i]);

		if (!(pud_table[i] & _PAGE_RW))
			continue;
		if (is_large(pud_table[i])) {
			WRITE_ONCE(pud_table[i], pud_table[i] & ~LEAF_WRITE);
			continue;
		}
		WRITE_ONCE(pud_table[i], pud_table[i] & ~(u64)_PAGE_RW);
		for (j = 0; j < ENTRIES; j++)
			if (pmd_table[j])
				protect_pmd(&pmd_table[j]);
		cond_resched();
	}
}

/* ---- Copy ---- */

/*
 * Copying a table adds an owner to the target of each entry. The target must not be
 * writable through either copy. A PUD entry becomes read-only itself; for a PMD entry, the
 * leaves below do. A leaf needs nothing: its table was shared, and its leaves were made
 * read-only then.
 */
static void share_entry(u64 *entry, enum petmem_level level)
{
	if (is_large(*entry) && level == PETMEM_PUD) {
		petmem_giant_share(entry);
		return;
	}
	if (is_large(*entry))
		petmem_get_large(frame_of(*entry));
	else
		petmem_get_page(frame_of(*entry));
	if (level == PETMEM_PUD)
		WRITE_ONCE(*entry, *entry & ~(u64)_PAGE_RW);
	else if (level == PETMEM_PMD)
		protect_pmd(entry);
}

u64 *petmem_table_copy(struct petmem_spare_tables *spares, u64 *table,
		       enum petmem_level level)
{
	u64 *copy = spare_table(spares), none = none_entry(level);
	size_t i;

	for (i = 0; i < ENTRIES; i++) {
		if (table[i] != none)
			share_entry(&table[i], level);
		copy[i] = table[i];
	}
	page_of(__pa(copy))->live = page_of(__pa(table))->live;
	return copy;
}

u64 *petmem_table_split(struct petmem_spare_tables *spares, u64 entry)
{
	u64 *table = spare_table(spares);
	size_t i;

	for (i = 0; i < ENTRIES; i++)
		table[i] = data_entry(frame_of(entry) + i * PAGE_SIZE,
				      PETMEM_PTE) &
			   ~LEAF_WRITE;
	page_of(__pa(table))->live = ENTRIES;
	petmem_split_large(frame_of(entry));
	return table;
}

/* ---- Drop ---- */

/* Drop one reference to a table; with the last one, also the references that it holds. */
static u64 put_table(u64 *table, int level)
{
	struct petmem_page *page = page_of(__pa(table));
	u64 freed = 0;
	size_t i;

	if (!atomic_dec_and_test(&page->refs))
		return 0;
	for (i = 0; i < ENTRIES && page->live; i++) {
		if (is_none(table[i]))
			continue;
		freed += petmem_entry_put(table[i], level);
		page->live--;
	}
	petmem_free_page(__pa(table));
	return freed + 1;
}

u64 petmem_entry_put(u64 entry, int level)
{
	if (level == PETMEM_PTE)
		return petmem_put_page(frame_of(entry));
	if (is_large(entry) && level == PETMEM_PUD)
		entry = petmem_giant_drop(entry);
	else if (is_large(entry))
		return petmem_put_large(frame_of(entry));
	return put_table(table_of(entry), level - 1);
}

/* The first entry of a table that leads to a page or table, or NULL. */
static u64 *first_live(u64 *table)
{
	size_t i;

	for (i = 0; i < ENTRIES; i++)
		if (!is_none(table[i]))
			return &table[i];
	return NULL;
}

/*
 * The tables are not in the tree any more and have no other owner, so they do not change
 * between two calls.
 */
bool petmem_entry_put_part(u64 entry, int level, u64 *freed)
{
	struct petmem_page *page = page_of(entry);
	u64 *table = table_of(entry), *child = NULL;

	if (level > PETMEM_PMD && petmem_page_refs(page) == 1 && page->live)
		child = first_live(table);
	if (!child) {
		*freed += petmem_entry_put(entry, level);
		return true;
	}
	if (level - 1 == PETMEM_PUD && is_large(*child))
		WRITE_ONCE(*child, petmem_giant_drop(*child));
	if (petmem_entry_put_part(*child, level - 1, freed)) {
		set_none(child, level - 1);
		page->live--;
	}
	return false;
}
