// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * cow.c - copy-on-write, seen in the counts of pages.
 *
 * In the module: petmem_cow_fork() and petmem_cow_break() in cow.c.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "example.h"

#define PAGES 100

static int device;

static void count(const char *when)
{
	struct petmem_status pool = pool_counts(device);

	printf("%-44s %4llu data %3llu tables %3llu copies\n", when,
	       pool.data_pages, pool.table_pages, own_counts(device).copies);
	fflush(stdout);
}

static void touch(char *memory, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++)
		memory[i * PAGE]++;
}

static void child(char *memory)
{
	count("child: born; everything is shared");
	if (memory[99 * PAGE] != 1)
		errx(EXIT_FAILURE, "not what the parent wrote");
	count("child: has read; nothing changes");
	touch(memory, 1);
	count("child: 1 page written, and 3 tables copied");
	touch(memory, 10);
	count("child: 10 pages written");
	_exit(EXIT_SUCCESS);
}

int main(void)
{
	char *memory;

	device = connect_petmem();
	memory = allocate(PAGES * PAGE);
	touch(memory, PAGES);
	count("parent: 100 pages written");
	if (!fork())
		child(memory);
	wait(NULL);
	count("parent: the child has ended");
	touch(memory, PAGES);
	count("parent: all written again, without a copy");
	return 0;
}
