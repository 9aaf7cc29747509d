// SPDX-License-Identifier: GPL-2.0
/*
 * spinlock.c - spin locks, and nested disabling of interrupts.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "x86.h"
#include "spinlock.h"
#include "proc.h"
#include "defs.h"

void spin_init(struct spinlock *lock, const char *name)
{
	*lock = (struct spinlock)SPINLOCK(name);
}

/*
 * Does this CPU hold @lock? Only the holder writes its number to the lock, and
 * takes it away before it unlocks: so no CPU ever finds its own number there
 * without holding the lock.
 */
int spin_held(struct spinlock *lock)
{
	int held;

	irq_push();
	held = lock->holder == cpu_id() + 1;
	irq_pop();
	return held;
}

void spin_lock(struct spinlock *lock)
{
	irq_push();
	if (spin_held(lock))
		panic("spin_lock: %s is already held", lock->name);
	while (__atomic_test_and_set(&lock->locked, __ATOMIC_ACQUIRE))
		cpu_relax();
	lock->holder = cpu_id() + 1;
}

void spin_unlock(struct spinlock *lock)
{
	if (!spin_held(lock))
		panic("spin_unlock: %s is not held", lock->name);
	lock->holder = 0;
	__atomic_clear(&lock->locked, __ATOMIC_RELEASE);
	irq_pop();
}

void irq_push(void)
{
	int were_on = (read_eflags() & EFLAGS_IF) != 0;
	struct cpu *cpu;

	irq_disable();
	cpu = this_cpu();
	if (cpu->irq_depth++ == 0)
		cpu->irqs_were_on = were_on;
}

void irq_pop(void)
{
	struct cpu *cpu = this_cpu();

	if (cpu->irq_depth < 1)
		panic("irq_pop: without irq_push");
	if (--cpu->irq_depth == 0 && cpu->irqs_were_on)
		irq_enable();
}
