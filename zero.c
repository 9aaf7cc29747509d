// SPDX-License-Identifier: GPL-2.0
/*
 * zero.c - pages of zeros. zero.h has the rules.
 */
#include "zero.h"

#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "extent.h"

/* ---- Clear what was taken ---- */

/* Other processes get the processor after this many pages. */
#define CLEAR_AT_ONCE 16

static void clear_large(const struct pool_extent *extent, uintptr_t page_addr)
{
	u32 first = page_number(extent, page_addr), i;
	const struct petmem_page *pages;

	if (large_page_of(extent, first)->clean == PETMEM_LARGE_PAGES)
		return;
	pages = &extent->pages[first];
	for (i = 0; i < PETMEM_LARGE_PAGES; i++) {
		if (!pages[i].clean)
			clear_page(__va(page_addr + i * PAGE_SIZE));
		if (i % CLEAR_AT_ONCE == CLEAR_AT_ONCE - 1)
			cond_resched();
	}
}

void petmem_clear_page(uintptr_t page_addr, enum petmem_level level)
{
	const struct pool_extent *extent = petmem_extent_of(page_addr);

	if (!extent)
		return;
	if (level == PETMEM_PMD)
		clear_large(extent, page_addr);
	else if (!extent->pages[page_number(extent, page_addr)].clean)
		clear_page(__va(page_addr));
}

/* ---- Clear ahead of time ---- */

/*
 * The page that the cleaner is clearing. It stays free meanwhile, and the pool's lock is not
 * held. Taking the page or removing its extent cancels the clearing by setting .addr to 0
 * under the lock. If the clearing has begun, its end is waited for first.
 */
static struct {
	uintptr_t addr; /* physical; 0: none */
	atomic_t state;
} cleaning;

enum { CLEANING_CHOSEN, CLEANING_BEGUN, CLEANING_DONE, CLEANING_VOID };

void petmem_zero_cancel(uintptr_t start, u64 size)
{
	lockdep_assert_held(&petmem_pool.lock);

	if (cleaning.addr < start || cleaning.addr >= start + size)
		return;
	if (atomic_cmpxchg(&cleaning.state, CLEANING_CHOSEN, CLEANING_VOID) ==
	    CLEANING_BEGUN)
		while (atomic_read_acquire(&cleaning.state) == CLEANING_BEGUN)
			cpu_relax();
	cleaning.addr = 0;
}

/* Clear the chosen page, unless it has been taken. */
static void clear_chosen(uintptr_t page_addr)
{
	/* petmem_zero_cancel() may wait for this, so it must not lose the processor. */
	preempt_disable();
	if (atomic_cmpxchg(&cleaning.state, CLEANING_CHOSEN, CLEANING_BEGUN) ==
	    CLEANING_CHOSEN) {
		clear_page(__va(page_addr));
		atomic_set_release(&cleaning.state, CLEANING_DONE);
	}
	preempt_enable();
}

void petmem_zero_ahead(struct pool_extent *extent, u32 page)
{
	uintptr_t page_addr = address_of(extent, page);

	lockdep_assert_held(&petmem_pool.lock);

	cleaning.addr = page_addr;
	atomic_set(&cleaning.state, CLEANING_CHOSEN);
	spin_unlock(&petmem_pool.lock);
	clear_chosen(page_addr);
	spin_lock(&petmem_pool.lock);
	if (cleaning.addr != page_addr)
		return;
	cleaning.addr = 0;
	extent->pages[page].clean = true;
	count_cleaned(extent, page);
}

/* ---- Work for the cleaner ---- */

DECLARE_WAIT_QUEUE_HEAD(petmem_zero_work);
bool petmem_clear_ahead = true;
bool petmem_zero_is_behind;

void petmem_zero_wake(void)
{
	if (READ_ONCE(petmem_zero_is_behind) || !READ_ONCE(petmem_clear_ahead))
		return;
	WRITE_ONCE(petmem_zero_is_behind, true);
	wake_up(&petmem_zero_work);
}
