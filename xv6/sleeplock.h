/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sleeplock.h - mutual exclusion for long operations: a process that has to wait
 * sleeps, and the holder may sleep, too. Only for processes, not for interrupt
 * handlers.
 *
 * Order, outermost first: the transaction (log.c) - a directory - a file in
 * it - a buffer.
 */
#ifndef SLEEPLOCK_H
#define SLEEPLOCK_H

#include "spinlock.h"

struct sleeplock {
	struct spinlock guard;	/* of the next field */
	int pid;		/* the holder; 0: nobody */
};

#define SLEEPLOCK(lock_name)	{ .guard = SPINLOCK(lock_name) }

void sleeplock_init(struct sleeplock *lock, const char *name);
void sleep_lock(struct sleeplock *lock);
void sleep_unlock(struct sleeplock *lock);
int sleep_held(struct sleeplock *lock);

#endif
