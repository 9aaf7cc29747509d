/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host.h - helpers for the tests of the kernel's pure parts: memory that can be
 * made to run out, random numbers, a measure of cost.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../tap.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* End a test, and fail it, unless @condition holds. */
#define REQUIRE(condition)                                                 \
	do {                                                               \
		if (!(condition)) {                                        \
			diag("%s:%d: %s", __FILE__, __LINE__, #condition); \
			return false;                                      \
		}                                                          \
	} while (0)

/* kmalloc(), __vmalloc() and their kin call these. */
void *host_alloc(size_t size);
void host_free(const void *memory);

/* Number of allocations that were not freed yet. */
extern unsigned long host_live;

/* The allocation that fails: 1 is the next one; 0: none. */
extern unsigned long host_fail_at;

/*
 * Basic blocks executed in the code under test so far. It takes the place of a
 * clock: the same on every machine and in every run.
 */
extern unsigned long host_steps;

/* A random number below @limit, from the seed that the program printed. */
uint64_t random_below(uint64_t limit);

struct host_test {
	const char *name;
	bool (*run)(void);
};

/*
 * Run every test; each must free all that it allocates. The seed is the first
 * argument, or SEED in the environment, or a fixed one.
 *
 * Return: main()'s result.
 */
int run_tests(const struct host_test *tests, size_t count, char **argv);

#endif /* HOST_H */
