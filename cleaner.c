// SPDX-License-Identifier: GPL-2.0
/*
 * cleaner.c - pages of zeros.
 *
 * A thread clears free pages when the processor has nothing better to do, and marks each as
 * clean. The page stays clean until it is given back. A caller that takes a page without the
 * mark clears the page itself, so nothing depends on the thread: it may be behind, or not
 * run at all. It sleeps while all free pages are clean.
 */
#include "cleaner.h"

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "entry.h"
#include "extent.h"

/* Other processes get the processor after this many pages. */
#define CLEAR_AT_ONCE 16

/* Others get the lock after this many pages. */
#define CLEAN_LOOK_AT 64

/* ---- Clear what was taken ---- */

void petmem_clear_page(uintptr_t page_addr, enum petmem_level level)
{
	if (level == PETMEM_PMD)
		petmem_clear_large(page_addr);
	else if (!petmem_pool_page(page_addr)->clean)
		clear_page(__va(page_addr));
}

void petmem_clear_large(uintptr_t page_addr)
{
	const struct pool_extent *extent = petmem_extent_of(page_addr);
	const struct petmem_page *pages;
	u32 first, i;

	if (!extent)
		return;
	first = page_number(extent, page_addr);
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

void petmem_cleaner_cancel(uintptr_t start, u64 size)
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

/* Returns a page's number, or U32_MAX for none. */
static u32 next_to_clean(struct pool_extent *extent)
{
	u32 i;

	lockdep_assert_held(&petmem_pool.lock);

	for (i = 0; i < CLEAN_LOOK_AT; i++) {
		u32 number = extent->clean_next;
		const struct petmem_page *page = &extent->pages[number];

		extent->clean_next = (number + 1) % extent->nr_pages;
		/* As long as a 2 MiB page has references, a split may write .kind. */
		if (!petmem_large_page_refs(large_page_of(extent, number)) &&
		    page->kind == PETMEM_PAGE_FREE && !page->clean)
			return number;
	}
	return U32_MAX;
}

/* Clear the chosen page, unless it has been taken. */
static void clear_chosen(uintptr_t page_addr)
{
	/* petmem_cleaner_cancel() may wait for this, so it must not lose the processor. */
	preempt_disable();
	if (atomic_cmpxchg(&cleaning.state, CLEANING_CHOSEN, CLEANING_BEGUN) ==
	    CLEANING_CHOSEN) {
		clear_page(__va(page_addr));
		atomic_set_release(&cleaning.state, CLEANING_DONE);
	}
	preempt_enable();
}

/* This releases the pool's lock meanwhile. */
static void clean_page(struct pool_extent *extent, u32 number)
{
	uintptr_t page_addr = address_of(extent, number);

	lockdep_assert_held(&petmem_pool.lock);

	cleaning.addr = page_addr;
	atomic_set(&cleaning.state, CLEANING_CHOSEN);
	spin_unlock(&petmem_pool.lock);
	clear_chosen(page_addr);
	spin_lock(&petmem_pool.lock);
	if (cleaning.addr != page_addr)
		return;
	cleaning.addr = 0;
	extent->pages[number].clean = true;
	large_page_of(extent, number)->clean++;
	count_clean(extent, 1);
}

/*
 * Clear a free page. Freeing pages never waits for this. Returns false when all free pages
 * are clean.
 */
static bool clean_next_page(void)
{
	struct pool_extent *extent;
	bool found = false;
	u32 number;

	spin_lock(&petmem_pool.lock);
	list_for_each_entry(extent, &petmem_pool.available, available) {
		found = extent->nr_clean < extent->buddy.nr_free;
		if (found)
			break;
	}
	if (found) {
		number = next_to_clean(extent);
		if (number != U32_MAX)
			clean_page(extent, number);
	}
	spin_unlock(&petmem_pool.lock);
	return found;
}

/* ---- The thread ---- */

/*
 * The thread waits this long before it begins. A freed page is often taken again at once,
 * and a caller that frees page after page wakes the thread only once in this time.
 */
#define DELAY (HZ / 10)

static struct task_struct *cleaner;
static DECLARE_WAIT_QUEUE_HEAD(work);
static bool clear_ahead = true;
static bool is_behind; /* pages were freed since it found none to clear */

static int run_cleaner(void *unused)
{
	set_user_nice(current, MAX_NICE);
	while (!kthread_should_stop()) {
		wait_event_idle(work,
				READ_ONCE(is_behind) || kthread_should_stop());
		if (!kthread_should_stop())
			schedule_timeout_idle(DELAY);
		WRITE_ONCE(is_behind, false);
		while (!kthread_should_stop() && READ_ONCE(clear_ahead) &&
		       clean_next_page())
			cond_resched();
	}
	return 0;
}

void petmem_cleaner_wake(void)
{
	if (READ_ONCE(is_behind) || !READ_ONCE(clear_ahead))
		return;
	WRITE_ONCE(is_behind, true);
	wake_up(&work);
}

static int set_clear_ahead(const char *value, const struct kernel_param *param)
{
	int err = param_set_bool(value, param);

	if (!err)
		petmem_cleaner_wake();
	return err;
}

static const struct kernel_param_ops clear_ahead_ops = {
	.set = set_clear_ahead,
	.get = param_get_bool,
};

module_param_cb(clear_ahead, &clear_ahead_ops, &clear_ahead, 0644);
MODULE_PARM_DESC(clear_ahead, "clear free pages before they are needed");

int petmem_cleaner_init(void)
{
	struct task_struct *task =
		kthread_run(run_cleaner, NULL, "petmem_cleaner");

	if (IS_ERR(task))
		return PTR_ERR(task);
	cleaner = task;
	return 0;
}

void petmem_cleaner_exit(void)
{
	kthread_stop(cleaner);
}
