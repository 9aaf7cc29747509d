// SPDX-License-Identifier: GPL-2.0
/*
 * cleaner.c - a thread that clears free pages when the processor has nothing better to do.
 *
 * The thread marks a page that it has cleared as clean. The page stays clean until it is
 * given back. A caller that takes a page without the mark clears the page itself, so
 * nothing depends on the thread: it may be behind, or not run at all. It sleeps while all
 * free pages are clean.
 */
#include "cleaner.h"

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/wait.h>

#include "pool.h"

/*
 * The thread waits this long before it begins. A freed page is often taken again at once,
 * and a caller that frees page after page wakes the thread only once in this time.
 */
#define DELAY (HZ / 10)

static struct task_struct *cleaner;
static DECLARE_WAIT_QUEUE_HEAD(work);
static bool clear_ahead = true;
static bool is_behind; /* pages were freed since it found none to clear */

static int clean(void *unused)
{
	set_user_nice(current, MAX_NICE);
	while (!kthread_should_stop()) {
		wait_event_idle(work,
				READ_ONCE(is_behind) || kthread_should_stop());
		if (!kthread_should_stop())
			schedule_timeout_idle(DELAY);
		WRITE_ONCE(is_behind, false);
		while (!kthread_should_stop() && READ_ONCE(clear_ahead) &&
		       petmem_pool_clean())
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
	struct task_struct *task = kthread_run(clean, NULL, "petmem_cleaner");

	if (IS_ERR(task))
		return PTR_ERR(task);
	cleaner = task;
	return 0;
}

void petmem_cleaner_exit(void)
{
	kthread_stop(cleaner);
}
