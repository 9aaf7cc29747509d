// SPDX-License-Identifier: GPL-2.0 OR MIT
/* pool_picture.c - draw the machine's memory, and what petmem has of it: `petmem pool'. */

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "device.h"
#include "pool_picture.h"
#include "transfer.h"

/* A range is drawn in at most this many parts. */
#define MAX_PARTS 256

/* More than there are orders of free blocks. */
#define ORDERS 32

/* Free blocks of at least this order can be 2 MiB pages. */
#define ORDER_LARGE 9

#define KINDS (PETMEM_RUN_BAD + 1)

static const struct {
	enum paint paint;
	const char *name;
} kinds[KINDS] = {
	[PETMEM_RUN_FREE] = { PAINT_FREE, "free" },
	[PETMEM_RUN_TABLE] = { PAINT_TABLE, "as page tables" },
	[PETMEM_RUN_DATA] = { PAINT_DATA, "as 4 KiB pages" },
	[PETMEM_RUN_LARGE] = { PAINT_LARGE, "as 2 MiB pages" },
	[PETMEM_RUN_BAD] = { PAINT_BAD, "bad" },
};

/* How many free buddy blocks there are of each order, if that is known. */
struct free_blocks {
	bool known;
	uint64_t count[ORDERS];
};

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

/* Neighbouring blocks of one kind, drawn as one segment. */
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

/* A part of a range: neighbouring runs. */
struct part {
	uint64_t size;
	uint64_t share[KINDS];
};

/* What most of it is used for; free if none of it is in use. */
static unsigned int kind_of(const struct part *part)
{
	unsigned int kind, best = PETMEM_RUN_FREE;

	for (kind = PETMEM_RUN_FREE + 1; kind < KINDS; kind++)
		if (part->share[kind] &&
		    (best == PETMEM_RUN_FREE ||
		     part->share[kind] > part->share[best]))
			best = kind;
	return best;
}

static void draw_part(struct picture *picture, const struct part *part)
{
	unsigned long long pages = part->size / PETMEM_PAGE_SIZE;
	unsigned long long free_pages =
		part->share[PETMEM_RUN_FREE] / PETMEM_PAGE_SIZE;
	unsigned int kind = kind_of(part);

	if (kind == PETMEM_RUN_FREE)
		picture_segment(picture, pages, kinds[kind].paint,
				"%llu pages free", pages);
	else
		picture_segment(picture, pages, kinds[kind].paint,
				"%llu of %llu pages in use, most %s",
				pages - free_pages, pages, kinds[kind].name);
}

static bool is_alike(const struct part *part, const struct petmem_run *run)
{
	return part->share[run->kind] == part->size;
}

/*
 * Draw what each part of a range is used for. Others may take and free pages meanwhile.
 * Returns 0 or a negative errno; after EPERM nothing is drawn.
 */
static int draw_runs(struct picture *picture, int device,
		     const struct petmem_block *range,
		     struct free_blocks *blocks)
{
	uint64_t addr = range->start, end = addr + range->size;
	uint64_t least = range->size / MAX_PARTS;
	struct part part = { .size = 0 };
	struct petmem_run run;

	for (; addr < end; addr += run.size) {
		run = (struct petmem_run){ .addr = addr };
		if (ioctl(device, PETMEM_IOC_RUN, &run))
			return -errno;
		if (part.size >= least && !is_alike(&part, &run)) {
			draw_part(picture, &part);
			part = (struct part){ .size = 0 };
		}
		part.size += run.size;
		part.share[run.kind] += run.size;
		if (run.kind == PETMEM_RUN_FREE)
			blocks->count[run.order % ORDERS]++;
	}
	draw_part(picture, &part);
	return 0;
}

/* Draw only how much is in use, for a caller who may not see what for. */
static void draw_amounts(struct picture *picture,
			 const struct petmem_block *range)
{
	uint64_t used = range->size / PETMEM_PAGE_SIZE - range->free_pages;

	picture_segment(picture, used, PAINT_DATA, "%llu pages in use",
			(unsigned long long)used);
	picture_segment(picture, range->free_pages, PAINT_FREE,
			"%llu pages free", range->free_pages);
}

/* Returns 0 or a negative errno. */
static int draw_range(struct picture *picture, int device,
		      const struct petmem_block *range,
		      struct free_blocks *blocks)
{
	uint64_t pages = range->size / PETMEM_PAGE_SIZE;
	int err;

	picture_row(picture, "0x%llx node %d", range->start, range->node);
	picture_note(picture, "%llu of %llu pages used",
		     (unsigned long long)(pages - range->free_pages),
		     (unsigned long long)pages);
	err = blocks->known ? draw_runs(picture, device, range, blocks)
			    : -EPERM;
	if (err == -EPERM) {
		blocks->known = false;
		draw_amounts(picture, range);
		return 0;
	}
	return err;
}

/* Draw how fragmented the free memory is: a row for each size of block. */
static void draw_free(struct picture *picture, const struct free_blocks *blocks)
{
	uint64_t all = 0, small = 0, pages;
	unsigned int order;

	for (order = 0; order < ORDERS; order++) {
		all += blocks->count[order] << order;
		if (order < ORDER_LARGE)
			small += blocks->count[order] << order;
	}
	if (!blocks->known || !all)
		return;
	picture_heading(
		picture,
		"Free memory, by buddy order; %llu%% is in blocks below 2 MiB",
		(unsigned long long)(small * 100 / all));
	for (order = 0; order < ORDERS; order++) {
		pages = blocks->count[order] << order;
		if (!pages)
			continue;
		if (order < ORDER_LARGE - 1)
			picture_row(picture, "order %u, %u KiB", order,
				    4U << order);
		else
			picture_row(picture, "order %u, %u MiB", order,
				    1U << (order - ORDER_LARGE + 1));
		picture_segment(picture, pages, PAINT_FREE, "%llu pages",
				(unsigned long long)pages);
		picture_note(picture, "%llu block%s",
			     (unsigned long long)blocks->count[order],
			     blocks->count[order] > 1 ? "s" : "");
	}
}

/* Returns 0 or a negative errno. */
static int draw_ranges(struct picture *picture, int device,
		       const struct petmem_block *ranges, size_t count)
{
	struct free_blocks blocks = { .known = true };
	size_t i;
	int err = 0;

	if (count)
		picture_heading(picture, "Donated ranges");
	for (i = 0; i < count && !err; i++)
		err = draw_range(picture, device, &ranges[i], &blocks);
	if (!err)
		draw_free(picture, &blocks);
	return err;
}

struct picture *pool_picture(int device, const struct blocks *blocks)
{
	struct petmem_block *ranges;
	struct picture *picture;
	size_t count;
	int err = device_ranges(device, &ranges, &count);

	if (err) {
		warnx("%s: %s", PETMEM_DEVICE, strerror(-err));
		return NULL;
	}
	picture = picture_new("petmem pool: physical memory");
	if (!picture)
		warn("picture");
	draw_nodes(picture, blocks, ranges, count);
	err = draw_ranges(picture, device, ranges, count);
	free(ranges);
	if (!err)
		return picture;
	warnx("%s: %s", PETMEM_DEVICE, strerror(-err));
	picture_free(picture);
	return NULL;
}
