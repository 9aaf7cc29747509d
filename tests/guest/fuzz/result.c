// SPDX-License-Identifier: GPL-2.0
/* result.c - the reports of hostile programs to the runner. */
#define _GNU_SOURCE
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "result.h"

/* Programs inherit the result under this number, and never close it. */
#define RESULT_FD 99

struct result *result;

static const char *const texts[FINDINGS] = {
	[FOREIGN_DATA] = "saw another program's data",
	[PRIVILEGE] = "did what only the administrator may",
	[SPIN] = "had its fault resolved, and faulted for ever",
};

bool result_attach(void)
{
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED,
		      RESULT_FD, 0);
	return result != MAP_FAILED;
}

void result_create(void)
{
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*result)) < 0 ||
	    dup2(fd, RESULT_FD) < 0 || !result_attach())
		err(EXIT_FAILURE, "result");
	close(fd);
}

void report(enum finding finding, uint64_t seed)
{
	if (atomic_fetch_add(&result->finding[finding], 1) == 0)
		atomic_store(&result->culprit[finding], seed);
}

bool result_has_finding(void)
{
	bool found = false;

	for (int i = 0; i < FINDINGS; i++) {
		uint64_t times = atomic_exchange(&result->finding[i], 0);

		if (!times)
			continue;
		printf("# program %#" PRIx64 " %s (%" PRIu64 " times)\n",
		       atomic_load(&result->culprit[i]), texts[i], times);
		found = true;
	}
	return found;
}
