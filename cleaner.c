// SPDX-License-Identifier: GPL-2.0
/*
 * cleaner.c - a thread that makes free pages clean when the processor has nothing better to
 * do. It may be behind, or not run at all: see zero.h. It sleeps while all free pages are
 * clean.
 */
#include "cleaner.h"

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "extent.h"
#include "page_list.h"
#include "zero.h"

/* Others get the lock after this many pages. */
#define CLEAN_LOOK_AT 64

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
		    READ_ONCE(page->kind) == PETMEM_PAGE_FREE && !page->clean)
			return number;
	}
	return U32_MAX;
}

/* An extent with a page to clean, or NULL. */
static struct pool_extent *find_unclean(void)
{
	struct pool_extent *extent, *next;

	lockdep_assert_held(&petmem_pool.lock);

	list_for_each_entry_safe(extent, next, &petmem_pool.unclean, unclean) {
		if (extent->nr_clean < extent->free.buddy.nr_free)
			return extent;
		list_del_init(&extent->unclean);
	}
	return NULL;
}

/*
 * Clear a free page. Freeing pages never waits for this. Returns false when all free pages
 * are clean.
 */
static bool clean_next_page(void)
{
	struct pool_extent *extent;
	u32 page;

	spin_lock(&petmem_pool.lock);
	extent = find_unclean();
	if (extent) {
		page = next_to_clean(extent);
		if (page != U32_MAX)
			petmem_zero_ahead(extent, page);
	}
	spin_unlock(&petmem_pool.lock);
	return extent;
}

/* ---- The thread ---- */

/*
 * The thread waits this long before it begins. A freed page is often taken again at once,
 * and a caller that frees page after page wakes the thread only once in this time.
 */
#define DELAY (HZ / 10)

static struct task_struct *cleaner;

static int run_cleaner(void *unused)
{
	set_user_nice(current, MAX_NICE);
	while (!kthread_should_stop()) {
		wait_event_idle(petmem_zero_work,
				READ_ONCE(petmem_zero_is_behind) ||
					kthread_should_stop());
		if (!kthread_should_stop())
			schedule_timeout_idle(DELAY);
		WRITE_ONCE(petmem_zero_is_behind, false);
		petmem_lists_empty();
		while (!kthread_should_stop() &&
		       READ_ONCE(petmem_clear_ahead) && clean_next_page())
			cond_resched();
	}
	return 0;
}

static int set_clear_ahead(const char *value, const struct kernel_param *param)
{
	int err = param_set_bool(value, param);

	if (!err)
		petmem_zero_wake();
	return err;
}

static const struct kernel_param_ops clear_ahead_ops = {
	.set = set_clear_ahead,
	.get = param_get_bool,
};

module_param_cb(clear_ahead, &clear_ahead_ops, &petmem_clear_ahead, 0644);
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
