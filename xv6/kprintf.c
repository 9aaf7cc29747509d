// SPDX-License-Identifier: GPL-2.0
/*
 * kprintf.c - messages of the kernel, and its last words.
 */
#include <stdarg.h>
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "x86.h"
#include "proc.h"
#include "defs.h"

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

/* %d unsigned decimal, %x hexadecimal, %s string. */
static void print(const char *format, va_list args)
{
	const char *s;

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
			for (s = va_arg(args, const char *); *s; s++)
				uart_put(*s);
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
		print("panic: ", args);
		print(format, args);
		uart_put('\n');
		va_end(args);
	}
	stop_cpu();
}
