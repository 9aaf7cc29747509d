// SPDX-License-Identifier: GPL-2.0 OR MIT
/* pool.c - draw the machine's memory, and what petmem has of it: `petmem pool'. */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "donation.h"
#include "pool.h"

static unsigned long long megabytes(uint64_t bytes)
{
	return bytes / MEGABYTE;
}

static int by_node_and_number(const void *left, const void *right)
{
	const struct block *a = left;
	const struct block *b = right;

	if (a->node != b->node)
		return a->node < b->node ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

static bool in_range(const struct petmem_block *ranges, size_t count,
		     uint64_t address)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (address >= ranges[i].start &&
		    address - ranges[i].start < ranges[i].size)
			return true;
	return false;
}

/* The segment of neighbouring blocks that are all of one kind. */
struct run {
	enum paint paint;
	uint64_t first; /* block number */
	uint64_t count;
};

static void draw_run(struct picture *picture, const struct run *run,
		     uint64_t size)
{
	static const char *const whose[PAINT_COUNT] = {
		[PAINT_POOL] = "petmem's",
		[PAINT_LINUX] = "Linux's",
		[PAINT_OFFLINE] = "offline, nobody's",
	};

	if (run->count)
		picture_segment(picture, run->count * size, run->paint,
				"%llu MB from memory%llu on: %s",
				megabytes(run->count * size),
				(unsigned long long)run->first,
				whose[run->paint]);
}

/* One row: the blocks of a node. Holes between blocks are not drawn. */
static void draw_node(struct picture *picture, const struct block *block,
		      const struct block *end, uint64_t size,
		      const struct petmem_block *ranges, size_t count)
{
	struct run run = { .count = 0 };
	uint64_t taken = 0, linux_has = 0;
	enum paint paint;

	if (block->node == BLOCK_NODE_UNKNOWN)
		picture_row(picture, "all nodes");
	else
		picture_row(picture, "node %d", block->node);
	for (; block < end; block++) {
		if (in_range(ranges, count, block->number * size))
			paint = PAINT_POOL;
		else
			paint = block->online ? PAINT_LINUX : PAINT_OFFLINE;
		taken += paint == PAINT_POOL ? size : 0;
		linux_has += paint == PAINT_LINUX ? size : 0;
		if (run.count && run.paint == paint &&
		    run.first + run.count == block->number) {
			run.count++;
			continue;
		}
		draw_run(picture, &run, size);
		run = (struct run){ paint, block->number, 1 };
	}
	draw_run(picture, &run, size);
	picture_note(picture, "%llu MB Linux, %llu MB petmem",
		     megabytes(linux_has), megabytes(taken));
}

static void draw_nodes(struct picture *picture, const struct blocks *blocks,
		       const struct petmem_block *ranges, size_t count)
{
	struct block *list = blocks->list;
	size_t first = 0, next;

	qsort(list, blocks->count, sizeof(*list), by_node_and_number);
	picture_heading(picture, "Memory blocks of %llu MB, by NUMA node",
			megabytes(blocks->size));
	for (; first < blocks->count; first = next) {
		next = first + 1;
		while (next < blocks->count &&
		       list[next].node == list[first].node)
			next++;
		draw_node(picture, list + first, list + next, blocks->size,
			  ranges, count);
	}
}

static void draw_range(struct picture *picture,
		       const struct petmem_block *range)
{
	uint64_t pages = range->size / PETMEM_PAGE_SIZE;
	uint64_t used = pages - range->free_pages;

	picture_row(picture, "0x%llx node %d", range->start, range->node);
	picture_segment(picture, used, PAINT_DATA, "%llu pages in use",
			(unsigned long long)used);
	picture_segment(picture, range->free_pages, PAINT_FREE,
			"%llu pages free", range->free_pages);
	picture_note(picture, "%llu of %llu pages used",
		     (unsigned long long)used, (unsigned long long)pages);
}

struct picture *pool_picture(int device, const struct blocks *blocks)
{
	struct petmem_block *ranges;
	struct picture *picture;
	size_t count, i;
	int err = device_ranges(device, &ranges, &count);

	if (err) {
		warnx("%s: %s", PETMEM_DEVICE, strerror(-err));
		return NULL;
	}
	picture = picture_new("petmem pool: physical memory");
	if (!picture)
		warn("picture");
	draw_nodes(picture, blocks, ranges, count);
	if (count)
		picture_heading(picture, "Donated ranges");
	for (i = 0; i < count; i++)
		draw_range(picture, &ranges[i]);
	free(ranges);
	return picture;
}
