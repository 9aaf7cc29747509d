/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * traps.h - trap numbers: what the processor, the interrupt controller and
 * programs can make the kernel run for.
 */
#ifndef TRAPS_H
#define TRAPS_H

/* 0..31 belong to the processor. */
#define T_DIVIDE	0	/* division by zero */
#define T_NMI		2	/* not maskable; another CPU has panicked */
#define T_ILLOP		6	/* illegal instruction */
#define T_GPFLT		13	/* privileged instruction, bad selector, ... */
#define T_PGFLT		14	/* page fault: the address is in CR2 */

/* 32..63: the interrupt controller sends IRQ n as trap T_IRQ0 + n. */
#define T_IRQ0		32
#define IRQ_TIMER	0	/* each CPU's own timer */
#define IRQ_COM1	4	/* serial port */
#define IRQ_SPURIOUS	31	/* raised by the controller for nothing */

#define T_SYSCALL	64	/* int $64: system call */

#define NTRAP		256	/* entries of the interrupt descriptor table */

#endif
