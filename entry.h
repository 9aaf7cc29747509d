/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.h - one entry of the region's page tables: what it says, and how it is made.
 * Their layout is drawn in pgtables.h. For pgtables.c and giant.c.
 */
#ifndef PETMEM_ENTRY_H
#define PETMEM_ENTRY_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "compat.h"
#include "pool.h"

/* The tables, named by what one entry of each spans. */
enum level {
	LEVEL_PTE, /* 4 KiB */
	LEVEL_PMD, /* 2 MiB */
	LEVEL_PUD, /* 1 GiB */
	LEVELS,
};

#define INDEX_BITS 9
#define ENTRIES BIT(INDEX_BITS)
#define INDEX_MASK (ENTRIES - 1)

/* What a leaf loses that may not be written: see pgtables.h. */
#define LEAF_WRITE ((u64)(_PAGE_RW | _PAGE_DIRTY))

static inline unsigned int level_shift(enum level level)
{
	return PAGE_SHIFT + INDEX_BITS * level;
}

/* Where the span of the entry for @addr begins, and where it ends. */
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

/* Of an entry of a PMD or PUD table: is it a page, of 2 MiB or 1 GiB? */
static inline bool is_large(u64 entry)
{
	return entry & _PAGE_PSE;
}

static inline uintptr_t frame_of(u64 entry)
{
	return entry & PTE_PFN_MASK;
}

/* The pool's memory is in the kernel's direct map; donation made sure of it. */
static inline u64 *table_of(u64 entry)
{
	return __va(frame_of(entry));
}

/* What is known of the page that an entry points to. */
static inline struct petmem_page *page_of(u64 entry)
{
	return petmem_pool_page(frame_of(entry));
}

static inline u64 table_entry(const u64 *table)
{
	return __pa(table) | _PAGE_TABLE;
}

/*
 * User data: readable, writable, never executable. Accessed, dirty and soft-dirty are
 * set from the start, so that neither the processor nor Linux ever writes to the entry.
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
