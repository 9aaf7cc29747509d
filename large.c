// SPDX-License-Identifier: GPL-2.0
/*
 * large.c - use pages of 2 MiB.
 *
 *   allocation   |--------------------------------------------|
 *   2 MiB        :         :         :         :         :         :
 *   pages        | 4 KiB   |  2 MiB  |  2 MiB  |  2 MiB  | 4 |
 *
 * A fault maps a 2 MiB page where it can, and a 4 KiB page otherwise; programs need not ask
 * for it. If a PTE table exists already, because the pool had no 2 MiB page earlier, it
 * stays until the range is freed. Ranges are freed as a whole, so only copy-on-write splits
 * a 2 MiB page: see pgtables.c.
 */
#include "large.h"

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "charge.h"
#include "cleaner.h"
#include "compat.h"
#include "fault.h"
#include "memmap.h"
#include "process.h"

struct petmem_range *petmem_large_place(struct petmem_process *process,
					struct petmem_memmap_spares *spares,
					u64 size, u64 align)
{
	struct petmem_range *range = NULL;

	lockdep_assert_held(&process->family->lock);

	if (!process->large_pages || size < PMD_SIZE)
		return NULL;
	if (size >= PUD_SIZE && petmem_has_giant_pages())
		range = petmem_memmap_alloc(process->map, spares, size,
					    max_t(u64, align, PUD_SIZE));
	return range
		       ?: petmem_memmap_alloc(process->map, spares, size,
					      max_t(u64, align, PMD_SIZE));
}

int petmem_large_map(struct petmem_fault_context *fault)
{
	struct petmem_process *process = fault->process;
	struct petmem_account *account = &process->family->account;
	u64 first = fault->addr & PMD_MASK;
	uintptr_t page_addr;
	int err;

	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	if (!process->large_pages || first < fault->range->start ||
	    first + PMD_SIZE > petmem_range_usable_end(fault->range))
		return -ENOMEM;
	page_addr = petmem_alloc_charged(account, PETMEM_PAGE_DATA, PETMEM_PMD);
	if (!page_addr)
		return -ENOMEM;
	/* Giving this page back may free enough pages for the tables. */
	err = petmem_pgtables_make_private(petmem_process_mm(process), account,
					   fault->addr, PETMEM_PMD,
					   &fault->leaf, NULL);
	if (err) {
		petmem_put_charged(account, page_addr, PETMEM_PMD);
		return err;
	}
	petmem_clear_large(page_addr);
	petmem_leaf_set(&fault->leaf, page_addr);
	return 0;
}
