/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.h - how an entry of the region's page tables is made and read. pgtables.h draws
 * the layout of the tables. Only pgtables.c and giant.c use this.
 */
#ifndef PETMEM_ENTRY_H
#define PETMEM_ENTRY_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "compat.h"
#include "pool.h"

/* The levels of the page tables, with the span of one entry. */
enum level {
	LEVEL_PTE, /* 4 KiB */
	LEVEL_PMD, /* 2 MiB */
	LEVEL_PUD, /* 1 GiB */
	LEVELS,
};

#define INDEX_BITS 9
#define ENTRIES BIT(INDEX_BITS)
#define INDEX_MASK (ENTRIES - 1)

/* The bits that a read-only leaf does not have: see pgtables.h. */
#define LEAF_WRITE ((u64)(_PAGE_RW | _PAGE_DIRTY))

static inline unsigned int level_shift(enum level level)
{
	return PAGE_SHIFT + INDEX_BITS * level;
}

/* The beginning and the end of the span of the entry for @addr. */
static inline u64 span_start(u64 addr, enum level level)
{
	return addr & ~(BIT_ULL(level_shift(level)) - 1);
}

static inline u64 span_end(u64 addr, enum level level)
{
	return span_start(addr, level) + BIT_ULL(level_shift(level));
}

static inline u64 *entry_of(u64 *table, u64 addr, enum level level)
{
	return &table[(addr >> level_shift(level)) & INDEX_MASK];
}

static inline bool is_present(u64 entry)
{
	return entry & _PAGE_PRESENT;
}

/* Is an entry of a PMD or PUD table a page, of 2 MiB or 1 GiB? */
static inline bool is_large(u64 entry)
{
	return entry & _PAGE_PSE;
}

static inline uintptr_t frame_of(u64 entry)
{
	return entry & PTE_PFN_MASK;
}

/* The pool's memory is in the kernel's direct map: donation.c has checked it. */
static inline u64 *table_of(u64 entry)
{
	return __va(frame_of(entry));
}

/* The record of the page that an entry points to. */
static inline struct petmem_page *page_of(u64 entry)
{
	return petmem_pool_page(frame_of(entry));
}

static inline u64 table_entry(const u64 *table)
{
	return __pa(table) | _PAGE_TABLE;
}

/*
 * An entry for user data: readable, writable, never executable. Accessed, dirty and
 * soft-dirty are set from the start, so neither the processor nor Linux ever writes to the
 * entry.
 */
static inline u64 data_entry(uintptr_t page_addr)
{
	return (page_addr | pgprot_val(PAGE_SHARED) | _PAGE_ACCESSED |
		_PAGE_DIRTY | _PAGE_SOFT_DIRTY | _PAGE_ENC) &
	       __supported_pte_mask;
}

static inline u64 leaf_entry(uintptr_t page_addr)
{
	return data_entry(page_addr) | _PAGE_SPECIAL;
}

static inline u64 large_entry(uintptr_t page_addr)
{
	return data_entry(page_addr) | _PAGE_PSE | PETMEM_PMD_SPECIAL;
}

static inline u64 giant_entry(uintptr_t page_addr)
{
	return data_entry(page_addr) | _PAGE_PSE | PETMEM_PUD_SPECIAL;
}

#endif /* PETMEM_ENTRY_H */
