// SPDX-License-Identifier: GPL-2.0
/*
 * pool.c - take donated pages, and give them back.
 *
 * Each extent has a buddy allocator of its own. A list has the extents with a free page, so
 * an allocation does not look at full ones.
 */
#include "pool.h"

#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/topology.h>

#include "cleaner.h"
#include "compat.h"
#include "extent.h"

/* ---- The list of available extents ---- */

static bool could_be_giant(const struct pool_extent *extent)
{
	return extent->whole && extent->buddy.nr_free == extent->nr_pages;
}

void petmem_pool_make_available(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_pool.lock);

	if (could_be_giant(extent))
		list_move_tail(&extent->available, &petmem_pool.available);
	else if (list_empty(&extent->available))
		list_add(&extent->available, &petmem_pool.available);
}

void petmem_pool_count(struct pool_extent *extent, u32 num_pages,
		       enum petmem_page_kind from, enum petmem_page_kind to)
{
	lockdep_assert_held(&petmem_pool.lock);

	petmem_pool.count[from] -= num_pages;
	petmem_pool.count[to] += num_pages;

	if (to == PETMEM_PAGE_FREE)
		petmem_pool_make_available(extent);
	else if (!extent->buddy.nr_free)
		list_del_init(&extent->available);
}

/* The first extent for 1 GiB pages. */
static struct list_head *first_giant(void)
{
	struct pool_extent *extent;

	list_for_each_entry(extent, &petmem_pool.available, available)
		if (could_be_giant(extent))
			return &extent->available;
	return &petmem_pool.available;
}

void petmem_pool_open(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_pool.lock);

	list_add_tail(&extent->available, first_giant());
	petmem_pool.count[PETMEM_PAGE_FREE] += extent->nr_pages;
}

void petmem_pool_close(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_pool.lock);

	petmem_cleaner_cancel(extent->start, extent_size(extent));
	list_del_init(&extent->available);
	petmem_pool.count[PETMEM_PAGE_FREE] -= extent->nr_pages;
	count_clean(extent, -(s64)extent->nr_clean);
}

bool petmem_pool_has_free(int node)
{
	struct pool_extent *extent;

	lockdep_assert_held(&petmem_pool.lock);

	list_for_each_entry(extent, &petmem_pool.available, available)
		if (extent->node == node)
			return true;
	return false;
}

/* ---- Take ---- */

struct pool_extent *petmem_pool_take(u32 num_pages, int node, u32 *first)
{
	struct pool_extent *extent;
	uintptr_t addr;

	lockdep_assert_held(&petmem_pool.lock);

	list_for_each_entry(extent, &petmem_pool.available, available) {
		if (node != NUMA_NO_NODE && extent->node != node)
			continue;
		*first = petmem_buddy_alloc(&extent->buddy, num_pages);
		if (*first == PETMEM_BUDDY_NONE)
			continue;
		addr = address_of(extent, *first);
		petmem_cleaner_cancel(addr, (u64)num_pages << PAGE_SHIFT);
		petmem_kasan_unpoison(__va(addr), (u64)num_pages << PAGE_SHIFT);
		return extent;
	}
	return NULL;
}

/* A page stops being free. A clean one stays marked: its new owner need not clear it. */
static void record_taken(struct pool_extent *extent, u32 page,
			 enum petmem_page_kind kind)
{
	bool clean = extent->pages[page].clean;

	if (clean) {
		large_page_of(extent, page)->clean--;
		count_clean(extent, -1);
	}
	extent->pages[page] = (struct petmem_page){
		.refs = ATOMIC_INIT(kind != PETMEM_PAGE_BAD),
		.kind = kind,
		.clean = clean,
	};
	petmem_pool_count(extent, 1, PETMEM_PAGE_FREE, kind);
}

uintptr_t petmem_alloc_page(enum petmem_page_kind kind)
{
	struct pool_extent *extent;
	uintptr_t page_addr = 0;
	u32 page;

	spin_lock(&petmem_pool.lock);
	extent = petmem_pool_take(1, numa_node_id(), &page)
			 ?: petmem_pool_take(1, NUMA_NO_NODE, &page);
	if (extent) {
		record_taken(extent, page, kind);
		page_addr = address_of(extent, page);
	}
	spin_unlock(&petmem_pool.lock);
	return page_addr;
}

/* ---- Give back ---- */

static void retire_page(struct pool_extent *extent, u32 page)
{
	petmem_cleaner_cancel(address_of(extent, page), PAGE_SIZE);
	petmem_buddy_take(&extent->buddy, page, 1);
	record_taken(extent, page, PETMEM_PAGE_BAD);
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

/* Pages that come back have been written to, so their new records are not clean. */
void petmem_pool_give(struct pool_extent *extent, u32 first, u32 num_pages,
		      enum petmem_page_kind kind)
{
	struct petmem_page *pages = &extent->pages[first];

	lockdep_assert_held(&petmem_pool.lock);

	if (WARN_ON_ONCE(petmem_buddy_free(&extent->buddy, first, num_pages)))
		return;
	petmem_pool_count(extent, num_pages, kind, PETMEM_PAGE_FREE);
	memset(pages, 0, num_pages * sizeof(*pages));
	petmem_pool_retire_failed(extent, first, num_pages);
}

void petmem_free_pages(uintptr_t page_addr, u32 num_pages)
{
	struct pool_extent *extent = petmem_extent_of(page_addr);
	u32 first;

	if (!extent)
		return;
	first = page_number(extent, page_addr);
	petmem_pool_poison(extent, first, num_pages);
	spin_lock(&petmem_pool.lock);
	petmem_pool_give(extent, first, num_pages, extent->pages[first].kind);
	spin_unlock(&petmem_pool.lock);
	petmem_cleaner_wake();
}
