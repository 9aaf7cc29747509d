// SPDX-License-Identifier: GPL-2.0
/*
 * uart.c - the serial port COM1, a 16550: the system's only terminal.
 *
 * The kernel's messages and the programs' output both go here. Each line, or
 * part of one that comes alone, is written between uart_begin() and uart_end(),
 * which keep it together.
 */
#include "types.h"
#include "mmu.h"
#include "x86.h"
#include "traps.h"
#include "spinlock.h"
#include "defs.h"

#define COM1		0x3f8

/* Registers, and the bits of them that are used. */
#define DATA		(COM1 + 0)	/* a byte in or out */
#define INT_ENABLE	(COM1 + 1)
#define  INT_RECEIVE	0x01
#define FIFO_CTRL	(COM1 + 2)
#define  FIFO_ON_CLEAR	0x07		/* use both FIFOs, empty them */
#define LINE_CTRL	(COM1 + 3)
#define  LINE_8N1	0x03		/* 8 bits, no parity, 1 stop bit */
#define  LINE_DIVISOR	0x80		/* DATA is the divisor now */
#define MODEM_CTRL	(COM1 + 4)
#define  MODEM_READY	0x0b		/* DTR, RTS, and let interrupts out */
#define LINE_STATUS	(COM1 + 5)
#define  STATUS_INPUT	0x01		/* a byte has come */
#define  STATUS_SPACE	0x20		/* a byte can go */

#define BAUD_BASE	115200
#define BAUD		115200

void uart_init(void)
{
	const ushort divisor = BAUD_BASE / BAUD;

	outb(INT_ENABLE, 0);
	outb(LINE_CTRL, LINE_DIVISOR | LINE_8N1);
	outb(DATA, divisor & 0xff);
	outb(INT_ENABLE, divisor >> 8);	/* the divisor's high byte just now */
	outb(LINE_CTRL, LINE_8N1);
	outb(FIFO_CTRL, FIFO_ON_CLEAR);
	outb(MODEM_CTRL, MODEM_READY);
}

/* Let input interrupt the first CPU. */
void uart_enable_input(void)
{
	outb(INT_ENABLE, INT_RECEIVE);
	ioapic_enable(IRQ_COM1);
}

/* Guards the output and what follows. */
static struct spinlock lock = SPINLOCK("uart");
static int in_line;		/* characters have come since the last newline */

void uart_begin(void)
{
	spin_lock(&lock);
}

void uart_end(void)
{
	spin_unlock(&lock);
}

/* Context: between uart_begin() and uart_end(), or the system has panicked. */
void uart_put(char c)
{
	while (!(inb(LINE_STATUS) & STATUS_SPACE))
		cpu_relax();
	outb(DATA, c);
	in_line = c != '\n';
}

/* Start a new line unless one has been started. Context: the same. */
void uart_new_line(void)
{
	if (in_line)
		uart_put('\n');
}

void uart_interrupt(void)
{
	while (inb(LINE_STATUS) & STATUS_INPUT)
		console_input(inb(DATA));
}
