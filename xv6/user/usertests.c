// SPDX-License-Identifier: GPL-2.0
/* usertests - everything that programs expect of the kernel, by subject. */
#include "types.h"
#include "user.h"
#include "tap.h"
#include "usertests.h"

#define MOST_TESTS 128

int main(int argc, char *argv[])
{
	static const struct group *const groups[] = {
		&process_tests, &memory_tests, &exec_tests, &file_tests,
	};
	static struct test tests[MOST_TESTS];
	int i, n = 0;

	for (i = 0; i < COUNT(groups); i++) {
		memmove(&tests[n], groups[i]->tests, groups[i]->n * sizeof(tests[0]));
		n += groups[i]->n;
	}
	run_tests(tests, n, argc, argv);
}
