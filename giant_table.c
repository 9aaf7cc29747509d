// SPDX-License-Identifier: GPL-2.0
/*
 * giant_table.c - 1 GiB pages in the page tables of an address space.
 */
#include "giant_table.h"

#include <linux/mm.h>

#include "giant_page.h"
#include "pgtables.h"
#include "slot.h"
#include "table.h"
#include "unshare.h"

/* The entry of the PUD table. The region is attached. */
static u64 *pud_of(struct mm_struct *mm, u64 addr)
{
	return entry_of(table_of(petmem_pgtables_slot(mm)), addr, PETMEM_PUD);
}

bool petmem_pgtables_is_empty(struct mm_struct *mm, u64 addr)
{
	u64 slot = petmem_pgtables_slot(mm), entry;

	if (!slot)
		return true;
	entry = READ_ONCE(*pud_of(mm, addr));
	return is_none(entry) ||
	       (is_table(entry) && !READ_ONCE(page_of(entry)->live));
}

int petmem_pgtables_set_giant(struct mm_struct *mm,
			      struct petmem_account *account, u64 addr,
			      uintptr_t page_addr,
			      struct petmem_gather *replaced)
{
	struct petmem_leaf leaf = petmem_pgtables_find(mm, addr);
	int err;

	mmap_assert_write_locked(mm);
	if (!petmem_pgtables_is_empty(mm, addr))
		return -EEXIST;
	err = petmem_pgtables_make_private(mm, account, addr, PETMEM_PMD, &leaf,
					   replaced);
	if (!err)
		petmem_giant_enter(pud_of(mm, addr), page_addr);
	return err;
}

/* Later changes below are flushed by their own addresses. */
void petmem_pgtables_split(struct mm_struct *mm, u64 start, u64 end)
{
	if (!petmem_pgtables_slot(mm))
		return;
	for (; start < end; start = span_end(start, PETMEM_PUD)) {
		u64 *entry = pud_of(mm, start);

		if (is_large(*entry))
			petmem_pgtables_replace_entry(
				mm, start, entry, PETMEM_PUD,
				petmem_giant_split(*entry));
	}
}
