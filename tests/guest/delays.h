/* SPDX-License-Identifier: GPL-2.0 */
/*
 * delays.h - random delays, in a build of the module for tests: make PETMEM_DELAYS=y.
 *
 * Kbuild then includes this in front of each file of the module. The functions below drop
 * or take a lock, flush a TLB, fill a page, publish a table or write an entry. Now and
 * then there is a delay before and after: a window of nanoseconds, in which another thread
 * would have to act, becomes one of milliseconds.
 */
#ifndef PETMEM_DELAYS_H
#define PETMEM_DELAYS_H

/* The same as in the module's own files; printk.h below needs it. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/hash.h>
#include <linux/kcsan-checks.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timex.h>

#include "../../compat.h"

/* One delay in this many chances, and its length. */
#define PETMEM_SLEEP_CHANCE 16
#define PETMEM_SPIN_CHANCE 8
#define PETMEM_SLEEP_MAX_US 1500
#define PETMEM_SPIN_MAX_US 100
/* One sleep in this many is long enough for whole operations of other threads. */
#define PETMEM_LONG_CHANCE 16
#define PETMEM_LONG_FACTOR 16
/* A table has many entries. */
#define PETMEM_ENTRY_CHANCE 32

/* Take no lock, and none of the kernel's random numbers: this runs in any context. */
static inline u32 petmem_delay_random(void)
{
	return hash_64(get_cycles(), 32);
}

/* With PREEMPT_RT a spinlock counts as an RCU reader. */
static inline bool petmem_delay_may_sleep(void)
{
	return preemptible() && !rcu_preempt_depth();
}

/* Linux's timers have data races of their own. KCSAN would report them as petmem's. */
static inline void petmem_sleep(u32 us)
{
	kcsan_disable_current();
	usleep_range(us, us + PETMEM_SPIN_MAX_US);
	kcsan_enable_current();
}

static inline void petmem_delay_one_in(u32 chance)
{
	u32 random = petmem_delay_random();
	u32 rest = random >> 16;
	u32 us = rest % PETMEM_SLEEP_MAX_US;

	if (random % (PETMEM_SLEEP_CHANCE * chance) == 0 &&
	    petmem_delay_may_sleep()) {
		if (rest / PETMEM_SLEEP_MAX_US % PETMEM_LONG_CHANCE == 0)
			us *= PETMEM_LONG_FACTOR;
		petmem_sleep(us);
	} else if (random % (PETMEM_SPIN_CHANCE * chance) == 1) {
		udelay(rest % PETMEM_SPIN_MAX_US);
	}
}

static inline void petmem_delay(void)
{
	petmem_delay_one_in(1);
}

/* ---- Locks ---- */

static inline void petmem_delayed_mutex_lock(struct mutex *lock)
{
	petmem_delay();
	mutex_lock(lock);
}

static inline void petmem_delayed_mutex_unlock(struct mutex *lock)
{
	mutex_unlock(lock);
	petmem_delay();
}

static __always_inline void petmem_delayed_spin_lock(spinlock_t *lock)
{
	petmem_delay();
	spin_lock(lock);
}

static __always_inline void petmem_delayed_spin_unlock(spinlock_t *lock)
{
	spin_unlock(lock);
	petmem_delay();
}

static inline int petmem_delayed_mmap_read_lock(struct mm_struct *mm)
{
	petmem_delay();
	return mmap_read_lock_killable(mm);
}

static inline void petmem_delayed_mmap_read_unlock(struct mm_struct *mm)
{
	mmap_read_unlock(mm);
	petmem_delay();
}

static inline int petmem_delayed_mmap_write_lock(struct mm_struct *mm)
{
	petmem_delay();
	return mmap_write_lock_killable(mm);
}

static inline void petmem_delayed_mmap_write_unlock(struct mm_struct *mm)
{
	mmap_write_unlock(mm);
	petmem_delay();
}

/* ---- Page tables and TLB flushes ---- */

static inline void petmem_delayed_flush_mask(const struct cpumask *mask,
					     smp_call_func_t flush, void *info,
					     bool wait)
{
	petmem_delay();
	on_each_cpu_mask(mask, flush, info, wait);
	petmem_delay();
}

static inline void petmem_delayed_flush(smp_call_func_t flush, void *info,
					int wait)
{
	petmem_delay();
	on_each_cpu(flush, info, wait);
	petmem_delay();
}

static inline void petmem_delayed_zap(struct vm_area_struct *vma,
				      unsigned long start, unsigned long size)
{
	petmem_delay();
	zap_special_vma_range(vma, start, size);
	petmem_delay();
}

static inline void petmem_delayed_wmb(void)
{
	petmem_delay();
	/* The caller names the barrier that this pairs with. */
	smp_wmb();
	petmem_delay();
}

static inline void petmem_delayed_clear_page(void *page)
{
	petmem_delay();
	clear_page(page);
	petmem_delay();
}

static inline int petmem_delayed_copy(void *to, void *from)
{
	int err;

	petmem_delay();
	err = petmem_copy_mc(to, from);
	petmem_delay();
	return err;
}

#undef mutex_lock
#define mutex_lock petmem_delayed_mutex_lock
#undef mutex_unlock
#define mutex_unlock petmem_delayed_mutex_unlock
#undef spin_lock
#define spin_lock petmem_delayed_spin_lock
#undef spin_unlock
#define spin_unlock petmem_delayed_spin_unlock
#undef mmap_read_lock_killable
#define mmap_read_lock_killable petmem_delayed_mmap_read_lock
#undef mmap_read_unlock
#define mmap_read_unlock petmem_delayed_mmap_read_unlock
#undef mmap_write_lock_killable
#define mmap_write_lock_killable petmem_delayed_mmap_write_lock
#undef mmap_write_unlock
#define mmap_write_unlock petmem_delayed_mmap_write_unlock
#undef on_each_cpu_mask
#define on_each_cpu_mask petmem_delayed_flush_mask
#undef on_each_cpu
#define on_each_cpu petmem_delayed_flush
#undef zap_special_vma_range
#define zap_special_vma_range petmem_delayed_zap
#undef smp_wmb
#define smp_wmb petmem_delayed_wmb
#undef clear_page
#define clear_page petmem_delayed_clear_page
#define petmem_copy_mc petmem_delayed_copy

#undef WRITE_ONCE
#define WRITE_ONCE(place, value)                          \
	do {                                              \
		__WRITE_ONCE(place, value);               \
		petmem_delay_one_in(PETMEM_ENTRY_CHANCE); \
	} while (0)

#endif /* PETMEM_DELAYS_H */
