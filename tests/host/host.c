// SPDX-License-Identifier: GPL-2.0
/* host.c - helpers for the tests of the kernel's pure parts. */
#include "host.h"

#include <inttypes.h>

#define DEFAULT_SEED 20240229

unsigned long host_live;
unsigned long host_fail_at;
unsigned long host_steps;

static uint64_t random_state;

void *host_alloc(size_t size)
{
	void *memory;

	if (host_fail_at && --host_fail_at == 0)
		return NULL;
	memory = malloc(size);
	if (memory)
		host_live++;
	return memory;
}

void host_free(const void *memory)
{
	if (memory)
		host_live--;
	free((void *)memory);
}

/* The compiler calls this in every basic block of the code under test. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	host_steps++;
}

/* Marsaglia's xorshift, 64 bits, with the shifts 13, 7, 17. */
uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % limit;
}

static void set_seed(char **argv)
{
	const char *text = argv[1] ? argv[1] : getenv("SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : DEFAULT_SEED;

	diag("%s: seed %" PRIu64, argv[0], seed);
	random_state = seed ? seed : DEFAULT_SEED;
}

int run_tests(const struct host_test *tests, size_t count, char **argv)
{
	plan(count);
	set_seed(argv);
	for (size_t i = 0; i < count; i++) {
		bool passed = tests[i].run();

		if (passed && host_live) {
			diag("%lu allocations were not freed", host_live);
			passed = false;
		}
		host_live = 0;
		host_fail_at = 0;
		ok(passed, "%s", tests[i].name);
	}
	return tap_end();
}
