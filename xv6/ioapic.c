// SPDX-License-Identifier: GPL-2.0
/*
 * ioapic.c - the interrupt controller that devices are connected to. It hands
 * their interrupts to a CPU's local APIC.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "x86.h"
#include "traps.h"
#include "proc.h"
#include "defs.h"

#define IOAPIC_SELECT	(DEVSPACE + 0x00)	/* number of a register ... */
#define IOAPIC_DATA	(DEVSPACE + 0x10)	/* ... and what is in it */

/* Interrupt line n has two registers: the vector and flags, and its CPU. */
#define LINE_LOW(n)	(0x10 + 2 * (n))
#define LINE_HIGH(n)	(0x11 + 2 * (n))

/* The two older controllers: they must keep quiet. */
#define PIC1_MASK	0x21
#define PIC2_MASK	0xa1
#define ALL_LINES	0xff

static void ioapic_write(uint reg, uint value)
{
	*(volatile uint *)IOAPIC_SELECT = reg;
	*(volatile uint *)IOAPIC_DATA = value;
}

/* All lines are masked after reset; only the old controllers are not. */
void ioapic_init(void)
{
	outb(PIC1_MASK, ALL_LINES);
	outb(PIC2_MASK, ALL_LINES);
}

/* Let line @irq through to the first CPU: edge-triggered, active high. */
void ioapic_enable(int irq)
{
	ioapic_write(LINE_HIGH(irq), (uint)cpus[0].apic_id << 24);
	ioapic_write(LINE_LOW(irq), T_IRQ0 + irq);
}
