// SPDX-License-Identifier: GPL-2.0
/*
 * lapic.c - the local APIC: each CPU's own interrupt controller. It takes
 * interrupts in, has a timer, and can interrupt and start other CPUs.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "x86.h"
#include "traps.h"
#include "proc.h"
#include "defs.h"

#define LAPIC_BASE	0xfee00000	/* every CPU sees its own here */

/* Registers: offsets in bytes. */
#define ID		0x020		/* bits 31..24 */
#define TASK_PRIORITY	0x080
#define EOI		0x0b0		/* end of interrupt */
#define SPURIOUS	0x0f0
#define  APIC_ON	0x100
#define COMMAND		0x300		/* sends when written */
#define  SEND_NMI	0x00400
#define  SEND_INIT	0x00500
#define  SEND_STARTUP	0x00600		/* + number of the page to start in */
#define  SEND_ASSERT	0x04000
#define  SEND_PENDING	0x01000		/* reads: not sent yet */
#define COMMAND_TARGET	0x310		/* bits 31..24: who */
#define TIMER		0x320
#define LINT0		0x350
#define LINT1		0x360
#define ERROR		0x370
#define  PERIODIC	0x20000
#define  MASKED		0x10000
#define TIMER_START	0x380		/* counts down from here ... */
#define TIMER_NOW	0x390		/* ... and is here */
#define TIMER_DIVIDE	0x3e0
#define  DIVIDE_BY_1	0xb

/* The old timer chip (PIT), channel 2: it knows how long a second is. */
#define PIT_HZ		1193182
#define PIT_CHANNEL2	0x42
#define PIT_MODE	0x43
#define  PIT_ONE_SHOT2	0xb0		/* channel 2, two bytes, mode 0 */
#define PIT_GATE	0x61
#define  GATE_ON	0x01
#define  SPEAKER_ON	0x02
#define  PIT_OUT	0x20		/* the time is over */

#define CALIBRATIONS	5

static uint timer_start;	/* timer counts in a tick */

static uint lapic_read(uint reg)
{
	return *(volatile uint *)(LAPIC_BASE + reg);
}

static void lapic_write(uint reg, uint value)
{
	*(volatile uint *)(LAPIC_BASE + reg) = value;
}

/* Start a time of @us microseconds, at most 50,000. */
static void pit_start(uint us)
{
	uint count = PIT_HZ / 1000 * us / 1000;

	outb(PIT_GATE, (inb(PIT_GATE) & ~SPEAKER_ON) | GATE_ON);
	outb(PIT_MODE, PIT_ONE_SHOT2);
	outb(PIT_CHANNEL2, count & 0xff);
	outb(PIT_CHANNEL2, count >> 8);
}

static void pit_wait(void)
{
	while (!(inb(PIT_GATE) & PIT_OUT))
		cpu_relax();
}

static void delay(uint us)
{
	pit_start(us);
	pit_wait();
}

/* How far the timer counts in a tick, measured once. */
static uint measure_tick(void)
{
	lapic_write(TIMER_START, ~0u);
	pit_start(1000000 / TICK_HZ);
	pit_wait();
	return ~0u - lapic_read(TIMER_NOW);
}

/*
 * The shortest of some measurements: when the host takes the CPU away from a
 * virtual machine in the middle of one, it comes out too long.
 */
static void calibrate(void)
{
	uint i, counts;

	lapic_write(TIMER, MASKED);
	timer_start = ~0u;
	for (i = 0; i < CALIBRATIONS; i++) {
		counts = measure_tick();
		if (counts < timer_start)
			timer_start = counts;
	}
}

/* Set up the local APIC of this CPU and start its timer. */
void lapic_init(void)
{
	lapic_write(SPURIOUS, APIC_ON | (T_IRQ0 + IRQ_SPURIOUS));
	lapic_write(TIMER_DIVIDE, DIVIDE_BY_1);
	if (!timer_start)
		calibrate();
	lapic_write(LINT0, MASKED);
	lapic_write(LINT1, MASKED);
	lapic_write(ERROR, MASKED);
	lapic_write(TASK_PRIORITY, 0);
	lapic_write(TIMER, PERIODIC | (T_IRQ0 + IRQ_TIMER));
	lapic_write(TIMER_START, timer_start);
}

uchar lapic_id(void)
{
	return lapic_read(ID) >> 24;
}

/* The interrupt has been dealt with; the next one may come. */
void lapic_eoi(void)
{
	lapic_write(EOI, 0);
}

static void send(uchar apic_id, uint command)
{
	lapic_write(COMMAND_TARGET, (uint)apic_id << 24);
	lapic_write(COMMAND, command);
	while (lapic_read(COMMAND) & SEND_PENDING)
		cpu_relax();
}

/* Start a CPU in real mode at @pa, a page below 1 MB. */
void lapic_start_cpu(uchar apic_id, uint pa)
{
	send(apic_id, SEND_INIT | SEND_ASSERT);
	delay(10000);
	/* Twice: the specification says that the first may get lost. */
	send(apic_id, SEND_STARTUP | pa / PGSIZE);
	delay(200);
	send(apic_id, SEND_STARTUP | pa / PGSIZE);
}

/*
 * For panic(): stop the other CPUs where they are, even with interrupts off. The
 * handler of an NMI halts (trap.c). An INIT would stop them too, but it takes the
 * first CPU back to the reset vector, and the machine with it.
 */
void lapic_stop_others(void)
{
	int cpu;

	for (cpu = 0; cpu < ncpu; cpu++)
		if (cpu != cpu_id() && cpus[cpu].running)
			send(cpus[cpu].apic_id, SEND_NMI);
}
