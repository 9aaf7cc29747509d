// SPDX-License-Identifier: GPL-2.0
/*
 * trap.c - everything that makes the processor enter the kernel: system calls,
 * faults, interrupts; and the clock.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "x86.h"
#include "traps.h"
#include "proc.h"
#include "vm.h"
#include "defs.h"

#define GATE_PRESENT	0x8000
#define GATE_USER	0x6000	/* `int` may be used in user mode */
#define GATE_INTERRUPT	0x0e00	/* turns interrupts off on the way in */
#define STUB_SIZE	16

/*
 * An entry of the interrupt descriptor table:
 *
 *	63            48 47      32 31      16 15           0
 *	+---------------+----------+----------+--------------+
 *	| offset 31..16 | GATE_... | selector | offset 15..0 |
 *	+---------------+----------+----------+--------------+
 */
struct gate {
	ushort offset_low;
	ushort selector;
	ushort flags;
	ushort offset_high;
};

static struct gate idt[NTRAP];
extern char trap_stubs[];	/* trapasm.S */

static struct spinlock clock_lock = SPINLOCK("clock");
static uint ticks;		/* since the start; guarded by clock_lock */

/* Make the table; each CPU then loads it with trap_init_cpu(). */
void trap_init(void)
{
	int i;

	for (i = 0; i < NTRAP; i++) {
		uint stub = (uint)trap_stubs + i * STUB_SIZE;

		idt[i].offset_low = stub & 0xffff;
		idt[i].offset_high = stub >> 16;
		idt[i].selector = SEL_KCODE;
		idt[i].flags = GATE_PRESENT | GATE_INTERRUPT;
	}
	idt[T_SYSCALL].flags |= GATE_USER;
}

void trap_init_cpu(void)
{
	lidt(idt, sizeof(idt));
}

/* Ticks of 10 ms since the start. */
uint uptime(void)
{
	uint now;

	spin_lock(&clock_lock);
	now = ticks;
	spin_unlock(&clock_lock);
	return now;
}

/* Sleep for @n ticks; returns 0, or -1 if the process was killed meanwhile. */
int sleep_ticks(uint n)
{
	uint start;
	int result = 0;

	spin_lock(&clock_lock);
	start = ticks;
	while (ticks - start < n) {
		if (killed()) {
			result = -1;
			break;
		}
		sleep_on(&ticks, &clock_lock);
	}
	spin_unlock(&clock_lock);
	return result;
}

static int from_user(const struct trapframe *tf)
{
	return (tf->cs & 3) == 3;
}

/* All CPUs have a timer; the first one's is also the clock. */
static void timer_tick(void)
{
	if (cpu_id() != 0)
		return;
	spin_lock(&clock_lock);
	ticks++;
	wake_all(&ticks);
	spin_unlock(&clock_lock);
}

/* Returns whether it was an interrupt. */
static int handle_interrupt(const struct trapframe *tf)
{
	switch (tf->trapno) {
	case T_IRQ0 + IRQ_TIMER:
		timer_tick();
		break;
	case T_IRQ0 + IRQ_COM1:
		uart_interrupt();
		break;
	case T_IRQ0 + IRQ_SPURIOUS:
		return 1;	/* wants no acknowledgment */
	default:
		return 0;
	}
	lapic_eoi();
	return 1;
}

/* A trap for which the kernel has no use: end the process, or the system. */
static void handle_stray(const struct trapframe *tf, uint address)
{
	struct proc *p = this_proc();

	if (!from_user(tf))
		panic("trap %d error %d in the kernel at 0x%x address 0x%x",
		      tf->trapno, tf->err, tf->eip, address);
	kprintf("%s[%d]: trap %d error %d at 0x%x address 0x%x on cpu %d: "
		"killed\n",
		p->name, p->pid, tf->trapno, tf->err, tf->eip, address,
		cpu_id());
	kill_self();
}

/*
 * A page fault. Two kinds can be right: a write of a process to a page that is
 * there, which is copy-on-write then, and the use of a page that has only been
 * promised. The kernel itself never faults: it asks user_prepare() before it
 * touches user memory.
 */
static void handle_page_fault(const struct trapframe *tf, uint address)
{
	const uint user_write = FAULT_PRESENT | FAULT_WRITE | FAULT_USER;
	const int access = tf->err & FAULT_WRITE ? VM_WRITE : VM_READ;
	int result = VM_NO_ACCESS;

	if (from_user(tf))
		irq_enable();	/* a page that comes from a file takes time */
	if ((tf->err & user_write) == user_write && address < KERNBASE)
		result = vm_unshare(this_proc()->dir, address);
	if (result == VM_NO_ACCESS && tf->err & FAULT_USER)
		result = give_promised(address, access);
	if (result == VM_NO_MEMORY)
		out_of_memory();	/* to try again is to return */
	else if (result == VM_NO_ACCESS)
		handle_stray(tf, address);
}

/* Called by trapasm.S with interrupts off. */
void trap(struct trapframe *tf)
{
	uint address = rcr2();	/* of a page fault; the next would change it */

	if (tf->trapno == T_NMI)
		stop_cpu();
	if (tf->trapno == T_SYSCALL) {
		irq_enable();
		this_proc()->tf = tf;
		syscall();
	} else if (tf->trapno == T_PGFLT) {
		handle_page_fault(tf, address);
	} else if (!handle_interrupt(tf)) {
		handle_stray(tf, address);
	}
	if (!from_user(tf))
		return;

	irq_enable();
	if (killed())
		exit();
	if (tf->trapno == T_IRQ0 + IRQ_TIMER)
		yield();
	if (killed())
		exit();
}
