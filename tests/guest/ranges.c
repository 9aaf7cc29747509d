// SPDX-License-Identifier: GPL-2.0
/* ranges.c - allocating, touching and freeing, in one process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

static void two_pages(void)
{
	char *p;

	connect_petmem();
	p = must_malloc(2 * PAGE);
	CHECK(p == REGION);
	strcpy(p + 50, "Hello from petmem");
	CHECK(strcmp(p + 50, "Hello from petmem") == 0);
	CHECK(is_zero(p + PAGE, PAGE));
	pet_free(p);
	CHECK(faults(p + 50, READ));
	CHECK(faults(p + 50, WRITE));
	CHECK(faults(p + PAGE, READ));
}

static void three_pages(void)
{
	char *p[3];

	connect_petmem();
	for (int i = 0; i < 3; i++) {
		p[i] = must_malloc(PAGE);
		CHECK(p[i] == REGION + i * PAGE);
		fill(p[i], PAGE, i);
	}
	pet_free(p[1]);
	CHECK(faults(p[1], READ));
	CHECK(holds(p[0], PAGE, 0) && holds(p[2], PAGE, 2));
	pet_free(p[0]);
	CHECK(faults(p[0], READ));
	CHECK(holds(p[2], PAGE, 2));
	pet_free(p[2]);
	CHECK(faults(p[2], READ));
	/* Only a hole of the whole region has room for this. */
	CHECK(pet_malloc(PETMEM_REGION_SIZE) == REGION);
}

/* The pool's state after the process has touched and freed something. */
static struct petmem_status touched_and_freed(void)
{
	char *p = must_malloc(PAGE);

	*p = 1;
	pet_free(p);
	return pool_status();
}

static void across_a_table(void)
{
	struct petmem_status idle, full;
	char *p;

	connect_petmem();
	idle = touched_and_freed();
	p = must_malloc(513 * PAGE);
	for (size_t i = 0; i < 513; i++)
		fill(p + i * PAGE, PAGE, i);
	for (size_t i = 0; i < 513; i++)
		CHECK(holds(p + i * PAGE, PAGE, i));
	full = pool_status();
	CHECK(full.data_pages == idle.data_pages + 513);
	CHECK(full.table_pages >= idle.table_pages + 2);
	CHECK(full.total_pages ==
	      full.free_pages + full.table_pages + full.data_pages);
	pet_free(p);
	full = pool_status();
	CHECK(full.data_pages == idle.data_pages);
	CHECK(full.table_pages == idle.table_pages);
	CHECK(faults(p + 512 * PAGE, READ));
}

/* The last page under a table takes the table with it, and nothing else. */
static void empty_table(void)
{
	struct petmem_status both, one;
	char *low, *high;

	connect_petmem();
	low = must_malloc(512 * PAGE);
	high = must_malloc(PAGE);
	low[511 * PAGE] = 1;
	*high = 2;
	both = pool_status();
	pet_free(high);
	one = pool_status();
	CHECK(one.table_pages == both.table_pages - 1);
	CHECK(one.data_pages == both.data_pages - 1);
	CHECK(low[511 * PAGE] == 1);
	CHECK(faults(high, READ));
}

/* Freeing skips untouched memory, however much of it there is. */
static void sparse(void)
{
	struct petmem_status idle, after;
	char *p;

	connect_petmem();
	idle = touched_and_freed();
	p = must_malloc(64 * GIB);
	for (size_t offset = 0; offset < 64 * GIB; offset += 3 * GIB)
		p[offset] = 1;
	p[64 * GIB - 1] = 1;
	pet_free(p);
	after = pool_status();
	CHECK(after.data_pages == idle.data_pages);
	CHECK(after.table_pages == idle.table_pages);
	CHECK(faults(p + 64 * GIB - 1, READ));
	CHECK(faults(p + 3 * GIB, READ));
}

static void mixed_sizes(void)
{
	static const size_t sizes[] = { 8192, 2176353, 4096, 40960, 234 };
	char *p[COUNT_OF(sizes)];
	char *expected = REGION;

	connect_petmem();
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		p[i] = must_malloc(sizes[i]);
		CHECK(p[i] == expected);
		expected += (sizes[i] + PAGE - 1) / PAGE * PAGE;
		fill(p[i], sizes[i], i);
	}
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		CHECK(holds(p[i], sizes[i], i));
	pet_free(p[1]);
	CHECK(pet_malloc(sizes[4]) == p[1]);
	CHECK(is_zero(p[1], PAGE));
	CHECK(holds(p[0], sizes[0], 0) && holds(p[2], sizes[2], 2));
}

static void five_thousand(void)
{
	enum { COUNT = 5000 };
	static char *p[COUNT];
	const size_t size = 8 * PAGE;

	connect_petmem();
	for (size_t i = 0; i < COUNT; i++) {
		p[i] = must_malloc(size);
		*(size_t *)(p[i] + size - sizeof(i)) = i;
	}
	for (size_t i = 0; i < COUNT; i += 2)
		pet_free(p[i]);
	for (size_t i = 1; i < COUNT; i += 2)
		CHECK(*(size_t *)(p[i] + size - sizeof(i)) == i);
	for (size_t i = 0; i < COUNT; i += 2)
		CHECK(pet_malloc(size) == p[i]);
	for (size_t i = 0; i < COUNT; i++)
		pet_free(p[i]);
	CHECK(pet_malloc(PETMEM_REGION_SIZE) == REGION);
}

static void more_than_there_is(void)
{
	char *p;

	connect_petmem();
	errno = 0;
	CHECK(pet_malloc(100000000000000) == NULL && errno == ENOMEM);
	CHECK(pet_malloc(PETMEM_REGION_SIZE + 1) == NULL && errno == ENOMEM);
	p = must_malloc(PETMEM_REGION_SIZE);
	p[0] = 1;
	p[PETMEM_REGION_SIZE - 1] = 2;
	CHECK(p[0] == 1 && p[PETMEM_REGION_SIZE - 1] == 2);
	CHECK(pet_malloc(1) == NULL && errno == ENOMEM);
	pet_free(p);
	CHECK(faults(p + PETMEM_REGION_SIZE - 1, READ));
	CHECK(pet_malloc(1) == REGION);
}

/*
 * The model: live allocations in order of address. First fit is the lowest gap
 * that is large enough.
 */
enum { MODEL_MAX = 64 };

struct live {
	char *start;
	size_t pages;
	uint64_t seed;
};

static struct live live[MODEL_MAX];
static size_t live_count;

static size_t first_fit(size_t pages)
{
	char *gap = REGION;
	size_t i;

	for (i = 0; i < live_count; i++) {
		if (gap + pages * PAGE <= live[i].start)
			break;
		gap = live[i].start + live[i].pages * PAGE;
	}
	memmove(&live[i + 1], &live[i], (live_count - i) * sizeof(live[0]));
	live[i] = (struct live){ .start = gap, .pages = pages };
	live_count++;
	return i;
}

static void forget(size_t i)
{
	live_count--;
	memmove(&live[i], &live[i + 1], (live_count - i) * sizeof(live[0]));
}

static void at_random(void)
{
	uint64_t state = 1;

	connect_petmem();
	for (uint64_t step = 0; step < rounds(5000); step++) {
		size_t i = random_below(&state, MODEL_MAX);

		if (i < live_count) {
			size_t last = (live[i].pages - 1) * PAGE;

			CHECK(holds(live[i].start, PAGE, live[i].seed));
			CHECK(holds(live[i].start + last, PAGE, live[i].seed));
			pet_free(live[i].start);
			CHECK(faults(live[i].start, READ));
			forget(i);
		} else if (live_count < MODEL_MAX - 1) {
			size_t pages = 1 + random_below(&state, 700);
			size_t last = (pages - 1) * PAGE;

			i = first_fit(pages);
			live[i].seed = step;
			CHECK(pet_malloc(pages * PAGE) == live[i].start);
			CHECK(is_zero(live[i].start, PAGE));
			fill(live[i].start, PAGE, step);
			fill(live[i].start + last, PAGE, step);
		}
	}
}

static const struct guest_case cases[] = {
	{ "two pages, a string at offset 50, free, read again", two_pages },
	{ "three pages, freed middle, first, last", three_pages },
	{ "513 pages, across a table boundary", across_a_table },
	{ "a table that became empty is freed", empty_table },
	{ "64 GiB, touched here and there", sparse },
	{ "mixed sizes", mixed_sizes },
	{ "5,000 allocations of 32 KiB", five_thousand },
	{ "10^14 bytes, and all there is", more_than_there_is },
	{ "5,000 random steps against a first-fit model", at_random },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
