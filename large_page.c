// SPDX-License-Identifier: GPL-2.0
/*
 * large_page.c - pages of 2 MiB in the pool.
 */
#include "large_page.h"

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/topology.h>

#include "compat.h"
#include "extent.h"
#include "page_list.h"
#include "pool.h"
#include "zero.h"

/* ---- Take, and give back ---- */

/*
 * The records of the 4 KiB pages stay as they were when the pages were free, until the page
 * is split.
 */
void petmem_large_taken(struct pool_extent *extent, u32 first)
{
	struct petmem_large_page *large = large_page_of(extent, first);

	lockdep_assert_held(&petmem_pool.lock);

	atomic_set(&large->refs, 1);
	petmem_pool.large_pages++;
	count_clean(extent, -(s64)large->clean);
	petmem_count_pages(PETMEM_PAGE_DATA, PETMEM_LARGE_PAGES);
}

/* A 4 KiB page of the processor's own node is better than a 2 MiB page of another. */
static uintptr_t take_large(int node)
{
	struct pool_extent *extent;
	u32 first;

	lockdep_assert_held(&petmem_pool.lock);

	extent = petmem_pool_take(PETMEM_LARGE_PAGES, node, &first);
	if (!extent && !petmem_pool_has_free(node))
		extent = petmem_pool_take(PETMEM_LARGE_PAGES, NUMA_NO_NODE,
					  &first);
	if (!extent)
		return 0;
	petmem_large_taken(extent, first);
	return address_of(extent, first);
}

static uintptr_t try_large(void)
{
	uintptr_t page_addr;

	spin_lock(&petmem_pool.lock);
	page_addr = take_large(numa_node_id());
	spin_unlock(&petmem_pool.lock);
	return page_addr;
}

/* Pages in the processors' lists may be what a 2 MiB page lacks. */
uintptr_t petmem_alloc_large(void)
{
	uintptr_t page_addr = try_large();

	if (!page_addr) {
		petmem_lists_empty();
		page_addr = try_large();
	}
	if (page_addr)
		petmem_kasan_unpoison(__va(page_addr), PMD_SIZE);
	return page_addr;
}

/* All of it becomes free: no entry leads to any part of it. */
static void free_large(struct pool_extent *extent, u32 first)
{
	petmem_pool_poison(extent, first, PETMEM_LARGE_PAGES);
	spin_lock(&petmem_pool.lock);
	*large_page_of(extent, first) = (struct petmem_large_page){};
	petmem_pool.large_pages--;
	petmem_pool_give(extent, first, PETMEM_LARGE_PAGES);
	petmem_pool_update(extent);
	petmem_count_pages(PETMEM_PAGE_DATA, -(s64)PETMEM_LARGE_PAGES);
	spin_unlock(&petmem_pool.lock);
	petmem_zero_wake();
}

/* ---- References ---- */

/* The extent of a 2 MiB page that the caller has from the pool. Warns if there is none. */
static struct pool_extent *large_extent_of(uintptr_t page_addr)
{
	if (WARN_ON_ONCE(!IS_ALIGNED(page_addr, PMD_SIZE)))
		return NULL;
	return petmem_extent_of(page_addr);
}

void petmem_get_large(uintptr_t page_addr)
{
	struct pool_extent *extent = large_extent_of(page_addr);

	if (extent)
		atomic_inc(
			&large_page_of(extent, page_number(extent, page_addr))
				 ->refs);
}

/* Free the pages without a reference in what was a 2 MiB page. */
static u64 free_rest(struct pool_extent *extent, u32 first)
{
	const struct petmem_page *pages = &extent->pages[first];
	u32 i, end;
	u64 freed = 0;

	lockdep_assert_held(&petmem_pool.lock);

	for (i = 0; i < PETMEM_LARGE_PAGES; i = end + 1) {
		for (end = i;
		     end < PETMEM_LARGE_PAGES && !petmem_page_refs(&pages[end]);
		     end++)
			;
		if (end == i)
			continue;
		petmem_pool_poison(extent, first + i, end - i);
		petmem_pool_give(extent, first + i, end - i);
		freed += end - i;
	}
	petmem_pool_update(extent);
	petmem_count_pages(PETMEM_PAGE_DATA, -(s64)freed);
	return freed;
}

/*
 * The last reference to the whole goes. Its 4 KiB pages are free, or have owners of their
 * own, which from now on free them themselves.
 */
static u64 end_large(struct pool_extent *extent, u32 first)
{
	u64 freed;

	spin_lock(&petmem_pool.lock);
	freed = free_rest(extent, first);
	atomic_set_release(&large_page_of(extent, first)->refs, 0);
	petmem_pool.large_pages--;
	spin_unlock(&petmem_pool.lock);
	petmem_zero_wake();
	return freed;
}

static bool any_has_refs(const struct pool_extent *extent, u32 first)
{
	const struct petmem_page *pages = &extent->pages[first];
	u32 i;

	for (i = 0; i < PETMEM_LARGE_PAGES; i++)
		if (petmem_page_refs(&pages[i]))
			return true;
	return false;
}

u64 petmem_put_large(uintptr_t page_addr)
{
	struct pool_extent *extent = large_extent_of(page_addr);
	u32 first;

	if (!extent)
		return 0;
	first = page_number(extent, page_addr);
	if (atomic_add_unless(&large_page_of(extent, first)->refs, -1, 1))
		return 0;
	if (any_has_refs(extent, first))
		return end_large(extent, first);
	free_large(extent, first);
	return PETMEM_LARGE_PAGES;
}

/* Relatives may split the same page at the same time: they write the same kinds. */
void petmem_split_large(uintptr_t page_addr)
{
	struct pool_extent *extent = large_extent_of(page_addr);
	struct petmem_large_page *large;
	u32 first, i;

	if (!extent)
		return;
	first = page_number(extent, page_addr);
	for (i = first; i < first + PETMEM_LARGE_PAGES; i++) {
		WRITE_ONCE(extent->pages[i].kind, PETMEM_PAGE_DATA);
		atomic_inc(&extent->pages[i].refs);
	}
	large = large_page_of(extent, first);
	WRITE_ONCE(large->clean, 0);
	if (!atomic_add_unless(&large->refs, -1, 1))
		end_large(extent, first);
}

u32 petmem_large_refs(uintptr_t page_addr)
{
	struct pool_extent *extent = petmem_extent_at(page_addr);

	if (!extent)
		return 0;
	return petmem_large_page_refs(
		large_page_of(extent, page_number(extent, page_addr)));
}

bool petmem_large_is_shared(uintptr_t page_addr)
{
	struct pool_extent *extent = petmem_extent_at(page_addr);
	u32 first;

	if (!extent)
		return true;
	first = page_number(extent, page_addr);
	/* A relative that splits the page takes references there before it drops one here. */
	return petmem_large_page_refs(large_page_of(extent, first)) > 1 ||
	       any_has_refs(extent, first);
}
