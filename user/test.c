// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * test.c - how a program uses petmem, step by step.
 *
 * Every step checks its results and says what they were. The exit status is 0 only
 * if all checks passed. `dmesg` shows the memory map that one step asks for.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define GIB (1UL << 30)

static int failures;

static void check(bool right, const char *what)
{
	printf("  %s %s\n", right ? "yes:" : "NO: ", what);
	fflush(stdout); /* or a child would print it again */
	if (!right)
		failures++;
}

static void step(const char *title)
{
	printf("%s\n", title);
	fflush(stdout);
}

static void use_two_pages(void)
{
	char *p = pet_malloc(2 * PAGE);

	step("Two pages");
	check(p != NULL, "pet_malloc returns an address");
	if (p == NULL)
		return;
	strcpy(p + 50, "Hello from petmem");
	check(strcmp(p + 50, "Hello from petmem") == 0,
	      "the string at offset 50 reads back");
	check(p[0] == 0 && p[PAGE] == 0, "unwritten bytes read as zero");
	pet_free(p);
}

static void reuse_a_hole(void)
{
	char *a = pet_malloc(3 * PAGE);
	char *b = pet_malloc(PAGE);
	char *c = pet_malloc(PAGE);
	char *again;

	step("First fit");
	check(a + 3 * PAGE == b && b + PAGE == c,
	      "allocations follow one another");
	pet_free(a);
	again = pet_malloc(2 * PAGE);
	check(again == a, "a freed range is used again");
	pet_dump();
	pet_free(again);
	pet_free(b);
	pet_free(c);
}

/*
 * Enough pages for several page tables (2 MiB each). Some of the sizes are not a
 * multiple of a page.
 */
static void fill_many_pages(void)
{
	static const size_t sizes[] = {
		8192, 2176353, 4096, 40960, 234, 8 * MIB
	};
	enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
	unsigned char *p[COUNT];
	bool right = true;

	step("Many pages");
	for (int i = 0; i < COUNT; i++) {
		p[i] = pet_malloc(sizes[i]);
		if (p[i] == NULL)
			err(EXIT_FAILURE, "pet_malloc(%zu)", sizes[i]);
		memset(p[i], i + 1, sizes[i]);
	}
	for (int i = 0; i < COUNT; i++) {
		for (size_t j = 0; j < sizes[i]; j++)
			right = right && p[i][j] == i + 1;
		pet_free(p[i]);
	}
	check(right, "6 allocations of 234 bytes to 8 MiB keep their bytes");
}

static void overcommit(void)
{
	char *p = pet_malloc(64 * GIB);

	step("More virtual memory than there is");
	check(p != NULL, "64 GiB can be allocated");
	if (p != NULL) {
		p[0] = 1;
		p[64 * GIB - 1] = 2;
		check(p[0] == 1 && p[64 * GIB - 1] == 2,
		      "and its two ends used");
		pet_free(p);
	}
	errno = 0;
	p = pet_malloc(100000000000000);
	check(p == NULL && errno == ENOMEM, "10^14 bytes give ENOMEM");
}

static void use_the_relatives(void)
{
	unsigned char *p = pet_calloc(100, 100);
	unsigned char *aligned = pet_aligned_alloc(2 * MIB, 10);

	step("calloc, realloc, aligned_alloc");
	check(p != NULL && p[0] == 0 && p[9999] == 0, "pet_calloc clears");
	if (p != NULL)
		p[9999] = 77;
	p = pet_realloc(p, 5 * MIB);
	check(p != NULL && p[9999] == 77 && p[10000] == 0,
	      "pet_realloc keeps the bytes");
	check(aligned != NULL && (uintptr_t)aligned % (2 * MIB) == 0,
	      "pet_aligned_alloc aligns to 2 MiB");
	pet_free(p);
	pet_free(aligned);
}

static void read_freed_memory(void)
{
	char *p = pet_malloc(2 * PAGE);

	strcpy(p + 50, "gone");
	pet_free(p);
	printf("still there: %c\n", *(volatile char *)(p + 50));
}

static void read_between_allocations(void)
{
	char *p = pet_malloc(PAGE);

	printf("still there: %c\n", *(volatile char *)(p + PAGE));
}

static void read_null(void)
{
	volatile char *volatile null = NULL;

	printf("still there: %c\n", *null);
}

static void free_twice(void)
{
	char *p = pet_malloc(PAGE);

	pet_free(p);
	pet_free(p);
}

/* Does @mistake, made in a child, end it by @signal? */
static bool ends_by(void (*mistake)(void), int signal)
{
	static const struct rlimit no_core;
	int status;
	pid_t child = fork();

	if (child < 0)
		err(EXIT_FAILURE, "fork");
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		mistake();
		_exit(EXIT_SUCCESS);
	}
	if (waitpid(child, &status, 0) < 0)
		err(EXIT_FAILURE, "waitpid");
	return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

static void make_mistakes(void)
{
	step("Mistakes, each in a child");
	check(ends_by(read_freed_memory, SIGSEGV),
	      "reading freed memory is a segmentation fault");
	check(ends_by(read_between_allocations, SIGSEGV),
	      "so is reading past an allocation's last page");
	check(ends_by(read_null, SIGSEGV), "so is NULL");
	check(ends_by(free_twice, SIGABRT), "freeing twice aborts");
}

int main(void)
{
	step("Connecting");
	if (init_petmem() < 0)
		err(EXIT_FAILURE, "init_petmem");
	check(true, "the module answers");

	use_two_pages();
	reuse_a_hole();
	fill_many_pages();
	overcommit();
	use_the_relatives();
	make_mistakes();

	printf("%s\n", failures ? "Some checks failed." : "All checks passed.");
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
