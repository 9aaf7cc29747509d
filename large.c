// SPDX-License-Identifier: GPL-2.0
/*
 * large.c - 2 MiB pages.
 *
 *   allocation   |--------------------------------------------|
 *   2 MiB        :         :         :         :         :         :
 *   pages        | 4 KiB   |  2 MiB  |  2 MiB  |  2 MiB  | 4 |
 *
 * Nobody asks for them: a fault takes one where it can, and 4 KiB otherwise. A PTE table
 * that is there already, because the pool had no 2 MiB when it was needed, stays until
 * the range is freed. Ranges are freed as a whole, so that only copy-on-write splits one:
 * that is in pgtables.c.
 */
#include "large.h"

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "pgtables.h"
#include "pool.h"
#include "process.h"

struct petmem_range *petmem_large_place(struct petmem_process *process,
					struct petmem_memmap_spares *spares,
					u64 size, u64 align)
{
	lockdep_assert_held(&process->family->lock);

	if (!process->large_pages || size < PMD_SIZE)
		return NULL;
	return petmem_memmap_alloc(process->map, spares, size,
				   max_t(u64, align, PMD_SIZE));
}

bool petmem_large_map(struct petmem_process *process, u64 addr, u64 start,
		      u64 end)
{
	struct petmem_account *account = &process->family->account;
	u64 first = addr & PMD_MASK;
	struct petmem_leaf leaf;
	uintptr_t page_addr;

	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	if (!process->large_pages || first < start || first + PMD_SIZE > end)
		return false;
	page_addr = petmem_alloc_charged(account, true);
	if (!page_addr)
		return false;
	/* What tables it takes may be left when this one is given back. */
	if (petmem_pgtables_make_private(petmem_process_mm(process), addr, true,
					 &leaf)) {
		petmem_put_charged(account, page_addr, true);
		return false;
	}
	petmem_clear_pages(page_addr, PTRS_PER_PTE);
	petmem_leaf_set(&leaf, page_addr);
	return true;
}
