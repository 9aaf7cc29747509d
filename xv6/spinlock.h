/* SPDX-License-Identifier: GPL-2.0 */
/*
 * spinlock.h - mutual exclusion for a few instructions.
 *
 * Interrupts are off on this CPU from the first spin_lock() to the last
 * spin_unlock(), so that no interrupt handler can wait for a lock of the code
 * that it interrupted. Nothing that sleeps or faults may be done in between.
 *
 * Lock order, outermost first: a pipe's, the console's or the clock's lock,
 * the lock inside a sleep lock - procs_lock; and vm.c's unshare_lock or the
 * lock of mmap.c - the lock of kalloc.c. The locks of kalloc.c, bio.c, uart.c,
 * fs.c (i-node table) and file.c are innermost: nothing else is taken under
 * them, with one exception: sleeping for a buffer (bio.c).
 */
#ifndef SPINLOCK_H
#define SPINLOCK_H

struct spinlock {
	_Bool locked;
	int holder;	/* number of the CPU that holds it, plus 1; 0: none */
	const char *name;
};

#define SPINLOCK(lock_name)	{ .name = (lock_name) }

void spin_init(struct spinlock *lock, const char *name);
void spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);
int spin_held(struct spinlock *lock);

/*
 * Keep interrupts off while at least one irq_push() has no irq_pop() yet;
 * then they are what they were.
 */
void irq_push(void);
void irq_pop(void);

#endif
