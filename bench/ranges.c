// SPDX-License-Identifier: GPL-2.0
/*
 * ranges.c - the allocator at scale: what an allocation, a free and a fault cost beside
 * many live ranges, and in a pool that is full and fragmented.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../petmem.h"
#include "clock.h"
#include "rows.h"

#define MOST_RANGES 100000
#define QUICK_RANGES 1000
#define SAMPLES 512

/* Any odd number far from the powers of two: its steps visit the ranges out of order. */
#define STRIDE 7919

/* Look at the pool after this many allocations, which may need a table or two. */
#define CHUNK 500

static char *range[2 * MOST_RANGES];

/*
 * Make ranges of a page, with a hole of a page after each: allocate twice as many and
 * free every other one. Linux would merge ranges that lie side by side.
 */
static void make_ranges(const struct peer *peer, size_t from, size_t count)
{
	size_t i;

	for (i = 2 * from; i < 2 * count; i++)
		range[i] = peer->get(PAGE_SIZE);
	for (i = 2 * from + 1; i < 2 * count; i += 2) {
		peer->put(range[i], PAGE_SIZE);
		range[i] = NULL;
	}
}

/* Measure the first touch of each new range, out of order. It includes the look-up. */
static void measure_lookup(const struct peer *peer, size_t from, size_t count)
{
	size_t new = count - from, i;
	uint64_t sum = 0, start;

	clock_align();
	for (i = 0; i < new; i++) {
		volatile char *place = range[2 * (from + i * STRIDE % new)];

		start = clock_read();
		*place = 1;
		sum += clock_since(start);
	}
	report("ranges-touch", peer, count, (double)sum / new);
}

/* Fill some of the holes, and make them again. */
static void measure_alloc(const struct peer *peer, size_t count)
{
	static char *filled[SAMPLES];
	size_t samples = count < SAMPLES ? count : SAMPLES, i;
	uint64_t start;

	clock_align();
	start = clock_read();
	for (i = 0; i < samples; i++)
		filled[i] = peer->get(PAGE_SIZE);
	report("ranges-alloc", peer, count,
	       (double)clock_since(start) / samples);
	start = clock_read();
	for (i = 0; i < samples; i++)
		peer->put(filled[i * STRIDE % samples], PAGE_SIZE);
	report("ranges-free", peer, count,
	       (double)clock_since(start) / samples);
}

void run_ranges(const struct peer *peer)
{
	size_t most = quick ? QUICK_RANGES : MOST_RANGES;
	size_t have = 0, count;

	for (count = 100; count <= most; count *= 10) {
		make_ranges(peer, have, count);
		measure_lookup(peer, have, count);
		measure_alloc(peer, count);
		have = count;
	}
}

static void command(unsigned long request, void *argument)
{
	int device = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);

	if (device < 0 || ioctl(device, request, argument))
		err(EXIT_FAILURE, "%s", PETMEM_DEVICE);
	close(device);
}

static uint64_t free_pages(void)
{
	struct petmem_status status;

	command(PETMEM_IOC_STATUS, &status);
	return status.free_pages;
}

/* Take pages in one big range. */
static void take_pages(const struct peer *peer, uint64_t pages)
{
	struct petmem_populate populate = { .size = pages * PAGE_SIZE };

	populate.addr = (uintptr_t)peer->get(populate.size);
	command(PETMEM_IOC_POPULATE, &populate);
}

/* Measure allocating, touching and freeing a page, one after the other. */
static void measure_scattered(const struct peer *peer, const char *row)
{
	uint64_t sum = 0, start;
	size_t i;

	clock_align();
	for (i = 0; i < SAMPLES; i++) {
		char *page;

		start = clock_read();
		page = peer->get(PAGE_SIZE);
		*(volatile char *)page = 1;
		peer->put(page, PAGE_SIZE);
		sum += clock_since(start);
	}
	report(row, peer, 0, (double)sum / SAMPLES);
}

/*
 * Measure that in a pool that is all free, and in one in which only single pages are: one
 * big range takes most of it, many small ones take the rest, and every other one of those
 * is freed.
 */
void run_full_pool(const struct peer *peer)
{
	size_t big, count, i;

	measure_scattered(peer, "pool-empty");
	/* The tables take a page in 512, and some more. */
	big = free_pages() - MOST_RANGES;
	take_pages(peer, big - big / 256);
	for (count = 0; free_pages() > CHUNK && count < MOST_RANGES;
	     count += CHUNK)
		for (i = count; i < count + CHUNK; i++) {
			range[i] = peer->get(PAGE_SIZE);
			*(volatile char *)range[i] = 1;
		}
	for (i = 1; i < count; i += 2)
		peer->put(range[i], PAGE_SIZE);
	measure_scattered(peer, "pool-full");
}
