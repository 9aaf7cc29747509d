/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rows.h - what is measured. A row is run for each peer that it concerns, each time in
 * a process of its own, and reports values.
 */
#ifndef BENCH_ROWS_H
#define BENCH_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "peers.h"

struct row {
	const char *name;
	/* The traits that a peer has to have, and those it may not have. */
	unsigned int wanted;
	unsigned int unwanted;
	/* Left out of a quick run. */
	bool slow;
	void (*run)(const struct peer *peer);
};

/* A quick run is for the regression check: smaller sizes, nothing that takes long. */
extern bool quick;

/*
 * Report one value of @row for @peer: @x is a size in bytes or a number of ranges or
 * threads, or 0 if none matters. bench/report knows the unit by the row's name.
 */
void report(const char *row, const struct peer *peer, uint64_t x, double value);

/* touch.c */
void run_touch_one(const struct peer *peer);
void run_touch(const struct peer *peer);
void run_alloc_free(const struct peer *peer);

/* ranges.c */
void run_ranges(const struct peer *peer);
void run_full_pool(const struct peer *peer);

/* fork.c */
void run_fork(const struct peer *peer);
void run_fork_exit(const struct peer *peer);
void run_fork_ranges(const struct peer *peer);
void run_fork_write(const struct peer *peer);

/* overhead.c */
void run_overhead(const struct peer *peer);

/* Write a byte at every multiple of @step. */
static inline void touch_every(char *memory, size_t size, size_t step)
{
	size_t offset;

	for (offset = 0; offset < size; offset += step)
		*(volatile char *)(memory + offset) = 1;
}

/* Write one byte of each page. */
static inline void touch_pages(char *memory, size_t size)
{
	touch_every(memory, size, PAGE_SIZE);
}

/* Get over the first allocation and touch, which cost a process more than later ones. */
static inline void warm_up(const struct peer *peer)
{
	char *memory = peer->get(LARGE_PAGE);

	touch_pages(memory, PAGE_SIZE);
	peer->put(memory, LARGE_PAGE);
}

static inline void settle(const struct peer *peer)
{
	if (peer->settle)
		peer->settle();
}

#endif /* BENCH_ROWS_H */
