// SPDX-License-Identifier: GPL-2.0
/*
 * pool.c - take donated pages out of the allocators, and put them back.
 *
 * Each extent has a buddy allocator of its own, and each NUMA node an area that knows which
 * extent has a free block of what size.
 */
#include "pool.h"

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/numa.h>

#include "compat.h"
#include "extent.h"
#include "zero.h"

DEFINE_PER_CPU(struct petmem_page_counts, petmem_page_counts);

/* ---- The areas ---- */

static bool could_be_giant(const struct pool_extent *extent)
{
	return extent->whole && extent->free.buddy.nr_free == extent->nr_pages;
}

void petmem_pool_update(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_pool.lock);

	if (extent->closing)
		return;
	petmem_free_area_update(petmem_pool.areas[extent->node], &extent->free,
				could_be_giant(extent));
	if (list_empty(&extent->unclean) &&
	    extent->nr_clean < extent->free.buddy.nr_free)
		list_add_tail(&extent->unclean, &petmem_pool.unclean);
}

void petmem_pool_close(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_pool.lock);

	extent->closing = true;
	petmem_free_area_remove(&extent->free);
	petmem_zero_cancel(extent->start, extent_size(extent));
	list_del_init(&extent->unclean);
}

void petmem_pool_reopen(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_pool.lock);

	extent->closing = false;
	petmem_pool_update(extent);
}

/* An extent of a node with a free block of an order, or NULL. */
static struct pool_extent *find_in_node(int node, u32 order)
{
	struct petmem_free_area *area = petmem_pool.areas[node];
	struct petmem_free_extent *found;

	if (!area)
		return NULL;
	found = petmem_free_area_find(area, order);
	return found ? container_of(found, struct pool_extent, free) : NULL;
}

static struct pool_extent *find_in_any_node(u32 order)
{
	struct pool_extent *extent = NULL;
	int node;

	for (node = 0; node < MAX_NUMNODES && !extent; node++)
		extent = find_in_node(node, order);
	return extent;
}

bool petmem_pool_has_free(int node)
{
	lockdep_assert_held(&petmem_pool.lock);

	return find_in_node(node, 0);
}

/* ---- Take ---- */

/* Pages were taken out of an extent's allocator. */
static void note_taken(struct pool_extent *extent, u32 first, u32 num_pages)
{
	petmem_pool_update(extent);
	petmem_zero_cancel(address_of(extent, first),
			   (u64)num_pages << PAGE_SHIFT);
}

struct pool_extent *petmem_pool_take(u32 num_pages, int node, u32 *first)
{
	u32 order = order_base_2(num_pages);
	struct pool_extent *extent;

	lockdep_assert_held(&petmem_pool.lock);

	extent = node == NUMA_NO_NODE ? find_in_any_node(order)
				      : find_in_node(node, order);
	if (!extent)
		return NULL;
	*first = petmem_buddy_alloc(&extent->free.buddy, num_pages);
	note_taken(extent, *first, num_pages);
	return extent;
}

struct pool_extent *petmem_pool_take_some(u32 most, int node, u32 *first,
					  u32 *num_pages)
{
	struct pool_extent *extent = find_in_node(node, 0);

	lockdep_assert_held(&petmem_pool.lock);

	if (!extent)
		return NULL;
	*num_pages = petmem_buddy_alloc_some(&extent->free.buddy, most, first);
	note_taken(extent, *first, *num_pages);
	return extent;
}

/* ---- Give back ---- */

static void retire_page(struct pool_extent *extent, u32 page)
{
	petmem_zero_cancel(address_of(extent, page), PAGE_SIZE);
	petmem_buddy_take(&extent->free.buddy, page, 1);
	count_taken(extent, page);
	extent->pages[page] = (struct petmem_page){ .kind = PETMEM_PAGE_BAD };
	petmem_count_pages(PETMEM_PAGE_BAD, 1);
}

void petmem_pool_retire_failed(struct pool_extent *extent, u32 first,
			       u32 num_pages)
{
	unsigned long end = (unsigned long)first + num_pages;
	unsigned long page;

	lockdep_assert_held(&petmem_pool.lock);

	if (likely(!extent->nr_failed))
		return;
	for (page = find_next_bit(extent->failed, end, first); page < end;
	     page = find_next_bit(extent->failed, end, page + 1))
		retire_page(extent, page);
}

void petmem_pool_poison(const struct pool_extent *extent, u32 first,
			u32 num_pages)
{
	petmem_kasan_poison(__va(address_of(extent, first)),
			    (u64)num_pages << PAGE_SHIFT);
}

void petmem_pool_give(struct pool_extent *extent, u32 first, u32 num_pages)
{
	struct petmem_page *pages = &extent->pages[first];

	lockdep_assert_held(&petmem_pool.lock);

	if (WARN_ON_ONCE(
		    petmem_buddy_free(&extent->free.buddy, first, num_pages)))
		return;
	/* A single page may come from a list, and be clean still. */
	if (pages->kind == PETMEM_PAGE_LISTED && pages->clean) {
		*pages = (struct petmem_page){ .clean = true };
		count_cleaned(extent, first);
	} else {
		memset(pages, 0, num_pages * sizeof(*pages));
	}
	petmem_pool_retire_failed(extent, first, num_pages);
}
