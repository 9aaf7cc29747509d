/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table.h - one page table: make it, copy it, write-protect it, drop it.
 *
 * Only the rooms of the page tables use this: slot.c, pgtables.c, unshare.c,
 * giant_table.c and unmap.c. pgtables.h has the rules. Context of all functions: the family's
 * lock is held.
 */
#ifndef PETMEM_TABLE_H
#define PETMEM_TABLE_H

#include "entry.h"

struct petmem_account;

/* The entries that lead to the two empty tables. */
extern u64 petmem_empty_pud_entry, petmem_empty_pmd_entry;

/* The value of an entry that leads to no page. */
static inline u64 none_entry(enum petmem_level level)
{
	return level == PETMEM_PUD ? petmem_empty_pmd_entry : 0;
}

/* Does an entry of a table lead to no page? */
static inline bool is_none(u64 entry)
{
	return !entry || entry == petmem_empty_pmd_entry;
}

static inline void set_none(u64 *entry, enum petmem_level level)
{
	WRITE_ONCE(*entry, none_entry(level));
}

/* Does the slot, or an entry of a PUD or PMD table, lead to a table from the pool? */
static inline bool is_table(u64 entry)
{
	return !is_none(entry) && !is_large(entry) &&
	       entry != petmem_empty_pud_entry;
}

/* Does it lead to a table with one owner? */
static inline bool is_private(u64 entry)
{
	return is_table(entry) && petmem_page_refs(page_of(entry)) == 1;
}

/* Pages for the tables that a path lacks, taken before anything is changed. */
struct petmem_spare_tables {
	uintptr_t page_addr[PETMEM_LEVELS];
	int nr;
};

/**
 * petmem_tables_take() - take pages for tables
 * @spares: filled in
 * @account: the account to charge
 * @nr: number of pages, at most PETMEM_LEVELS
 *
 * Return: 0; -ENOMEM, with nothing taken.
 */
int petmem_tables_take(struct petmem_spare_tables *spares,
		       struct petmem_account *account, int nr);

/**
 * petmem_tables_put() - give back the pages that were not needed
 * @spares: the pages
 * @account: as for petmem_tables_take()
 */
void petmem_tables_put(struct petmem_spare_tables *spares,
		       struct petmem_account *account);

/**
 * petmem_table_unused() - take an empty table back that was not needed
 * @spares: where its page came from
 * @table: from petmem_table_new()
 */
void petmem_table_unused(struct petmem_spare_tables *spares, u64 *table);

/**
 * petmem_table_new() - make an empty table
 * @spares: one is used
 * @level: of the table
 */
u64 *petmem_table_new(struct petmem_spare_tables *spares,
		      enum petmem_level level);

/**
 * petmem_table_copy() - copy a shared table for one of its owners
 * @spares: one is used
 * @table: the table; its owner keeps the reference to it
 * @level: of the table
 */
u64 *petmem_table_copy(struct petmem_spare_tables *spares, u64 *table,
		       enum petmem_level level);

/**
 * petmem_table_split() - make a PTE table with the pages of a 2 MiB page
 * @spares: one is used
 * @entry: the entry of the page, which is shared; the reference goes to the table
 *
 * For the processors only the page size changes, and they may learn that late (SDM volume
 * 3A, section 4.10.2.3).
 */
u64 *petmem_table_split(struct petmem_spare_tables *spares, u64 entry);

/**
 * petmem_entry_put() - drop the reference of an entry that was in a table
 * @entry: the entry
 * @level: of the table that it was in; PETMEM_LEVELS for the slot
 *
 * Return: the number of data pages and tables that became free.
 */
u64 petmem_entry_put(u64 entry, int level);

/**
 * petmem_entry_put_part() - the same, for at most 2 MiB at a time
 * @entry: the entry, which is in no table any more
 * @level: as for petmem_entry_put()
 * @freed: the number of pages that became free is added
 *
 * Return: false when it has to be called again.
 */
bool petmem_entry_put_part(u64 entry, int level, u64 *freed);

#endif /* PETMEM_TABLE_H */
