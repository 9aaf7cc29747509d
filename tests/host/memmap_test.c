// SPDX-License-Identifier: GPL-2.0
/*
 * memmap_test.c [SEED] - the memory map against a model: one number a page.
 */
#include "host.h"
#include "../../memmap.h"

#include <errno.h>
#include <linux/rbtree_augmented.h>
#include <string.h>

#define PAGE 4096ULL
#define REGION_START 0x510000000000ULL
#define HALF (1ULL << 63)

struct region {
	struct petmem_memmap map;
	u64 start;
	u32 nr_pages;
	u32 *owner; /* the model: the allocation that has a page; 0: none */
	u32 last_owner;
	u32 nr_owners;
};

static bool init(struct region *r, u64 start, u32 nr_pages)
{
	memset(r, 0, sizeof(*r));
	r->start = start;
	r->nr_pages = nr_pages;
	r->owner = calloc(nr_pages, sizeof(*r->owner));
	return !petmem_memmap_init(&r->map, start, nr_pages * PAGE);
}

static void destroy(struct region *r)
{
	petmem_memmap_destroy(&r->map);
	free(r->owner);
}

/* ---- Checks ---- */

static struct petmem_range *to_range(const struct rb_node *node)
{
	return container_of(node, struct petmem_range, node);
}

struct subtree {
	bool holds;
	u32 nodes;
	u32 black_height;
	u64 largest_free;
};

/* Red-black rules, parents and largest_free of the tree below @node. */
static struct subtree check_tree(const struct rb_node *node,
				 const struct rb_node *parent)
{
	struct subtree tree = { .holds = true, .black_height = 1 };
	struct subtree left, right;
	const struct petmem_range *range;

	if (!node)
		return tree;
	range = to_range(node);
	left = check_tree(node->rb_left, node);
	right = check_tree(node->rb_right, node);
	tree.nodes = 1 + left.nodes + right.nodes;
	tree.black_height = left.black_height + rb_is_black(node);
	tree.largest_free = range->allocated ? 0 : range->size;
	if (left.largest_free > tree.largest_free)
		tree.largest_free = left.largest_free;
	if (right.largest_free > tree.largest_free)
		tree.largest_free = right.largest_free;
	tree.holds = left.holds && right.holds && rb_parent(node) == parent &&
		     left.black_height == right.black_height &&
		     range->largest_free == tree.largest_free &&
		     (rb_is_black(node) || (parent && rb_is_black(parent)));
	return tree;
}

/* The tree holds, and has the ranges of the list in the list's order. */
static bool tree_agrees(const struct petmem_memmap *map)
{
	struct subtree tree = check_tree(map->tree.rb_node, NULL);
	const struct rb_node *node = rb_first(&map->tree);
	const struct petmem_range *range;
	u32 nodes = 0;

	REQUIRE(tree.holds);
	list_for_each_entry(range, &map->ranges, list) {
		REQUIRE(node == &range->node);
		node = rb_next(node);
		nodes++;
	}
	REQUIRE(!node);
	REQUIRE(nodes == tree.nodes);
	REQUIRE(nodes == map->nr_ranges);
	REQUIRE(nodes + map->nr_kept == host_live);
	return true;
}

/* Number of pages from @page onwards that have the same owner. */
static u32 run_length(const struct region *r, u32 page)
{
	u32 end = page;

	while (end < r->nr_pages && r->owner[end] == r->owner[page])
		end++;
	return end - page;
}

/* The list has exactly the model's ranges, in both directions. */
static bool list_agrees(const struct region *r)
{
	const struct list_head *prev = &r->map.ranges;
	const struct petmem_range *range;
	u32 page = 0;

	list_for_each_entry(range, &r->map.ranges, list) {
		REQUIRE(page < r->nr_pages);
		REQUIRE(range->start == r->start + page * PAGE);
		REQUIRE(range->size == run_length(r, page) * PAGE);
		REQUIRE(range->allocated == (r->owner[page] != 0));
		REQUIRE(range->list.prev == prev);
		prev = &range->list;
		page += run_length(r, page);
	}
	REQUIRE(page == r->nr_pages);
	REQUIRE(r->map.ranges.prev == prev);
	REQUIRE(r->map.nr_allocated == r->nr_owners);
	return true;
}

static bool agrees(const struct region *r)
{
	return list_agrees(r) && tree_agrees(&r->map);
}

/* ---- Steps: each checks its own result ---- */

/* The first page of the lowest @count free ones; nr_pages: none. */
static u32 first_fit(const struct region *r, u64 count, u64 align)
{
	u32 page = 0;

	while (page < r->nr_pages) {
		u32 length = run_length(r, page);
		u32 end = page + length;

		if (r->owner[page]) {
			page = end;
			continue;
		}
		while (page < end && (r->start + page * PAGE) % align)
			page++;
		if (page < end && end - page >= count)
			return page;
		page = end;
	}
	return page;
}

static unsigned long nr_spares(const struct petmem_memmap_spares *spares)
{
	const struct list_head *node;
	unsigned long count = 0;

	list_for_each(node, &spares->ranges) count++;
	return count;
}

/* Sets *@at to the first page of the range; nr_pages: none. */
static bool alloc_right(struct region *r, u64 count, u64 align, u32 *at)
{
	const u32 expected = first_fit(r, count, align);
	struct petmem_memmap_spares spares;
	struct petmem_range *range;

	REQUIRE(!petmem_memmap_get_spares(&spares, PETMEM_MEMMAP_ALLOC_SPARES));
	range = petmem_memmap_alloc(&r->map, &spares, count * PAGE, align);
	if (!range)
		REQUIRE(nr_spares(&spares) == PETMEM_MEMMAP_ALLOC_SPARES);
	petmem_memmap_put_spares(&spares);
	REQUIRE(nr_spares(&spares) == 0);

	*at = expected;
	REQUIRE(!range == (expected == r->nr_pages));
	if (!range)
		return true;
	REQUIRE(range->start == r->start + expected * PAGE);
	REQUIRE(range->size == count * PAGE);
	REQUIRE(range->allocated && !range->guarded);
	range->guarded = r->last_owner % 2;
	r->last_owner++;
	r->nr_owners++;
	for (u32 i = 0; i < count; i++)
		r->owner[expected + i] = r->last_owner;
	return true;
}

/* Free the allocation that holds @page. */
static bool free_right(struct region *r, u32 page)
{
	const u32 owner = r->owner[page];
	struct petmem_range *range;

	range = petmem_memmap_find(&r->map, r->start + page * PAGE);
	REQUIRE(range && range->allocated);
	petmem_memmap_free(&r->map, range);
	r->nr_owners--;
	for (u32 i = 0; i < r->nr_pages; i++) {
		if (r->owner[i] == owner)
			r->owner[i] = 0;
	}
	return true;
}

/* An address in the map is found in the range that has its page; others in none. */
static bool find_right(const struct region *r, u64 addr)
{
	const struct petmem_range *range = petmem_memmap_find(&r->map, addr);
	const u64 offset = addr - r->start;
	const u32 page = offset / PAGE;
	u64 first;

	if (offset >= r->nr_pages * PAGE) {
		REQUIRE(!range);
		return true;
	}
	REQUIRE(range);
	first = (range->start - r->start) / PAGE;
	REQUIRE(first <= page && page - first < range->size / PAGE);
	REQUIRE(range->allocated == (r->owner[page] != 0));
	REQUIRE(range->allocated || !range->guarded);
	REQUIRE(r->owner[first] == r->owner[page]);
	return true;
}

/* A copy is the same. Changes of the copy or of the original do not reach the other. */
static bool copy_right(struct region *r)
{
	struct petmem_memmap original = r->map, *moved = &r->map;
	struct petmem_range *range, *twin;

	list_replace(&r->map.ranges, &original.ranges);
	list_replace(&r->map.kept, &original.kept);
	REQUIRE(!petmem_memmap_copy(moved, &original));
	REQUIRE(moved->refs == 1);
	REQUIRE(moved->nr_ranges == original.nr_ranges);
	twin = list_first_entry(&moved->ranges, struct petmem_range, list);
	list_for_each_entry(range, &original.ranges, list) {
		REQUIRE(twin != range && twin->guarded == range->guarded);
		twin = list_next_entry(twin, list);
	}
	petmem_memmap_destroy(&original);
	return agrees(r);
}

/* ---- Tests ---- */

static bool test_no_memory(void)
{
	struct petmem_memmap map;
	struct petmem_memmap_spares spares;

	host_fail_at = 1;
	REQUIRE(petmem_memmap_init(&map, REGION_START, PAGE) == -ENOMEM);
	REQUIRE(host_live == 0);
	for (unsigned long nth = 1; nth <= PETMEM_MEMMAP_ALLOC_SPARES; nth++) {
		host_fail_at = nth;
		REQUIRE(petmem_memmap_get_spares(&spares,
						 PETMEM_MEMMAP_ALLOC_SPARES) ==
			-ENOMEM);
		REQUIRE(host_live == 0);
		petmem_memmap_put_spares(&spares);
	}
	REQUIRE(!petmem_memmap_get_spares(&spares, PETMEM_MEMMAP_ALLOC_SPARES));
	REQUIRE(host_live == PETMEM_MEMMAP_ALLOC_SPARES);
	petmem_memmap_put_spares(&spares);
	petmem_memmap_put_spares(&spares);
	return true;
}

/* An allocation that gets fewer nodes than it takes changes nothing. */
static bool test_few_nodes(void)
{
	struct petmem_memmap map;
	struct petmem_memmap_spares spares;
	struct petmem_range *range;
	const u64 align = 2 * PAGE;

	REQUIRE(!petmem_memmap_init(&map, align - PAGE, 4 * PAGE));
	for (u64 count = 0; count < PETMEM_MEMMAP_ALLOC_SPARES; count++) {
		REQUIRE(!petmem_memmap_get_spares(&spares, count));
		range = petmem_memmap_alloc(&map, &spares, PAGE, align);
		REQUIRE(!range && map.nr_ranges == 1 && !map.nr_allocated);
		REQUIRE(nr_spares(&spares) + map.nr_kept == count);
		petmem_memmap_put_spares(&spares);
	}
	/* The map has kept one node, and this is the second. */
	REQUIRE(!petmem_memmap_get_spares(&spares, 1));
	range = petmem_memmap_alloc(&map, &spares, PAGE, align);
	REQUIRE(range && range->start == align && map.nr_ranges == 3);
	petmem_memmap_put_spares(&spares);
	petmem_memmap_destroy(&map);
	return true;
}

/* A copy for which there is not enough memory leaves nothing behind. */
static bool test_no_copy(void)
{
	struct petmem_memmap map, copy;
	struct petmem_memmap_spares spares;
	unsigned long live;

	REQUIRE(!petmem_memmap_init(&map, REGION_START, 4 * PAGE));
	REQUIRE(!petmem_memmap_get_spares(&spares, PETMEM_MEMMAP_ALLOC_SPARES));
	REQUIRE(petmem_memmap_alloc(&map, &spares, PAGE, PAGE));
	petmem_memmap_put_spares(&spares);
	live = host_live;
	for (u64 nth = 1; nth <= map.nr_ranges; nth++) {
		host_fail_at = nth;
		REQUIRE(petmem_memmap_copy(&copy, &map) == -ENOMEM);
		REQUIRE(host_live == live);
	}
	petmem_memmap_destroy(&map);
	return true;
}

/* Three neighbours freed in each order leave one hole. */
static bool test_three(void)
{
	const u32 orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
				  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	/* Nothing lies behind the three, or one more range does. */
	for (u32 behind = 0; behind < 2; behind++) {
		for (size_t i = 0; i < COUNT_OF(orders); i++) {
			struct region r;
			u32 at;

			REQUIRE(init(&r, REGION_START, 3 + behind));
			for (u32 n = 0; n < 3 + behind; n++)
				REQUIRE(alloc_right(&r, 1, PAGE, &at));
			for (u32 n = 0; n < 3; n++) {
				REQUIRE(free_right(&r, orders[i][n]));
				REQUIRE(agrees(&r));
			}
			destroy(&r);
		}
	}
	return true;
}

static bool test_exhaustion(void)
{
	const u32 nr = 500;
	struct region r;
	u32 at;

	REQUIRE(init(&r, REGION_START, nr));
	REQUIRE(alloc_right(&r, nr + 1, PAGE, &at) && at == nr);
	REQUIRE(alloc_right(&r, nr, PAGE, &at) && at == 0);
	REQUIRE(alloc_right(&r, 1, PAGE, &at) && at == nr);
	REQUIRE(free_right(&r, nr / 2));
	for (u32 i = 0; i < nr; i++)
		REQUIRE(alloc_right(&r, 1, PAGE, &at) && at == i);
	REQUIRE(alloc_right(&r, 1, PAGE, &at) && at == nr);
	REQUIRE(agrees(&r));
	for (u32 i = 0; i < nr; i += 2)
		REQUIRE(free_right(&r, i));
	REQUIRE(alloc_right(&r, 2, PAGE, &at) && at == nr);
	REQUIRE(agrees(&r));
	for (u32 i = 1; i < nr; i += 2)
		REQUIRE(free_right(&r, i));
	REQUIRE(agrees(&r));
	REQUIRE(alloc_right(&r, nr, PAGE, &at) && at == 0);
	destroy(&r);
	return true;
}

/* Page 1 of the region is the first of a multiple of 64 pages. */
static bool test_alignment(void)
{
	const u32 nr = 200;
	struct region r;
	u32 at;

	REQUIRE(init(&r, REGION_START - PAGE, nr));
	REQUIRE(alloc_right(&r, 3, 64 * PAGE, &at) && at == 1);
	REQUIRE(alloc_right(&r, 3, 64 * PAGE, &at) && at == 65);
	REQUIRE(agrees(&r));
	REQUIRE(alloc_right(&r, 61, 4 * PAGE, &at) && at == 69);
	REQUIRE(alloc_right(&r, 61, 4 * PAGE, &at) && at == 133);
	REQUIRE(alloc_right(&r, 1, PAGE, &at) && at == 0);
	REQUIRE(alloc_right(&r, 7, 64 * PAGE, &at) && at == nr);
	REQUIRE(alloc_right(&r, 1, HALF, &at) && at == nr);
	REQUIRE(agrees(&r));
	destroy(&r);
	return true;
}

static bool test_find_ends(void)
{
	const u64 starts[] = { 0, PAGE, REGION_START, 0 - 10 * PAGE };

	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		struct region r;
		u32 at;

		REQUIRE(init(&r, starts[i], 10));
		REQUIRE(alloc_right(&r, 4, PAGE, &at));
		REQUIRE(alloc_right(&r, 4, PAGE, &at));
		for (u32 page = 0; page <= 10; page++) {
			const u64 addr = starts[i] + page * PAGE;

			REQUIRE(find_right(&r, addr - 1));
			REQUIRE(find_right(&r, addr));
			REQUIRE(find_right(&r, addr + 1));
		}
		REQUIRE(find_right(&r, 0));
		REQUIRE(find_right(&r, ~0ULL));
		destroy(&r);
	}
	return true;
}

/* A size that does not fit is refused, however far its end is beyond 2^64. */
static bool test_huge_sizes(void)
{
	const u64 sizes[] = { ~0ULL, 0 - PAGE, 0 - REGION_START, HALF };
	const u64 aligns[] = { PAGE, HALF };
	struct petmem_memmap_spares spares;
	struct region r;

	REQUIRE(init(&r, REGION_START, 100));
	REQUIRE(!petmem_memmap_get_spares(&spares, PETMEM_MEMMAP_ALLOC_SPARES));
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		for (size_t j = 0; j < COUNT_OF(aligns); j++)
			REQUIRE(!petmem_memmap_alloc(&r.map, &spares, sizes[i],
						     aligns[j]));
	}
	petmem_memmap_put_spares(&spares);
	REQUIRE(agrees(&r));
	destroy(&r);
	return true;
}

/* A map of all addresses but the first page: aligned, to the very end. */
static bool test_huge_map(void)
{
	struct petmem_memmap map;
	struct petmem_memmap_spares spares;
	struct petmem_range *range;

	REQUIRE(!petmem_memmap_init(&map, PAGE, 0 - PAGE));
	REQUIRE(!petmem_memmap_get_spares(&spares, PETMEM_MEMMAP_ALLOC_SPARES));
	REQUIRE(!petmem_memmap_alloc(&map, &spares, HALF + PAGE, HALF));
	range = petmem_memmap_alloc(&map, &spares, HALF, HALF);
	REQUIRE(range && range->start == HALF && range->size == HALF);
	REQUIRE(petmem_memmap_find(&map, ~0ULL) == range);
	REQUIRE(petmem_memmap_find(&map, HALF) == range);
	REQUIRE(petmem_memmap_find(&map, HALF - 1) != range);
	REQUIRE(!petmem_memmap_find(&map, PAGE - 1));
	petmem_memmap_free(&map, range);
	petmem_memmap_put_spares(&spares);
	REQUIRE(tree_agrees(&map));
	REQUIRE(petmem_memmap_find(&map, ~0ULL)->size == 0 - PAGE);
	petmem_memmap_destroy(&map);
	return true;
}

/* ---- Random steps ---- */

static bool random_alloc(struct region *r)
{
	const u32 align_orders = random_below(4) ? 1 : 8;
	u32 count = 1 + random_below(1U << random_below(6)), at;

	return alloc_right(r, count, PAGE << random_below(align_orders), &at);
}

static bool random_free(struct region *r)
{
	u32 page = random_below(r->nr_pages);

	return !r->owner[page] || free_right(r, page);
}

static bool random_find(const struct region *r)
{
	const u64 size = r->nr_pages * PAGE;

	const u64 from = r->start - size / 8;

	return find_right(r, from + random_below(size + size / 4));
}

static bool random_steps(u64 start, u32 nr_pages, u32 steps, u32 check_every)
{
	struct region r;
	u32 allocs_in_8 = 4;

	REQUIRE(init(&r, start, nr_pages));
	for (u32 step = 0; step < steps; step++) {
		/* Alternate between more allocations and more frees. */
		if (step % 1024 == 0)
			allocs_in_8 = 1 + random_below(6);
		if (random_below(8) < allocs_in_8)
			REQUIRE(random_alloc(&r));
		else
			REQUIRE(random_free(&r));
		REQUIRE(random_find(&r));
		if (step % check_every == 0)
			REQUIRE(agrees(&r));
		if (random_below(1000) == 0)
			REQUIRE(copy_right(&r));
	}
	REQUIRE(agrees(&r));
	for (u32 page = 0; page < nr_pages; page++) {
		if (r.owner[page])
			REQUIRE(free_right(&r, page));
	}
	REQUIRE(agrees(&r));
	destroy(&r);
	return true;
}

static bool test_random(void)
{
	const u32 sizes[] = { 1, 2, 7, 64, 200 };
	const u32 steps = 150000;

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		const u64 to_the_end = 0 - sizes[i] * PAGE;

		REQUIRE(random_steps(0, sizes[i], steps, 8));
		REQUIRE(random_steps(REGION_START, sizes[i], steps, 8));
		REQUIRE(random_steps(to_the_end, sizes[i], steps, 8));
	}
	return true;
}

static bool test_random_large(void)
{
	return random_steps(REGION_START + 13 * PAGE, 3000, 60000, 64);
}

/* ---- Cost ---- */

#define FEW 100
#define MANY 100000

/* Basic blocks of one operation, on average. */
struct cost {
	unsigned long find;
	unsigned long free;
	unsigned long alloc; /* the lowest hole */
	unsigned long alloc_large; /* behind all holes */
};

/* Allocate, and add the cost to *@cost. */
static struct petmem_range *costly_alloc(struct petmem_memmap *map, u64 size,
					 unsigned long *cost)
{
	struct petmem_memmap_spares spares;
	struct petmem_range *range;
	unsigned long before;

	if (petmem_memmap_get_spares(&spares, PETMEM_MEMMAP_ALLOC_SPARES))
		return NULL;
	before = host_steps;
	range = petmem_memmap_alloc(map, &spares, size, PAGE);
	*cost += host_steps - before;
	petmem_memmap_put_spares(&spares);
	return range;
}

/* Fill the map with @count ranges of a page: allocated, free, allocated ... */
static bool make_comb(struct petmem_memmap *map, u32 count)
{
	unsigned long cost = 0;

	REQUIRE(!petmem_memmap_init(map, REGION_START, 1ULL << 39));
	for (u32 i = 0; i < count; i++)
		REQUIRE(costly_alloc(map, PAGE, &cost));
	for (u32 i = 1; i < count; i += 2) {
		const u64 addr = REGION_START + i * PAGE;

		petmem_memmap_free(map, petmem_memmap_find(map, addr));
	}
	return true;
}

/* Allocate the lowest hole and a large range, and free @page. */
static bool add_costs(struct petmem_memmap *map, u32 count, u32 page,
		      struct cost *cost)
{
	struct petmem_range *range;
	unsigned long before;

	REQUIRE(costly_alloc(map, PAGE, &cost->alloc));
	range = costly_alloc(map, count * PAGE, &cost->alloc_large);
	REQUIRE(range);
	petmem_memmap_free(map, range);

	before = host_steps;
	range = petmem_memmap_find(map, REGION_START + page * PAGE);
	cost->find += host_steps - before;
	REQUIRE(range && range->allocated);

	before = host_steps;
	petmem_memmap_free(map, range);
	cost->free += host_steps - before;
	return true;
}

static bool measure(u32 count, struct cost *cost)
{
	const u32 rounds = count / 20;
	struct petmem_memmap map;

	memset(cost, 0, sizeof(*cost));
	REQUIRE(make_comb(&map, count));
	/* Every tenth page of the upper half. */
	for (u32 i = 0; i < rounds; i++)
		REQUIRE(add_costs(&map, count, count / 2 + 10 * i, cost));
	REQUIRE(tree_agrees(&map));
	petmem_memmap_destroy(&map);

	cost->find /= rounds;
	cost->free /= rounds;
	cost->alloc /= rounds;
	cost->alloc_large /= rounds;
	diag("%6u ranges: find %lu, free %lu, alloc %lu, large alloc %lu basic blocks",
	     count, cost->find, cost->free, cost->alloc, cost->alloc_large);
	return true;
}

/*
 * A thousand times the ranges make a tree two and a half times as high. The height
 * does not explain more than four times the cost.
 */
static bool test_cost(void)
{
	struct cost few, many;

	REQUIRE(measure(FEW, &few));
	REQUIRE(measure(MANY, &many));
	REQUIRE(few.find && few.free && few.alloc && few.alloc_large);
	REQUIRE(many.find <= 4 * few.find);
	REQUIRE(many.free <= 4 * few.free);
	REQUIRE(many.alloc <= 4 * few.alloc);
	REQUIRE(many.alloc_large <= 4 * few.alloc_large);
	return true;
}

int main(int argc, char **argv)
{
	const struct host_test tests[] = {
		{ "no memory for ranges", test_no_memory },
		{ "too few nodes", test_few_nodes },
		{ "no memory for a copy", test_no_copy },
		{ "three freed in any order", test_three },
		{ "exhaustion and exact fit", test_exhaustion },
		{ "alignment", test_alignment },
		{ "addresses at the ends", test_find_ends },
		{ "sizes that overflow", test_huge_sizes },
		{ "a map of nearly all addresses", test_huge_map },
		{ "random steps, small maps", test_random },
		{ "random steps, a larger map", test_random_large },
		{ "cost with few and many ranges", test_cost },
	};

	(void)argc;
	return run_tests(tests, COUNT_OF(tests), argv);
}
