// SPDX-License-Identifier: GPL-2.0
/* proc.c - operations: files of /proc about the other side's memory. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "operation.h"

/* Newer than some C libraries' headers: Linux 6.7. */
struct scan {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;
	uint64_t vec;
	uint64_t vec_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

struct scan_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

#define SCAN _IOWR('f', 16, struct scan)
#define SCAN_FLAGS 4
#define SCAN_CATEGORIES 256

/* Returns -1 when the process has ended, or may not be looked at. */
static int open_of(struct side *side, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", side->process, name);
	return open(path, flags | O_CLOEXEC);
}

static void read_all_of(struct side *side, const char *name)
{
	char buffer[4 * PAGE];
	int file = open_of(side, name, O_RDONLY);

	if (file < 0)
		return;
	while (read(file, buffer, sizeof(buffer)) > 0)
		;
	close(file);
}

void run_smaps(struct side *side)
{
	read_all_of(side, draw(side, 2) ? "smaps" : "smaps_rollup");
}

void run_numa_maps(struct side *side)
{
	read_all_of(side, "numa_maps");
}

void run_pagemap(struct side *side)
{
	uint64_t entries[512];
	int file = open_of(side, "pagemap", O_RDONLY);
	uintptr_t address = (uintptr_t)slot_address(slot_draw(side));

	if (file < 0)
		return;
	(void)!pread(file, entries, sizeof(entries),
		     address / PAGE * sizeof(entries[0]));
	close(file);
}

void run_clear_refs(struct side *side)
{
	char what = '1' + draw(side, 5);
	int file = open_of(side, "clear_refs", O_WRONLY);

	if (file < 0)
		return;
	(void)!write(file, &what, sizeof(what));
	close(file);
}

void run_mem(struct side *side)
{
	uintptr_t address = (uintptr_t)word_for_calls(side, slot_draw(side));
	int file = open_of(side, "mem", O_RDWR);
	uint64_t word;

	if (file < 0)
		return;
	if (pread(file, &word, sizeof(word), address) == sizeof(word))
		(void)!pwrite(file, &word, sizeof(word), address);
	close(file);
}

void run_scan(struct side *side)
{
	struct scan_region found[16];
	uintptr_t start = (uintptr_t)scene.sparse;
	struct scan scan = {
		.size = sizeof(scan),
		.flags = draw(side, SCAN_FLAGS),
		.start = start,
		.end = start + (draw(side, 2) ? GIB : PETMEM_REGION_SIZE),
		.vec = (uintptr_t)found,
		.vec_len = COUNT_OF(found),
		.category_inverted =
			draw(side, 2) ? draw(side, SCAN_CATEGORIES) : 0,
		.category_anyof_mask = draw(side, SCAN_CATEGORIES),
		.return_mask = draw(side, SCAN_CATEGORIES),
	};
	int file = open_of(side, "pagemap", O_RDONLY);

	if (file < 0)
		return;
	ioctl(file, SCAN, &scan);
	close(file);
}
