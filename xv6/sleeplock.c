// SPDX-License-Identifier: GPL-2.0
/*
 * sleeplock.c - locks whose waiters sleep.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "sleeplock.h"
#include "proc.h"
#include "defs.h"

void sleeplock_init(struct sleeplock *lock, const char *name)
{
	*lock = (struct sleeplock)SLEEPLOCK(name);
}

void sleep_lock(struct sleeplock *lock)
{
	spin_lock(&lock->guard);
	while (lock->pid)
		sleep_on(lock, &lock->guard);
	lock->pid = this_proc()->pid;
	spin_unlock(&lock->guard);
}

void sleep_unlock(struct sleeplock *lock)
{
	spin_lock(&lock->guard);
	lock->pid = 0;
	wake_all(lock);
	spin_unlock(&lock->guard);
}

/* Does the calling process hold @lock? */
int sleep_held(struct sleeplock *lock)
{
	int held;

	spin_lock(&lock->guard);
	held = lock->pid == this_proc()->pid;
	spin_unlock(&lock->guard);
	return held;
}
