// SPDX-License-Identifier: GPL-2.0
/*
 * kprintf.c - messages of the kernel, and its last words.
 */
#include <stdarg.h>
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "x86.h"
#include "proc.h"
#include "defs.h"

#define MAX_CALLERS	10

static int panicked;	/* a CPU has panicked: the others stop */

static void print_number(uint n, uint base)
{
	char digits[10];	/* of 4294967295 */
	int i = 0;

	do {
		digits[i++] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	while (i > 0)
		uart_put(digits[--i]);
}

static void print_text(const char *s)
{
	for (; *s; s++)
		uart_put(*s);
}

/* %d unsigned decimal, %x hexadecimal, %s string. */
static void print(const char *format, va_list args)
{
	for (; *format; format++) {
		if (*format != '%') {
			uart_put(*format);
			continue;
		}
		switch (*++format) {
		case 'd':
			print_number(va_arg(args, uint), 10);
			break;
		case 'x':
			print_number(va_arg(args, uint), 16);
			break;
		case 's':
			print_text(va_arg(args, const char *));
			break;
		}
	}
}

/* Print a message, which is on a line of its own and ends with a newline. */
void kprintf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	uart_begin();
	uart_new_line();
	print(format, args);
	uart_end();
	va_end(args);
}

/* Is there something of the kernel's at @va? */
static int in_kernel(const uint *va)
{
	return (uint)va >= KERNBASE && (uint)va < KERNBASE + PHYSTOP &&
	       (uint)va % sizeof(uint) == 0;
}

/*
 * Print who called whom, the innermost first: kernel.asm and kernel.sym say what
 * is at these addresses. Each frame begins with the pointer to the caller's, and
 * the address to return to; there is none of the kernel's before the first.
 */
static void print_callers(const uint *frame)
{
	int i;

	print_text("called from");
	for (i = 0; i < MAX_CALLERS && in_kernel(frame); i++) {
		print_text(" 0x");
		print_number(frame[1], 16);
		frame = (const uint *)frame[0];
	}
	uart_put('\n');
}

/* Stay here for ever, for a debugger to look at. */
__attribute__((noinline)) void stop_cpu(void)
{
	irq_disable();
	for (;;)
		halt();
}

/* Something is wrong in the kernel itself: say it and stop the machine. */
void panic(const char *format, ...)
{
	va_list args;

	irq_disable();
	if (__atomic_exchange_n(&panicked, 1, __ATOMIC_ACQ_REL) == 0) {
		lapic_stop_others();
		va_start(args, format);
		/* No lock: its holder may be who panics, or has been stopped. */
		uart_new_line();
		print_text("panic: ");
		print(format, args);
		uart_put('\n');
		va_end(args);
		print_callers(__builtin_frame_address(0));
	}
	stop_cpu();
}
