// SPDX-License-Identifier: GPL-2.0
/*
 * buddy_test.c [SEED] - the buddy allocator against a model: one byte a page.
 *
 * The free pages determine the whole state, as a free block is a largest aligned run
 * of free pages. So the model can foretell all of it.
 */
#include "host.h"
#include "../../buddy.h"

#include <errno.h>
#include <string.h>

#define LARGEST (1U << (PETMEM_BUDDY_ORDERS - 1))

struct pages {
	struct petmem_buddy buddy;
	bool *used; /* the model */
};

static bool init(struct pages *p, u32 nr_pages)
{
	p->used = calloc(nr_pages, sizeof(*p->used));
	return !petmem_buddy_init(&p->buddy, nr_pages);
}

static void destroy(struct pages *p)
{
	petmem_buddy_destroy(&p->buddy);
	free(p->used);
}

/* ---- The model ---- */

static bool all_are(const struct pages *p, bool used, u32 first, u32 count)
{
	for (u32 page = first; page < first + count; page++) {
		if (p->used[page] != used)
			return false;
	}
	return true;
}

static bool exist(const struct pages *p, u32 first, u32 count)
{
	return (u64)first + count <= p->buddy.nr_pages;
}

/* The order of the free block that begins at @page. */
static u32 block_order(const struct pages *p, u32 page)
{
	u32 order = 0, size = 1;

	while (size < LARGEST && page % (2 * size) == 0 &&
	       exist(p, page, 2 * size) &&
	       all_are(p, false, page + size, size)) {
		order++;
		size *= 2;
	}
	return order;
}

/* The first page of the next free block at or behind @page; or nr_pages. */
static u32 next_block(const struct pages *p, u32 page)
{
	while (page < p->buddy.nr_pages && p->used[page])
		page++;
	return page;
}

/* The lowest order of a free block that holds @count; or PETMEM_BUDDY_ORDERS.
 */
static u32 best_order(const struct pages *p, u32 count)
{
	u32 best = PETMEM_BUDDY_ORDERS;
	u32 page = next_block(p, 0);

	while (page < p->buddy.nr_pages) {
		u32 order = block_order(p, page);

		if (1U << order >= count && order < best)
			best = order;
		page = next_block(p, page + (1U << order));
	}
	return best;
}

/* ---- Checks ---- */

/* Check one free list: its links, and that its blocks say that they are on it. */
static bool list_holds(const struct pages *p, u32 order, u32 expected)
{
	const struct petmem_buddy *buddy = &p->buddy;
	u32 prev = PETMEM_BUDDY_NONE;
	u32 page = buddy->free[order];

	for (; expected; expected--) {
		REQUIRE(page < buddy->nr_pages);
		REQUIRE(buddy->order[page] == order);
		REQUIRE(buddy->links[page].prev == prev);
		prev = page;
		page = buddy->links[page].next;
	}
	REQUIRE(page == PETMEM_BUDDY_NONE);
	return true;
}

/* The whole state agrees with the model. */
static bool agrees(const struct pages *p)
{
	const struct petmem_buddy *buddy = &p->buddy;
	u32 blocks[PETMEM_BUDDY_ORDERS] = { 0 };
	u32 nr_free = 0, page = 0;

	while (page < buddy->nr_pages) {
		u32 size = 1;

		if (p->used[page]) {
			REQUIRE(buddy->order[page] == PETMEM_BUDDY_USED);
			REQUIRE(petmem_buddy_order(buddy, page) ==
				PETMEM_BUDDY_USED);
		} else {
			u32 order = block_order(p, page);

			size = 1U << order;
			nr_free += size;
			blocks[order]++;
			REQUIRE(buddy->order[page] == order);
			REQUIRE(petmem_buddy_order(buddy, page + size - 1) ==
				order);
		}
		for (u32 i = 1; i < size; i++)
			REQUIRE(buddy->order[page + i] == PETMEM_BUDDY_USED);
		page += size;
	}
	REQUIRE(buddy->nr_free == nr_free);
	for (u32 order = 0; order < PETMEM_BUDDY_ORDERS; order++)
		REQUIRE(list_holds(p, order, blocks[order]));
	return true;
}

/* ---- Steps: each checks its own result ---- */

static bool alloc_right(struct pages *p, u32 count, u32 *page)
{
	u32 best = best_order(p, count);

	*page = petmem_buddy_alloc(&p->buddy, count);
	if (best == PETMEM_BUDDY_ORDERS || count == 0) {
		REQUIRE(*page == PETMEM_BUDDY_NONE);
		return true;
	}
	REQUIRE(exist(p, *page, count));
	REQUIRE(all_are(p, false, *page, count));
	REQUIRE(*page % (1U << best) == 0);
	REQUIRE(block_order(p, *page) == best);
	memset(p->used + *page, true, count);
	return true;
}

static bool free_right(struct pages *p, u32 first, u32 count)
{
	bool valid = count && exist(p, first, count) &&
		     all_are(p, true, first, count);

	REQUIRE(petmem_buddy_free(&p->buddy, first, count) ==
		(valid ? 0 : -EINVAL));
	if (valid)
		memset(p->used + first, false, count);
	return true;
}

/* Take exactly these pages, if they exist and are free. */
static bool take_right(struct pages *p, u32 first, u32 count)
{
	bool valid = exist(p, first, count) && all_are(p, false, first, count);

	REQUIRE(petmem_buddy_is_free(&p->buddy, first, count) == valid);
	if (!valid)
		return true;
	petmem_buddy_take(&p->buddy, first, count);
	memset(p->used + first, true, count);
	return true;
}

static bool fill(struct pages *p)
{
	u32 page;

	do {
		REQUIRE(alloc_right(p, 1, &page));
	} while (page != PETMEM_BUDDY_NONE);
	REQUIRE(all_are(p, true, 0, p->buddy.nr_pages));
	REQUIRE(agrees(p));
	return true;
}

/* ---- Tests ---- */

static bool test_bad_size(void)
{
	struct petmem_buddy buddy;

	memset(&buddy, 0xa5, sizeof(buddy));
	REQUIRE(petmem_buddy_init(&buddy, 0) == -EINVAL);
	petmem_buddy_destroy(&buddy);
	memset(&buddy, 0xa5, sizeof(buddy));
	REQUIRE(petmem_buddy_init(&buddy, (1U << 31) + 1) == -EINVAL);
	petmem_buddy_destroy(&buddy);
	REQUIRE(petmem_buddy_init(&buddy, ~0U) == -EINVAL);
	return true;
}

static bool test_no_memory(void)
{
	struct petmem_buddy buddy;
	unsigned long nth = 1;

	for (;; nth++) {
		int result;

		host_fail_at = nth;
		result = petmem_buddy_init(&buddy, 1000);
		if (!result)
			break;
		REQUIRE(result == -ENOMEM);
		REQUIRE(host_live == 0);
		petmem_buddy_destroy(&buddy);
	}
	REQUIRE(nth > 1);
	petmem_buddy_destroy(&buddy);
	petmem_buddy_destroy(&buddy);
	return true;
}

static bool test_every_small_size(void)
{
	for (u32 nr = 1; nr <= 130; nr++) {
		struct pages p;

		REQUIRE(init(&p, nr));
		REQUIRE(agrees(&p));
		REQUIRE(fill(&p));
		REQUIRE(free_right(&p, 0, nr));
		REQUIRE(agrees(&p));
		destroy(&p);
	}
	return true;
}

/* Freed one by one, in any order, the pages become the largest blocks again. */
static bool test_coalescing(void)
{
	const u32 nr = 1000;
	struct pages p;
	u32 stride;

	REQUIRE(init(&p, nr));
	/* No stride has a divisor in common with nr: each meets every page. */
	for (stride = 1; stride < nr; stride += 42) {
		if (stride % 2 == 0 || stride % 5 == 0)
			continue;
		REQUIRE(fill(&p));
		for (u32 i = 0; i < nr; i++)
			REQUIRE(free_right(&p, i * stride % nr, 1));
		REQUIRE(agrees(&p));
	}
	destroy(&p);
	return true;
}

static bool test_exact_fit(void)
{
	for (u32 size = 1; size <= LARGEST; size *= 2) {
		struct petmem_buddy buddy;

		REQUIRE(!petmem_buddy_init(&buddy, size));
		REQUIRE(petmem_buddy_alloc(&buddy, size + 1) ==
			PETMEM_BUDDY_NONE);
		REQUIRE(petmem_buddy_alloc(&buddy, size) == 0);
		REQUIRE(buddy.nr_free == 0);
		REQUIRE(petmem_buddy_alloc(&buddy, 1) == PETMEM_BUDDY_NONE);
		REQUIRE(!petmem_buddy_free(&buddy, 0, size));
		REQUIRE(petmem_buddy_alloc(&buddy, size) == 0);
		petmem_buddy_destroy(&buddy);
	}
	return true;
}

static bool test_bad_count(void)
{
	struct pages p;
	const u32 counts[] = { 0, LARGEST + 1, 1U << 31, ~0U };

	REQUIRE(init(&p, 2 * LARGEST));
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		REQUIRE(petmem_buddy_alloc(&p.buddy, counts[i]) ==
			PETMEM_BUDDY_NONE);
	REQUIRE(agrees(&p));
	destroy(&p);
	return true;
}

/* Two free blocks of the largest order stay two. */
static bool test_largest_block(void)
{
	struct pages p;
	u32 page;

	REQUIRE(init(&p, 2 * LARGEST + 3));
	REQUIRE(free_right(&p, LARGEST / 2 + 1, 1));
	REQUIRE(alloc_right(&p, LARGEST, &page));
	REQUIRE(alloc_right(&p, LARGEST - 1, &page));
	REQUIRE(alloc_right(&p, LARGEST, &page));
	REQUIRE(page == PETMEM_BUDDY_NONE);
	REQUIRE(fill(&p));
	REQUIRE(free_right(&p, 0, 2 * LARGEST + 3));
	REQUIRE(agrees(&p));
	destroy(&p);
	return true;
}

static bool test_rest_stays_free(void)
{
	const u32 nr = 64;

	for (u32 count = 1; count <= nr; count++) {
		struct pages p;
		u32 page;

		REQUIRE(init(&p, nr));
		REQUIRE(alloc_right(&p, count, &page));
		REQUIRE(page == 0);
		REQUIRE(agrees(&p));
		REQUIRE(p.buddy.nr_free == nr - count);
		REQUIRE(fill(&p));
		destroy(&p);
	}
	return true;
}

/* A free that must be refused leaves every byte as it was. */
static bool refused(struct pages *p, u32 first, u32 count)
{
	const u32 nr = p->buddy.nr_pages;
	const size_t links_size = nr * sizeof(*p->buddy.links);
	struct petmem_buddy before = p->buddy;
	void *links = malloc(links_size), *order = malloc(nr);
	bool same;

	memcpy(links, p->buddy.links, links_size);
	memcpy(order, p->buddy.order, nr);
	same = petmem_buddy_free(&p->buddy, first, count) == -EINVAL &&
	       !memcmp(links, p->buddy.links, links_size) &&
	       !memcmp(order, p->buddy.order, nr) &&
	       !memcmp(&before, &p->buddy, sizeof(before));
	free(links);
	free(order);
	return same;
}

static bool test_invalid_frees(void)
{
	const u32 nr = 300;
	struct pages p;

	REQUIRE(init(&p, nr));
	REQUIRE(fill(&p));
	REQUIRE(refused(&p, 0, 0));
	REQUIRE(refused(&p, nr - 1, 2));
	REQUIRE(refused(&p, nr, 0));
	REQUIRE(refused(&p, nr, 1));
	REQUIRE(refused(&p, 1, nr));
	REQUIRE(refused(&p, 1, ~0U));
	REQUIRE(refused(&p, ~0U, 1));
	REQUIRE(refused(&p, ~0U, 2));
	REQUIRE(refused(&p, 5, ~0U - 4));

	/* A block of order 6 and one page at the end. */
	REQUIRE(free_right(&p, 64, 64));
	REQUIRE(free_right(&p, nr - 1, 1));
	for (u32 page = 64; page < 128; page++)
		REQUIRE(refused(&p, page, 1));
	REQUIRE(refused(&p, 63, 2));
	REQUIRE(refused(&p, 0, 65));
	REQUIRE(refused(&p, 127, 2));
	REQUIRE(refused(&p, 100, 100));
	REQUIRE(refused(&p, 0, nr));
	REQUIRE(refused(&p, 130, nr - 130));
	REQUIRE(free_right(&p, 128, nr - 129));
	REQUIRE(free_right(&p, 0, 64));
	REQUIRE(agrees(&p));
	destroy(&p);
	return true;
}

/* ---- Random steps ---- */

#define STEPS 3000000

/* Free mostly a run of used pages, and now and then anything at all. */
static bool random_free(struct pages *p)
{
	const u32 nr = p->buddy.nr_pages;
	u32 first = random_below(nr), count = 0, limit;

	if (random_below(4) == 0) {
		count = random_below(nr + 2);
		first = random_below(nr + 2);
	} else {
		limit = 1 + random_below(32);
		while (count < limit && exist(p, first, count + 1) &&
		       p->used[first + count])
			count++;
	}
	return free_right(p, first, count);
}

/* @check_every: steps between two looks at the whole state */
static bool random_steps(u32 nr, u32 steps, u32 check_every)
{
	struct pages p;
	u32 allocs_in_8 = 4;

	REQUIRE(init(&p, nr));
	for (u32 step = 0; step < steps; step++) {
		u32 page;

		/* Alternate between more allocations and more frees. */
		if (step % 1024 == 0)
			allocs_in_8 = 1 + random_below(7);
		if (random_below(16) == 0) {
			REQUIRE(take_right(&p, random_below(nr + 2),
					   1 + random_below(nr / 4 + 1)));
		} else if (random_below(8) < allocs_in_8) {
			u32 order = random_below(8);
			u32 count = 1 + random_below(1U << order);

			REQUIRE(alloc_right(&p, count, &page));
		} else {
			REQUIRE(random_free(&p));
		}
		if (step % check_every == 0)
			REQUIRE(agrees(&p));
	}
	REQUIRE(agrees(&p));
	for (u32 page = 0; page < nr; page++) {
		if (p.used[page])
			REQUIRE(free_right(&p, page, 1));
	}
	REQUIRE(agrees(&p));
	destroy(&p);
	return true;
}

static bool test_random(void)
{
	const u32 sizes[] = { 1, 2, 3, 7, 8, 37, 64, 100, 129 };

	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		REQUIRE(random_steps(sizes[i], STEPS / COUNT_OF(sizes), 16));
	return true;
}

static bool test_random_large(void)
{
	REQUIRE(random_steps(1000, 60000, 512));
	REQUIRE(random_steps(4096 + 77, 20000, 512));
	return true;
}

/* ---- Cost ---- */

/* The highest cost of one page in a pool of @nr, from empty to full and back. */
static bool worst_cost(u32 nr, unsigned long *worst)
{
	struct petmem_buddy buddy;
	unsigned long before;

	*worst = 0;
	REQUIRE(!petmem_buddy_init(&buddy, nr));
	for (u32 i = 0; i < nr; i++) {
		before = host_steps;
		REQUIRE(petmem_buddy_alloc(&buddy, 1) < nr);
		if (host_steps - before > *worst)
			*worst = host_steps - before;
	}
	for (u32 page = 0; page < nr; page++) {
		before = host_steps;
		REQUIRE(!petmem_buddy_free(&buddy, page, 1));
		if (host_steps - before > *worst)
			*worst = host_steps - before;
	}
	petmem_buddy_destroy(&buddy);
	return true;
}

/* The cost is some basic blocks for each order, whatever the number of pages. */
static bool test_cost(void)
{
	const u32 sizes[] = { 100, 100000, 3 * LARGEST };
	const unsigned long limit = 20UL * PETMEM_BUDDY_ORDERS;

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		unsigned long worst;

		REQUIRE(worst_cost(sizes[i], &worst));
		diag("a page of %7u: at most %lu basic blocks", sizes[i],
		     worst);
		REQUIRE(worst > 0);
		REQUIRE(worst <= limit);
	}
	return true;
}

/* A few pages come out of the smallest free block, and never more than it has. */
static bool test_some(void)
{
	enum { PAGES = 64, MOST = 4 };
	struct pages p;
	u32 left = PAGES - 2, first, smallest, got;

	REQUIRE(init(&p, PAGES));
	petmem_buddy_take(&p.buddy, 0, 1);
	petmem_buddy_take(&p.buddy, 13, 1);
	while (left) {
		smallest = 1U << __ffs(p.buddy.orders);
		got = petmem_buddy_alloc_some(&p.buddy, MOST, &first);
		REQUIRE(got == (smallest < MOST ? smallest : MOST));
		REQUIRE(first != PETMEM_BUDDY_NONE && first + got <= PAGES);
		left -= got;
		REQUIRE(p.buddy.nr_free == left);
		REQUIRE(petmem_buddy_order(&p.buddy, first) ==
			PETMEM_BUDDY_USED);
	}
	REQUIRE(!p.buddy.orders);
	destroy(&p);
	return true;
}

int main(int argc, char **argv)
{
	const struct host_test tests[] = {
		{ "a pool of 0 or more than 2^31 pages", test_bad_size },
		{ "no memory for the bookkeeping", test_no_memory },
		{ "every size to 130: exhaust, free at once",
		  test_every_small_size },
		{ "pages freed in any order coalesce", test_coalescing },
		{ "exact fit of every order", test_exact_fit },
		{ "counts that no block holds", test_bad_count },
		{ "the largest blocks", test_largest_block },
		{ "what rounding adds stays free", test_rest_stays_free },
		{ "invalid frees change nothing", test_invalid_frees },
		{ "random steps, small pools", test_random },
		{ "random steps, larger pools", test_random_large },
		{ "a few pages", test_some },
		{ "cost of a page", test_cost },
	};

	(void)argc;
	return run_tests(tests, COUNT_OF(tests), argv);
}
