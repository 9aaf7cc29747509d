// SPDX-License-Identifier: GPL-2.0
/*
 * large.c - pages of 2 MiB and 1 GiB.
 *
 *   allocation   |--------------------------------------------|
 *   2 MiB        :         :         :         :         :         :
 *   pages        | 4 KiB   |  2 MiB  |  2 MiB  |  2 MiB  | 4 |
 *
 * A fault maps a 2 MiB page where it can, and a 4 KiB page otherwise; programs need not ask
 * for it. If a PTE table exists already, because the pool had no 2 MiB page earlier, it
 * stays until the range is freed. Ranges are freed as a whole, so only copy-on-write splits
 * a 2 MiB page: see pgtables.c.
 *
 * A fault never maps a 1 GiB page, because it would have to clear it. Only populating a
 * whole aligned 1 GiB does.
 */
#include "large.h"

#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "pgtables.h"
#include "pool.h"
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

int petmem_large_map(struct petmem_process *process, u64 addr, u64 start,
		     u64 end)
{
	struct petmem_account *account = &process->family->account;
	u64 first = addr & PMD_MASK;
	struct petmem_leaf leaf;
	uintptr_t page_addr;
	int err;

	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	if (!process->large_pages || first < start || first + PMD_SIZE > end)
		return -ENOMEM;
	page_addr = petmem_alloc_charged(account, PETMEM_CHARGED_LARGE);
	if (!page_addr)
		return -ENOMEM;
	/* Giving this page back may free enough pages for the tables. */
	err = petmem_pgtables_make_private(petmem_process_mm(process), account,
					   addr, true, &leaf);
	if (err) {
		petmem_put_charged(account, page_addr, PETMEM_CHARGED_LARGE);
		return err;
	}
	petmem_clear_pages(page_addr, PTRS_PER_PTE);
	petmem_leaf_set(&leaf, page_addr);
	return 0;
}

static void put_giant(uintptr_t page_addr)
{
	u64 offset;

	for (offset = 0; offset < PUD_SIZE; offset += PMD_SIZE) {
		petmem_put_large(page_addr + offset);
		cond_resched();
	}
}

/* A 1 GiB page in pages of 4 KiB, the unit of accounts. */
#define GIANT_PAGES (PUD_SIZE >> PAGE_SHIFT)

void petmem_large_put_giant(struct petmem_process *process, uintptr_t page_addr)
{
	put_giant(page_addr);
	mutex_lock(&process->family->lock);
	petmem_uncharge(&process->family->account, GIANT_PAGES);
	mutex_unlock(&process->family->lock);
}

int petmem_large_take_giant(struct petmem_process *process,
			    uintptr_t *page_addr)
{
	u64 offset;
	int err;

	*page_addr = petmem_alloc_giant();
	if (!*page_addr)
		return -ENOMEM;
	mutex_lock(&process->family->lock);
	err = petmem_charge(&process->family->account, GIANT_PAGES);
	mutex_unlock(&process->family->lock);
	if (err) {
		put_giant(*page_addr);
		return err;
	}
	for (offset = 0; offset < PUD_SIZE; offset += PMD_SIZE) {
		if (fatal_signal_pending(current)) {
			petmem_large_put_giant(process, *page_addr);
			return -EINTR;
		}
		petmem_clear_pages(*page_addr + offset, PTRS_PER_PTE);
	}
	return 0;
}
