// SPDX-License-Identifier: GPL-2.0
/*
 * touch.c - first touches, and the cost of getting memory and giving it back.
 */
#include "clock.h"
#include "rows.h"

/* One value takes at least this many pages, to even out the timer's interrupts. */
#define MANY_PAGES 4096
#define MANY_TOUCHES 1024
#define LARGE_TOUCHES 64
#define MANY_CALLS 1024

static const size_t touch_sizes[] = {
	4 * KIB, 64 * KIB, LARGE_PAGE, 16 * MIB, 256 * MIB, GIB,
};

static const size_t call_sizes[] = { 4 * KIB, 64 * KIB, LARGE_PAGE };

#define QUICK_LIMIT (16 * MIB)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool fits(const struct peer *peer, size_t size)
{
	if (quick && size > QUICK_LIMIT)
		return false;
	if (size >= GIB && !(peer->traits & PEER_GIANT))
		return false;
	return !(peer->traits & PEER_LARGE) || size % LARGE_PAGE == 0;
}

static uint64_t touch(char *address)
{
	uint64_t start = clock_read();

	*(volatile char *)address = 1;
	return clock_since(start);
}

/*
 * Isolated touches of 4 KiB. The first in each 2 MiB needs a new table; the second, a
 * long way from it, finds the table there.
 */
void run_touch_one(const struct peer *peer)
{
	size_t count = peer->traits & PEER_LARGE ? LARGE_TOUCHES : MANY_TOUCHES;
	uint64_t with_table = 0, without = 0;
	char *memory = peer->get((count + 1) * LARGE_PAGE);
	char *place = memory + LARGE_PAGE - (uintptr_t)memory % LARGE_PAGE;
	size_t i;

	touch(memory);
	clock_align();
	for (i = 0; i < count; i++, place += LARGE_PAGE) {
		without += touch(place);
		with_table += touch(place + LARGE_PAGE / 2);
	}
	report("touch-new-table", peer, 0, (double)without / count);
	if (!(peer->traits & PEER_LARGE))
		report("touch-one", peer, 0, (double)with_table / count);
}

/* Measure allocating and touching, then freeing, per page. */
static void measure_touch(const struct peer *peer, size_t size)
{
	size_t pages = size / PAGE_SIZE;
	size_t rounds = pages < MANY_PAGES ? MANY_PAGES / pages : 1;
	uint64_t touching = 0, freeing = 0, start;
	size_t i;
	char *memory;

	clock_align();
	for (i = 0; i < rounds; i++) {
		settle(peer);
		start = clock_read();
		memory = peer->get(size);
		touch_pages(memory, size);
		touching += clock_since(start);
		start = clock_read();
		peer->put(memory, size);
		freeing += clock_since(start);
	}
	report("touch", peer, size, (double)touching / rounds / pages);
	report("release", peer, size, (double)freeing / rounds / pages);
}

void run_touch(const struct peer *peer)
{
	size_t i;

	warm_up(peer);
	for (i = 0; i < COUNT_OF(touch_sizes); i++)
		if (fits(peer, touch_sizes[i]))
			measure_touch(peer, touch_sizes[i]);
}

static void measure_calls(const struct peer *peer, size_t size)
{
	uint64_t start;
	size_t i;

	clock_align();
	start = clock_read();
	for (i = 0; i < MANY_CALLS; i++)
		peer->put(peer->get(size), size);
	report("alloc-free", peer, size,
	       (double)clock_since(start) / MANY_CALLS);
}

/* Allocate and free, without a touch. */
void run_alloc_free(const struct peer *peer)
{
	size_t i;

	warm_up(peer);
	for (i = 0; i < COUNT_OF(call_sizes); i++)
		if (fits(peer, call_sizes[i]))
			measure_calls(peer, call_sizes[i]);
}
