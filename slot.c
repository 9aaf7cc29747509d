// SPDX-License-Identifier: GPL-2.0
/*
 * slot.c - the slot: Linux's entry that leads to the region's PUD table.
 *
 * It is found from mm->pgd, the table that CR3 points to while the mm runs. CR3 itself
 * would do for a fault, but the end of an mm may run with the CR3 of another mm.
 */
#include "slot.h"

#include <linux/mm.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "petmem.h"
#include "table.h"
#include "tlb.h"

/*
 * Without 5-level paging the P4D is folded into the PGD, and p4d_offset() gives the PGD
 * entry.
 */
static u64 *slot_of(struct mm_struct *mm)
{
	pgd_t *pgd = pgd_offset(mm, PETMEM_REGION_START);

	if (pgd_none(*pgd))
		return NULL;
	return (u64 *)p4d_offset(pgd, PETMEM_REGION_START);
}

/* Page-table isolation sets XD in the kernel's copy only: see write_pgd(). */
u64 petmem_pgtables_slot(struct mm_struct *mm)
{
	return READ_ONCE(*slot_of(mm)) & ~(u64)_PAGE_NX;
}

/*
 * With page-table isolation, a PGD entry is in two tables: the kernel's, and the user's in
 * the next page. The kernel's copy has XD set, as in __pti_set_user_pgtbl() in
 * arch/x86/mm/pti.c, so that user code never runs by mistake on the kernel's tables.
 */
static void write_pgd(struct mm_struct *mm, u64 entry)
{
	pgd_t *pgd = pgd_offset(mm, PETMEM_REGION_START);
	pgd_t *user_pgd = petmem_user_pgd(pgd);

	if (user_pgd) {
		WRITE_ONCE(user_pgd->pgd, entry);
		if (entry)
			entry |= _PAGE_NX & __supported_pte_mask;
	}
	WRITE_ONCE(pgd->pgd, entry);
}

/* With 5 levels both PGDs lead to the same P4D table. */
void petmem_slot_write(struct mm_struct *mm, u64 entry)
{
	if (pgtable_l5_enabled())
		WRITE_ONCE(*slot_of(mm), entry);
	else
		write_pgd(mm, entry);
}

/*
 * With 5 levels the slot is in a P4D table. A process has this table, because its code and
 * its stack are below the same PGD entry. A child in the middle of a fork may not have it.
 */
int petmem_pgtables_prepare(struct mm_struct *mm)
{
	void *table;

	mmap_assert_write_locked(mm);
	if (slot_of(mm))
		return 0;
	table = petmem_p4d_alloc();
	if (!table)
		return -ENOMEM;
	/* The table is cleared before a processor can find it. */
	smp_wmb();
	spin_lock(&mm->page_table_lock);
	write_pgd(mm, __pa(table) | _PAGE_TABLE);
	spin_unlock(&mm->page_table_lock);
	return 0;
}

int petmem_pgtables_attach(struct mm_struct *mm)
{
	mmap_assert_write_locked(mm);
	if (petmem_pgtables_slot(mm))
		return -EBUSY;
	petmem_slot_write(mm, petmem_empty_pud_entry);
	return 0;
}

u64 petmem_pgtables_detach(struct mm_struct *mm)
{
	u64 slot = petmem_pgtables_slot(mm);

	petmem_slot_write(mm, 0);
	petmem_tlb_shootdown(mm, PETMEM_REGION_START, PETMEM_REGION_END,
			     PAGE_SIZE, true);
	return slot;
}

/*
 * One cleared bit write-protects the whole tree, because the processor ANDs the bits of all
 * levels. So the cost does not depend on the amount of memory.
 */
int petmem_pgtables_share(struct mm_struct *parent, struct mm_struct *child,
			  u64 slot)
{
	bool was_attached;

	if (petmem_pgtables_slot(child)) {
		petmem_slot_write(parent, slot);
		return -EBUSY;
	}
	if (is_table(slot)) {
		petmem_get_page(frame_of(slot));
		slot &= ~(u64)_PAGE_RW;
	}
	was_attached = petmem_pgtables_slot(parent);
	petmem_slot_write(parent, slot);
	petmem_slot_write(child, slot);
	if (was_attached)
		petmem_tlb_shootdown(parent, PETMEM_REGION_START,
				     PETMEM_REGION_END, PAGE_SIZE, false);
	return 0;
}
