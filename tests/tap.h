/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tap.h - results of a test program in the Test Anything Protocol.
 *
 *	plan(2);
 *	ok(1 + 1 == 2, "sums");
 *	if (!ok(p, "a page of %d bytes", size))
 *		diag("errno is %d", errno);
 *	return tap_end();
 */
#ifndef PETMEM_TAP_H
#define PETMEM_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int tap_planned;
static int tap_run;
static int tap_failed;

/* Announce the number of results, so that a program that dies early is noticed. */
static inline void plan(int count)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	tap_planned = count;
	printf("1..%d\n", count);
}

/* One result. Return: @passed. */
__attribute__((format(printf, 2, 3))) static inline bool
ok(bool passed, const char *format, ...)
{
	va_list args;

	tap_run++;
	tap_failed += !passed;
	printf("%s %d - ", passed ? "ok" : "not ok", tap_run);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	return passed;
}

/* A line for people, always shown. */
__attribute__((format(printf, 1, 2))) static inline void
diag(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("# ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

/* main()'s result: success if all that was planned ran and passed. */
static inline int tap_end(void)
{
	bool complete = tap_run == tap_planned;

	if (!complete)
		diag("planned %d results, had %d", tap_planned, tap_run);
	return complete && !tap_failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif /* PETMEM_TAP_H */
