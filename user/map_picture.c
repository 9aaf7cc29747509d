// SPDX-License-Identifier: GPL-2.0 OR MIT
/* map_picture.c - draw a process's region: `petmem map'. */

#define _GNU_SOURCE /* reallocarray */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "device.h"
#include "map_picture.h"
#include "proc.h"

#define KINDS (PETMEM_SPAN_GIANT_SHARED + 1)
#define LARGE_PAGE (2ULL << 20)
#define GIANT_PAGE (1ULL << 30)

/* At most this many allocations have a row, each of at most this many parts. */
#define MAX_ROWS 64
#define MAX_PARTS 256

#define NOTE_MAX 32

static const struct {
	enum paint paint;
	const char *name;
} kinds[KINDS] = {
	[PETMEM_SPAN_HOLE] = { PAINT_HOLE, "hole" },
	[PETMEM_SPAN_UNTOUCHED] = { PAINT_UNTOUCHED, "untouched" },
	[PETMEM_SPAN_PAGES] = { PAINT_DATA, "4 KiB pages" },
	[PETMEM_SPAN_SHARED] = { PAINT_SHARED, "4 KiB pages, shared" },
	[PETMEM_SPAN_LARGE] = { PAINT_LARGE, "2 MiB pages" },
	[PETMEM_SPAN_LARGE_SHARED] = { PAINT_SHARED, "2 MiB pages, shared" },
	[PETMEM_SPAN_GUARD] = { PAINT_GUARD, "guard page" },
	[PETMEM_SPAN_GIANT] = { PAINT_LARGE, "1 GiB pages" },
	[PETMEM_SPAN_GIANT_SHARED] = { PAINT_SHARED, "1 GiB pages, shared" },
};

struct spans {
	struct petmem_span *list;
	size_t count;
};

/* Whole pages, in the largest unit that has no fraction. */
struct amount {
	unsigned long long number;
	const char *unit;
};

static struct amount amount(uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	unsigned long long number = bytes >> 10;
	size_t i = 0;

	while (number && !(number & 1023) &&
	       i + 1 < sizeof(units) / sizeof(*units)) {
		number >>= 10;
		i++;
	}
	return (struct amount){ number, units[i] };
}

/* Add a span. One that continues the last one becomes part of it. */
static bool add_span(struct spans *spans, const struct petmem_span *span)
{
	struct petmem_span *last =
		spans->count ? &spans->list[spans->count - 1] : NULL;
	struct petmem_span *longer;

	if (last && last->range_start == span->range_start &&
	    last->kind == span->kind) {
		last->size += span->size;
		return true;
	}
	longer = reallocarray(spans->list, spans->count + 1, sizeof(*longer));
	if (!longer)
		return false;
	spans->list = longer;
	longer[spans->count++] = *span;
	return true;
}

/* Returns 0 or a negative errno. The process may change its memory meanwhile. */
static int read_spans(int device, unsigned int pid, struct spans *spans)
{
	struct petmem_span span;
	uint64_t addr = PETMEM_REGION_START;

	for (; addr < PETMEM_REGION_END; addr += span.size) {
		span = (struct petmem_span){ .addr = addr, .pid = pid };
		if (ioctl(device, PETMEM_IOC_SPAN, &span))
			return -errno;
		if (!add_span(spans, &span))
			return -ENOMEM;
	}
	return 0;
}

/* The first span after those of the same allocation or hole. */
static const struct petmem_span *range_end(const struct petmem_span *span,
					   const struct petmem_span *end)
{
	const struct petmem_span *next = span;

	while (next < end && next->range_start == span->range_start)
		next++;
	return next;
}

/* Everything up to the last allocation, as one row. */
static void draw_overview(struct picture *picture,
			  const struct petmem_span *span,
			  const struct petmem_span *end)
{
	const struct petmem_span *next;
	struct amount size;
	bool hole;

	picture_heading(picture, "The region, as far as it is used");
	picture_row(picture, "0x%llx", PETMEM_REGION_START);
	for (; span < end; span = next) {
		next = range_end(span, end);
		hole = span->kind == PETMEM_SPAN_HOLE;
		if (hole && next == end)
			break;
		size = amount(span->range_size);
		picture_segment(picture, span->range_size,
				hole ? PAINT_HOLE : PAINT_POOL,
				"0x%llx: %llu %s %s", span->range_start,
				size.number, size.unit,
				hole ? "hole" : "allocated");
	}
}

/* A part of a row: neighbouring spans that are too short to be drawn one by one. */
struct part {
	uint64_t size;
	uint64_t share[KINDS];
};

/* The kind of most of its pages; untouched if it has none. */
static unsigned int kind_of(const struct part *part)
{
	unsigned int kind, best = PETMEM_SPAN_UNTOUCHED;

	for (kind = PETMEM_SPAN_PAGES; kind < KINDS; kind++)
		if (part->share[kind] &&
		    (best == PETMEM_SPAN_UNTOUCHED ||
		     part->share[kind] > part->share[best]))
			best = kind;
	return best;
}

static void draw_run(struct picture *picture, uint64_t size, unsigned int kind)
{
	picture_segment(picture, size, kinds[kind].paint,
			"%llu pages, of those that are there most are %s",
			(unsigned long long)(size / PETMEM_PAGE_SIZE),
			kinds[kind].name);
}

/* Draw more spans than MAX_PARTS in parts. Neighbours of one kind are drawn as one. */
static void draw_parts(struct picture *picture, const struct petmem_span *span,
		       const struct petmem_span *end)
{
	uint64_t least = span->range_size / MAX_PARTS, run = 0;
	unsigned int kind = PETMEM_SPAN_UNTOUCHED;
	struct part part = { .size = 0 };

	for (; span < end; span++) {
		part.size += span->size;
		part.share[span->kind] += span->size;
		if (part.size < least && span + 1 < end)
			continue;
		if (run && kind_of(&part) != kind) {
			draw_run(picture, run, kind);
			run = 0;
		}
		kind = kind_of(&part);
		run += part.size;
		part = (struct part){ .size = 0 };
	}
	draw_run(picture, run, kind);
}

static void draw_spans(struct picture *picture, const struct petmem_span *span,
		       const struct petmem_span *end)
{
	if (end - span > MAX_PARTS) {
		draw_parts(picture, span, end);
		return;
	}
	for (; span < end; span++)
		picture_segment(picture, span->size, kinds[span->kind].paint,
				"0x%llx: %llu pages, %s", span->addr,
				span->size / PETMEM_PAGE_SIZE,
				kinds[span->kind].name);
}

/* Note how many pages of each size there are, and how much of them is shared. */
static void note_pages(struct picture *picture, const uint64_t share[KINDS])
{
	uint64_t small = share[PETMEM_SPAN_PAGES] + share[PETMEM_SPAN_SHARED];
	uint64_t large =
		share[PETMEM_SPAN_LARGE] + share[PETMEM_SPAN_LARGE_SHARED];
	uint64_t giant =
		share[PETMEM_SPAN_GIANT] + share[PETMEM_SPAN_GIANT_SHARED];
	uint64_t shared = share[PETMEM_SPAN_SHARED] +
			  share[PETMEM_SPAN_LARGE_SHARED] +
			  share[PETMEM_SPAN_GIANT_SHARED];
	uint64_t all = small + large + giant;
	char of_large[NOTE_MAX] = "", of_giant[NOTE_MAX] = "";

	if (large)
		snprintf(of_large, sizeof(of_large), " + %llu x 2M",
			 (unsigned long long)(large / LARGE_PAGE));
	if (giant)
		snprintf(of_giant, sizeof(of_giant), " + %llu x 1G",
			 (unsigned long long)(giant / GIANT_PAGE));
	picture_note(picture, "%llu x 4K%s%s, %llu%% shared",
		     (unsigned long long)(small / PETMEM_PAGE_SIZE), of_large,
		     of_giant,
		     (unsigned long long)(all ? shared * 100 / all : 0));
}

static void draw_allocation(struct picture *picture,
			    const struct petmem_span *span,
			    const struct petmem_span *end)
{
	struct amount size = amount(span->range_size);
	uint64_t share[KINDS] = { 0 };
	const struct petmem_span *next;

	for (next = span; next < end; next++)
		share[next->kind] += next->size;
	picture_row(picture, "0x%llx %llu %s", span->range_start, size.number,
		    size.unit);
	picture_stretch(picture);
	draw_spans(picture, span, end);
	note_pages(picture, share);
}

static void draw_allocations(struct picture *picture,
			     const struct petmem_span *span,
			     const struct petmem_span *end)
{
	const struct petmem_span *next;
	size_t rows = 0, left = 0;

	picture_heading(picture, "Allocations, each with a scale of its own");
	for (; span < end; span = next) {
		next = range_end(span, end);
		if (span->kind == PETMEM_SPAN_HOLE)
			continue;
		if (rows == MAX_ROWS) {
			left++;
			continue;
		}
		rows++;
		draw_allocation(picture, span, next);
	}
	if (left)
		picture_heading(picture, "and %zu more", left);
	else if (!rows)
		picture_heading(picture, "none");
}

struct picture *map_picture(int device, unsigned int pid)
{
	struct spans spans = { .list = NULL };
	struct picture *picture = NULL;
	char title[PROC_NAME_MAX * 2];
	char name[PROC_NAME_MAX];
	int err = read_spans(device, pid, &spans);

	if (err == -EPERM)
		warnx("process %u: only root may look at another process's page tables",
		      pid);
	else if (err == -ENOENT)
		warnx("process %u does not use petmem", pid);
	else if (err)
		warnx("process %u: %s", pid, strerror(-err));
	if (!err) {
		proc_name(pid, name);
		snprintf(title, sizeof(title), "petmem map: process %u (%s)",
			 pid, name);
		picture = picture_new(title);
		if (!picture)
			warn("picture");
		draw_overview(picture, spans.list, spans.list + spans.count);
		draw_allocations(picture, spans.list, spans.list + spans.count);
	}
	free(spans.list);
	return picture;
}
