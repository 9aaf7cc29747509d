/* SPDX-License-Identifier: GPL-2.0 */
/* usertests.h - the groups of tests that make up usertests. */

struct group {
	const struct test *tests;
	int n;
};

extern const struct group process_tests, memory_tests, exec_tests, file_tests;

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
