// SPDX-License-Identifier: GPL-2.0
/*
 * pgtables.c - the page tables of the region: walk, map, unmap.
 *
 * The walk begins at mm->pgd, which is what CR3 holds while the mm runs. CR3 itself
 * would do for a fault, but the end of an mm may run on another one's CR3.
 */
#include "pgtables.h"

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "compat.h"
#include "petmem.h"
#include "pool.h"
#include "tlb.h"

/* The tables, named by what one entry of each spans. */
enum level {
	LEVEL_PTE, /* 4 KiB */
	LEVEL_PMD, /* 2 MiB */
	LEVEL_PUD, /* 1 GiB */
};

#define INDEX_BITS 9
#define INDEX_MASK (BIT(INDEX_BITS) - 1)

static unsigned int level_shift(enum level level)
{
	return PAGE_SHIFT + INDEX_BITS * level;
}

/* Where the span of the entry for @addr ends, but not behind @end. */
static u64 span_end(u64 addr, u64 end, enum level level)
{
	u64 next = (addr | (BIT_ULL(level_shift(level)) - 1)) + 1;

	return min(next, end);
}

static u64 *entry_of(u64 *table, u64 addr, enum level level)
{
	return &table[(addr >> level_shift(level)) & INDEX_MASK];
}

static bool is_present(u64 entry)
{
	return entry & _PAGE_PRESENT;
}

static uintptr_t frame_of(u64 entry)
{
	return entry & PTE_PFN_MASK;
}

/* The pool's memory is in the kernel's direct map; donation made sure of it. */
static u64 *table_of(u64 entry)
{
	return __va(frame_of(entry));
}

/* How many entries of a table are present. Kept outside of the table. */
static u16 *live_entries(u64 *table)
{
	return &petmem_pool_page(__pa(table) & PAGE_MASK)->live;
}

static u64 table_entry(uintptr_t table_addr)
{
	return table_addr | _PAGE_TABLE;
}

/*
 * User data: readable, writable, never executable. Accessed and dirty are set from
 * the start, so that the processor never writes to the entry.
 */
static u64 leaf_entry(uintptr_t page_addr)
{
	return (page_addr | pgprot_val(PAGE_SHARED) | _PAGE_ACCESSED |
		_PAGE_DIRTY | _PAGE_SPECIAL | _PAGE_ENC) &
	       __supported_pte_mask;
}

/*
 * The slot: Linux's entry that leads to the region's PUD table. Without 5-level
 * paging the P4D is folded into the PGD, and p4d_offset() gives the PGD entry. With
 * it, PGD entry 0 exists in every process: its code and stack are below it.
 */
static u64 *slot_of(struct mm_struct *mm)
{
	pgd_t *pgd = pgd_offset(mm, PETMEM_REGION_START);

	if (pgd_none(*pgd))
		return NULL;
	return (u64 *)p4d_offset(pgd, PETMEM_REGION_START);
}

static u64 slot_read(struct mm_struct *mm)
{
	u64 *slot = slot_of(mm);

	return slot ? READ_ONCE(*slot) : 0;
}

/*
 * With page-table isolation and 4 levels the slot is in two tables: the kernel's
 * PGD, and the user's in the page behind it. The kernel's copy has XD set, so that
 * user code never runs by mistake on the kernel's tables, as __pti_set_user_pgtbl()
 * in arch/x86/mm/pti.c does it. With 5 levels both PGDs lead to the same P4D table.
 */
static void slot_write(struct mm_struct *mm, u64 entry)
{
	pgd_t *user_pgd = petmem_user_pgd(pgd_offset(mm, PETMEM_REGION_START));

	if (user_pgd && !pgtable_l5_enabled()) {
		WRITE_ONCE(user_pgd->pgd, entry);
		if (entry)
			entry |= _PAGE_NX & __supported_pte_mask;
	}
	WRITE_ONCE(*slot_of(mm), entry);
}

bool petmem_pgtables_slot_is_empty(struct mm_struct *mm)
{
	mmap_assert_write_locked(mm);
	return slot_of(mm) && !slot_read(mm);
}

/* A new, empty table; 0 when the pool has no page. */
static uintptr_t new_table(void)
{
	uintptr_t table_addr = petmem_alloc_pages(1, PETMEM_PAGE_TABLE);

	if (table_addr) {
		clear_page(__va(table_addr));
		/* Cleared before the processor can find it. */
		smp_wmb();
	}
	return table_addr;
}

/* The region's PUD table, made if it is missing; NULL when there is no page. */
static u64 *pud_table(struct mm_struct *mm)
{
	u64 slot = slot_read(mm);

	if (!is_present(slot)) {
		uintptr_t table_addr = new_table();

		if (!table_addr)
			return NULL;
		slot = table_entry(table_addr);
		slot_write(mm, slot);
	}
	return table_of(slot);
}

/* The table below, made if it is missing; NULL when there is no page. */
static u64 *lower_table(u64 *table, u64 addr, enum level level)
{
	u64 *entry = entry_of(table, addr, level);

	if (!is_present(*entry)) {
		uintptr_t table_addr = new_table();

		if (!table_addr)
			return NULL;
		WRITE_ONCE(*entry, table_entry(table_addr));
		(*live_entries(table))++;
	}
	return table_of(*entry);
}

int petmem_pgtables_map(struct mm_struct *mm, u64 addr, uintptr_t page_addr)
{
	u64 *table = pud_table(mm);

	if (table)
		table = lower_table(table, addr, LEVEL_PUD);
	if (table)
		table = lower_table(table, addr, LEVEL_PMD);
	if (!table) {
		/* Gives back the tables that were made on the way. */
		petmem_pgtables_unmap(mm, addr, addr + PAGE_SIZE);
		return -ENOMEM;
	}
	WRITE_ONCE(*entry_of(table, addr, LEVEL_PTE), leaf_entry(page_addr));
	(*live_entries(table))++;
	return 0;
}

bool petmem_pgtables_is_mapped(struct mm_struct *mm, u64 addr)
{
	u64 entry = slot_read(mm);
	int level;

	for (level = LEVEL_PUD; level >= LEVEL_PTE && is_present(entry);
	     level--)
		entry = *entry_of(table_of(entry), addr, level);
	return is_present(entry);
}

/*
 * The addresses whose translations the processors have to forget, from the first to
 * the last; none while .end is 0.
 */
struct stale {
	u64 start;
	u64 end;
};

static void stale_add(struct stale *stale, u64 page)
{
	if (!stale->end)
		stale->start = page;
	stale->end = page + PAGE_SIZE;
}

/*
 * Condemn the pages of a range, and each table below that has nothing left in it.
 * A plain store is enough: a processor that sets A or D does so with a locked cycle
 * that finds the entry present, or not at all.
 *
 * Every entry that is cleared here is covered by the shootdown in
 * petmem_pgtables_unmap(), by way of @stale: each page by its own address, and a
 * table by any address, since one invlpg drops all that is cached of tables.
 */
static void condemn(u64 *table, enum level level, u64 addr, u64 end,
		    struct stale *stale)
{
	u64 next;

	for (; addr < end; addr = next) {
		u64 *entry = entry_of(table, addr, level);

		next = span_end(addr, end, level);
		if (!is_present(*entry))
			continue;
		if (level > LEVEL_PTE) {
			condemn(table_of(*entry), level - 1, addr, next, stale);
			if (*live_entries(table_of(*entry)))
				continue;
		}
		WRITE_ONCE(*entry, *entry & ~(u64)_PAGE_PRESENT);
		(*live_entries(table))--;
		if (level == LEVEL_PTE || !stale->end)
			stale_add(stale, addr);
	}
}

/* Free everything in a range that is condemned, from the bottom up. */
static void sweep(u64 *table, enum level level, u64 addr, u64 end)
{
	u64 next;

	for (; addr < end; addr = next) {
		u64 *entry = entry_of(table, addr, level);

		next = span_end(addr, end, level);
		if (!*entry)
			continue;
		if (level > LEVEL_PTE)
			sweep(table_of(*entry), level - 1, addr, next);
		if (is_present(*entry))
			continue;
		petmem_free_pages(frame_of(*entry), 1);
		WRITE_ONCE(*entry, 0);
	}
}

void petmem_pgtables_unmap(struct mm_struct *mm, u64 start, u64 end)
{
	u64 slot = slot_read(mm);
	struct stale stale = {};
	u64 *table;

	if (!is_present(slot))
		return;
	table = table_of(slot);
	condemn(table, LEVEL_PUD, start, end, &stale);
	if (!*live_entries(table)) {
		slot_write(mm, 0);
		if (!stale.end)
			stale_add(&stale, start);
	}
	if (stale.end)
		petmem_tlb_shootdown(mm, stale.start, stale.end);
	sweep(table, LEVEL_PUD, start, end);
	if (!*live_entries(table))
		petmem_free_pages(frame_of(slot), 1);
}
