/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.h - the levels of the page tables, and how their entries are made and read.
 * pgtables.h draws the layout of the tables.
 */
#ifndef PETMEM_ENTRY_H
#define PETMEM_ENTRY_H

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "compat.h"
#include "page.h"

/*
 * The levels of the region's tables. A level is also the size of a page: that of the page
 * that an entry of such a table can lead to.
 */
enum petmem_level {
	PETMEM_PTE, /* 4 KiB */
	PETMEM_PMD, /* 2 MiB */
	PETMEM_PUD, /* 1 GiB */
	PETMEM_LEVELS,
};

#define INDEX_BITS 9
#define ENTRIES BIT(INDEX_BITS)
#define INDEX_MASK (ENTRIES - 1)

/* The bits that a read-only leaf does not have: see pgtables.h. */
#define LEAF_WRITE ((u64)(_PAGE_RW | _PAGE_DIRTY))

/* The number of 4 KiB pages that an entry of a level spans. */
static inline u64 level_pages(int level)
{
	return BIT_ULL(INDEX_BITS * level);
}

/* The number of bytes that an entry of a level spans. */
static inline u64 level_size(int level)
{
	return PAGE_SIZE << (INDEX_BITS * level);
}

/* The beginning and the end of the span of the entry for @addr. */
static inline u64 span_start(u64 addr, int level)
{
	return addr & ~(level_size(level) - 1);
}

static inline u64 span_end(u64 addr, int level)
{
	return span_start(addr, level) + level_size(level);
}

static inline u64 *entry_of(u64 *table, u64 addr, int level)
{
	return &table[addr >> (PAGE_SHIFT + INDEX_BITS * level) & INDEX_MASK];
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
 * entry. Bits of the level tell Linux that the page has no struct page (compat.h).
 */
static inline u64 data_entry(uintptr_t page_addr, enum petmem_level level)
{
	static const u64 bits[] = {
		[PETMEM_PTE] = _PAGE_SPECIAL,
		[PETMEM_PMD] = _PAGE_PSE | PETMEM_PMD_SPECIAL,
		[PETMEM_PUD] = _PAGE_PSE | PETMEM_PUD_SPECIAL,
	};

	return ((page_addr | pgprot_val(PAGE_SHARED) | _PAGE_ACCESSED |
		 _PAGE_DIRTY | _PAGE_SOFT_DIRTY | _PAGE_ENC) &
		__supported_pte_mask) |
	       bits[level];
}

#endif /* PETMEM_ENTRY_H */
