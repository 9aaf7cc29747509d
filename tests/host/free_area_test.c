// SPDX-License-Identifier: GPL-2.0
/*
 * free_area_test.c [SEED] - many extents, made up: the right one is found, and what that
 * costs does not depend on their number.
 */
#include "host.h"
#include "../../free_area.h"

#include <stdlib.h>

enum { PAGES = 512, LARGE = 512 };

struct pool {
	struct petmem_free_area area;
	struct petmem_free_extent *extents;
	unsigned int nr;
};

static void update(struct pool *pool, unsigned int i)
{
	petmem_free_area_update(&pool->area, &pool->extents[i], false);
}

static bool init(struct pool *pool, unsigned int nr)
{
	petmem_free_area_init(&pool->area);
	pool->extents = calloc(nr, sizeof(*pool->extents));
	pool->nr = nr;
	for (unsigned int i = 0; i < nr; i++) {
		INIT_LIST_HEAD(&pool->extents[i].list);
		REQUIRE(!petmem_buddy_init(&pool->extents[i].buddy, PAGES));
		update(pool, i);
	}
	return true;
}

static void destroy(struct pool *pool)
{
	for (unsigned int i = 0; i < pool->nr; i++)
		petmem_buddy_destroy(&pool->extents[i].buddy);
	free(pool->extents);
}

/* Take pages as the pool does. Returns the extent, or NULL. */
static struct petmem_free_extent *take(struct pool *pool, u32 count, u32 *page)
{
	struct petmem_free_extent *extent =
		petmem_free_area_find(&pool->area, (u32)__builtin_ctz(count));

	if (!extent)
		return NULL;
	*page = petmem_buddy_alloc(&extent->buddy, count);
	petmem_free_area_update(&pool->area, extent, false);
	return extent;
}

static void give(struct pool *pool, struct petmem_free_extent *extent, u32 page,
		 u32 count)
{
	petmem_buddy_free(&extent->buddy, page, count);
	petmem_free_area_update(&pool->area, extent, false);
}

/* ---- The right extent ---- */

/* The smallest order of a largest block that is at least @order, by looking at all. */
static int best_order(const struct pool *pool, int order)
{
	int best = -1;

	for (unsigned int i = 0; i < pool->nr; i++) {
		int largest = petmem_buddy_largest(&pool->extents[i].buddy);

		if (largest >= order && (best < 0 || largest < best))
			best = largest;
	}
	return best;
}

static bool test_best_fit(void)
{
	enum { EXTENTS = 20, STEPS = 20000 };
	struct {
		struct petmem_free_extent *extent;
		u32 page, count;
	} held[200] = { 0 };
	struct pool pool;

	REQUIRE(init(&pool, EXTENTS));
	for (int step = 0; step < STEPS; step++) {
		size_t i = random_below(COUNT_OF(held));
		int order = (int)random_below(10),
		    best = best_order(&pool, order);
		struct petmem_free_extent *found =
			petmem_free_area_find(&pool.area, (u32)order);

		REQUIRE(found ? petmem_buddy_largest(&found->buddy) == best
			      : best < 0);
		if (held[i].extent) {
			give(&pool, held[i].extent, held[i].page,
			     held[i].count);
			held[i].extent = NULL;
		} else {
			held[i].count = 1U << order;
			held[i].extent =
				take(&pool, held[i].count, &held[i].page);
			REQUIRE(!held[i].extent == (best < 0));
		}
	}
	destroy(&pool);
	return true;
}

/* One that could be a larger page is used after all others of the same order. */
static bool test_last(void)
{
	struct pool pool;

	REQUIRE(init(&pool, 3));
	petmem_free_area_update(&pool.area, &pool.extents[1], true);
	for (int i = 0; i < 2; i++) {
		struct petmem_free_extent *found =
			petmem_free_area_find(&pool.area, 0);

		REQUIRE(found != &pool.extents[1]);
		petmem_free_area_remove(found);
	}
	REQUIRE(petmem_free_area_find(&pool.area, 0) == &pool.extents[1]);
	petmem_free_area_remove(&pool.extents[1]);
	REQUIRE(!petmem_free_area_find(&pool.area, 0));
	destroy(&pool);
	return true;
}

/* ---- Cost ---- */

enum state { EMPTY, FRAGMENTED, FULL, STATES };

static const char *const state_names[] = { "empty", "fragmented", "full" };

/* Bring all extents into a state: nothing used, every other page, or all but one page. */
static void prepare(struct pool *pool, enum state state)
{
	for (unsigned int i = 0; i < pool->nr; i++) {
		struct petmem_buddy *buddy = &pool->extents[i].buddy;

		if (state != EMPTY)
			petmem_buddy_take(buddy, 0, PAGES);
		if (state == FRAGMENTED)
			for (u32 page = 0; page < PAGES; page += 2)
				petmem_buddy_free(buddy, page, 1);
		if (state == FULL && i == pool->nr - 1)
			petmem_buddy_free(buddy, PAGES / 2, 1);
		update(pool, i);
	}
}

/* The basic blocks of taking a page, of not finding 2 MiB, and of giving the page back. */
static bool cost_of(unsigned int nr, enum state state, unsigned long *cost)
{
	struct petmem_free_extent *extent;
	unsigned long before;
	struct pool pool;
	u32 page, other;

	REQUIRE(init(&pool, nr));
	prepare(&pool, state);
	before = host_steps;
	extent = take(&pool, 1, &page);
	REQUIRE(extent);
	if (state != EMPTY)
		REQUIRE(!take(&pool, LARGE, &other));
	give(&pool, extent, page, 1);
	*cost = host_steps - before;
	destroy(&pool);
	return true;
}

static bool test_cost(void)
{
	static const unsigned int counts[] = { 8, 512, 8192 };

	for (enum state state = EMPTY; state < STATES; state++) {
		unsigned long cost[COUNT_OF(counts)];

		for (size_t i = 0; i < COUNT_OF(counts); i++)
			REQUIRE(cost_of(counts[i], state, &cost[i]));
		diag("%s: %lu, %lu and %lu basic blocks with 8, 512 and 8192 extents",
		     state_names[state], cost[0], cost[1], cost[2]);
		REQUIRE(cost[0] > 0 && 2 * cost[1] <= 3 * cost[0] &&
			2 * cost[2] <= 3 * cost[0]);
	}
	return true;
}

int main(int argc, char **argv)
{
	const struct host_test tests[] = {
		{ "the smallest block that is large enough", test_best_fit },
		{ "an extent that is used last", test_last },
		{ "cost with 8 to 8192 extents", test_cost },
	};

	(void)argc;
	return run_tests(tests, COUNT_OF(tests), argv);
}
