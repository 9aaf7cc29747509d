// SPDX-License-Identifier: GPL-2.0
/*
 * overhead.c - how much of Linux's memory the module needs for each donated page: the
 * difference in Linux's free pages before and after taking back every donated block.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../petmem.h"
#include "rows.h"

#define MOST_BLOCKS 256

static struct petmem_extent extent[MOST_BLOCKS];

/* Linux's free pages: those of its zones, and those in the processors' lists. */
static long free_in_linux(void)
{
	FILE *zones = fopen("/proc/zoneinfo", "r");
	long sum = 0, pages;
	char line[256];

	if (!zones)
		err(EXIT_FAILURE, "/proc/zoneinfo");
	while (fgets(line, sizeof(line), zones))
		if (sscanf(line, " nr_free_pages %ld", &pages) == 1 ||
		    sscanf(line, " count: %ld", &pages) == 1)
			sum += pages;
	fclose(zones);
	return sum;
}

static void command(int device, unsigned long request, void *argument)
{
	if (ioctl(device, request, argument))
		err(EXIT_FAILURE, "%s", PETMEM_DEVICE);
}

static size_t find_blocks(int device, uint64_t *pages)
{
	struct petmem_block block = { 0 };
	size_t count = 0;

	while (count < MOST_BLOCKS &&
	       ioctl(device, PETMEM_IOC_BLOCK, &block) == 0) {
		extent[count].start = block.start;
		extent[count].size = block.size;
		*pages += block.size / PAGE_SIZE;
		block = (struct petmem_block){ .index = ++count };
	}
	return count;
}

void run_overhead(const struct peer *peer)
{
	int device = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);
	uint64_t pages = 0;
	size_t count, i;
	long with, without;

	if (device < 0)
		err(EXIT_FAILURE, "%s", PETMEM_DEVICE);
	count = find_blocks(device, &pages);
	if (!count)
		errx(EXIT_FAILURE, "no memory is donated");
	with = free_in_linux();
	for (i = 0; i < count; i++)
		command(device, PETMEM_IOC_RELEASE, &extent[i]);
	without = free_in_linux();
	for (i = 0; i < count; i++)
		command(device, PETMEM_IOC_DONATE, &extent[i]);
	report("metadata", peer, 0,
	       (double)(without - with) * PAGE_SIZE / pages);
	close(device);
}
