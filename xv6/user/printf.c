// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * printf.c - formatted output.
 *
 * Text is gathered and written in as few system calls as possible: the console
 * keeps one write() together, so a line shorter than OUT_SIZE is never mixed
 * with another process's.
 */
#include "types.h"
#include "user.h"

#define OUT_SIZE 256
#define MAX_DIGITS 12	/* of a 32-bit number, in any base from 8 up */

struct out {
	int fd;
	int used;
	char text[OUT_SIZE];
};

static void flush(struct out *o)
{
	if (o->used > 0)
		write(o->fd, o->text, o->used);
	o->used = 0;
}

static void put(struct out *o, char c)
{
	if (o->used == OUT_SIZE)
		flush(o);
	o->text[o->used++] = c;
}

static void put_string(struct out *o, const char *s)
{
	if (!s)
		s = "(null)";
	while (*s)
		put(o, *s++);
}

static void put_number(struct out *o, uint n, uint base)
{
	char digits[MAX_DIGITS];
	int i = 0;

	do {
		digits[i++] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	while (i > 0)
		put(o, digits[--i]);
}

static void put_signed(struct out *o, int n)
{
	if (n < 0) {
		put(o, '-');
		put_number(o, -(uint)n, 10);
	} else {
		put_number(o, n, 10);
	}
}

void printf(int fd, const char *fmt, ...)
{
	struct out o = { .fd = fd };
	__builtin_va_list args;

	__builtin_va_start(args, fmt);
	for (; *fmt; fmt++) {
		if (*fmt != '%' || !fmt[1]) {
			put(&o, *fmt);
			continue;
		}
		switch (*++fmt) {
		case 'd':
			put_signed(&o, __builtin_va_arg(args, int));
			break;
		case 'u':
			put_number(&o, __builtin_va_arg(args, uint), 10);
			break;
		case 'x':
		case 'p':
			put_number(&o, __builtin_va_arg(args, uint), 16);
			break;
		case 's':
			put_string(&o, __builtin_va_arg(args, const char *));
			break;
		case 'c':
			put(&o, __builtin_va_arg(args, int));
			break;
		case '%':
			put(&o, '%');
			break;
		default:	/* not ours: show it as it stands */
			put(&o, '%');
			put(&o, *fmt);
		}
	}
	__builtin_va_end(args);
	flush(&o);
}
