// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * first-fit.c - where allocations go: into the first hole that is large enough.
 *
 * In the module: petmem_memmap_alloc() in memmap.c.
 */
#include <stdio.h>

#include "example.h"

#define COUNT 6

static struct {
	char name;
	char *addr;
	size_t pages;
} blocks[COUNT];

/* Draw one letter for each page, from the beginning of the region onwards. */
static void draw(const char *what)
{
	char line[] = "....................";
	size_t i, page, at;

	for (i = 0; i < COUNT; i++) {
		if (!blocks[i].addr)
			continue;
		at = ((unsigned long)blocks[i].addr - PETMEM_REGION_START) /
		     PAGE;
		for (page = 0; page < blocks[i].pages; page++)
			line[at + page] = blocks[i].name;
	}
	printf("%-28s |%s\n", what, line);
}

static void take(size_t i, char name, size_t pages)
{
	char what[64];

	blocks[i].name = name;
	blocks[i].pages = pages;
	blocks[i].addr = allocate(pages * PAGE);
	snprintf(what, sizeof(what), "%c = pet_malloc(%zu pages)", name, pages);
	draw(what);
}

static void drop(size_t i)
{
	char what[64];

	pet_free(blocks[i].addr);
	blocks[i].addr = NULL;
	snprintf(what, sizeof(what), "pet_free(%c)", blocks[i].name);
	draw(what);
}

int main(void)
{
	connect_petmem();
	take(0, 'A', 3);
	take(1, 'B', 5);
	take(2, 'C', 2);
	drop(1); /* leaves a hole of 5 */
	take(3, 'D', 2); /* fits into it: the first hole */
	take(4, 'E', 4); /* does not fit into the 3 that are left */
	take(5, 'F', 3); /* does: exactly */
	drop(0);
	drop(3); /* two holes beside each other become one */
	take(0, 'G', 5);
	return 0;
}
