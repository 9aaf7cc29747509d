// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * large-pages.c - how large are the pages that a fault brings?
 *
 * Writes to every 4 KiB of 8 MiB, counts the faults and looks where the walk ends.
 */
#include <stdint.h>
#include <stdio.h>

#include "example.h"

#define SIZE (8UL << 20)

int main(void)
{
	int device = connect_petmem();
	char *memory = allocate(SIZE);
	struct petmem_walk walk = { .addr = (uintptr_t)memory + SIZE / 2 };
	size_t i;

	for (i = 0; i < SIZE; i += PAGE)
		memory[i] = 1;
	if (ioctl(device, PETMEM_IOC_WALK, &walk))
		err(EXIT_FAILURE, "walk");
	printf("%lu KiB written: %llu faults, %llu pages used for tables\n",
	       SIZE >> 10, own_counts(device).faults,
	       pool_counts(device).table_pages);
	printf("a page has %llu KiB\n",
	       (1ULL << walk.level[walk.nr - 1].shift) >> 10);
	return 0;
}
