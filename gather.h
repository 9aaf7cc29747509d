/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gather.h - references that have been taken out of page tables and are still held.
 *
 * The pages are freed only when no processor has a translation any more and nobody walks
 * the tables. pgtables.h has the rules. Context of all functions, unless they say otherwise:
 * the family's lock is held.
 */
#ifndef PETMEM_GATHER_H
#define PETMEM_GATHER_H

#include <linux/types.h>

/* There is room for a few in the struct, and for more in an array, if there was memory. */
#define PETMEM_GATHER_FEW 32

struct petmem_gather {
	u64 *entries;
	unsigned int nr;
	unsigned int max;
	u64 few[PETMEM_GATHER_FEW];
	struct petmem_gather *next; /* for a list of the owner's */
};

/** petmem_gather_few() - make room for the references of two paths */
void petmem_gather_few(struct petmem_gather *gather);

/**
 * petmem_gather_init() - make room for the references of a range
 * @gather: filled in
 * @start: first address
 * @end: address after the last
 *
 * Context: may sleep; no lock that memory reclaim may take is held.
 */
void petmem_gather_init(struct petmem_gather *gather, u64 start, u64 end);

/** petmem_gather_exit() - undo petmem_gather_init(); no reference is held any more */
void petmem_gather_exit(struct petmem_gather *gather);

/**
 * petmem_gather_slot() - take the slot from petmem_pgtables_detach()
 * @gather: filled in
 * @slot: a slot that is not in any address space any more, or 0
 */
void petmem_gather_slot(struct petmem_gather *gather, u64 slot);

/**
 * petmem_gather_put() - drop some of the references
 * @gather: the references
 * @freed: set to the number of data pages and tables that became free
 *
 * Pages and tables without another reference go back to the pool. A call drops not many
 * more than a page table has entries, so that others soon get the family's lock.
 *
 * Return: true when there are more references.
 * Context: may sleep.
 */
bool petmem_gather_put(struct petmem_gather *gather, u64 *freed);

/**
 * petmem_gather_add() - keep the reference of an entry that was taken out of a table
 * @gather: has room for it
 * @entry: the entry
 * @level: of the table that it was in; PETMEM_LEVELS for the slot
 *
 * For a 1 GiB page, that is the reference to its PMD table.
 */
void petmem_gather_add(struct petmem_gather *gather, u64 entry, int level);

/** petmem_gather_is_full() - is there no room for another reference? */
static inline bool petmem_gather_is_full(const struct petmem_gather *gather)
{
	return gather->nr == gather->max;
}

#endif /* PETMEM_GATHER_H */
