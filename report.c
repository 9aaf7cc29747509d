// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - tell how the pool is used.
 */
#include "report.h"

#include <linux/errno.h>
#include <linux/memory.h>
#include <linux/minmax.h>
#include <linux/percpu.h>

#include "extent.h"
#include "page_list.h"
#include "pool.h"

/* Pages that come or go meanwhile may be missed. */
static u64 sum_pages(enum petmem_page_kind kind)
{
	s64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(
			per_cpu_ptr(&petmem_page_counts, cpu)->pages[kind]);
	return max(sum, 0LL);
}

void petmem_pool_status(struct petmem_status *status)
{
	struct pool_extent *extent;
	u64 used;

	mutex_lock(&petmem_extents_mutex);
	status->blocks = 0;
	status->total_pages = 0;
	list_for_each_entry(extent, &petmem_extents, list) {
		status->blocks++;
		status->total_pages += extent->nr_pages;
	}
	status->block_size = memory_block_size_bytes();
	spin_lock(&petmem_pool.lock);
	status->clean_pages = petmem_pool.clean_pages + petmem_lists_nr_clean();
	status->large_pages = petmem_pool.large_pages;
	spin_unlock(&petmem_pool.lock);
	status->table_pages = sum_pages(PETMEM_PAGE_TABLE);
	status->data_pages = sum_pages(PETMEM_PAGE_DATA);
	status->bad_pages = sum_pages(PETMEM_PAGE_BAD);
	mutex_unlock(&petmem_extents_mutex);
	used = status->table_pages + status->data_pages + status->bad_pages;
	status->free_pages =
		status->total_pages - min(used, status->total_pages);
}

int petmem_pool_block(struct petmem_block *block)
{
	struct pool_extent *extent;
	u32 index = 0;
	int err = -ENOENT;

	/* A free page in a processor's list is in use to its extent's allocator. */
	petmem_lists_empty();
	mutex_lock(&petmem_extents_mutex);
	list_for_each_entry(extent, &petmem_extents, list) {
		if (index++ != block->index)
			continue;
		block->node = extent->node;
		block->start = extent->start;
		block->size = extent_size(extent);
		spin_lock(&petmem_pool.lock);
		block->free_pages = extent->free.buddy.nr_free;
		spin_unlock(&petmem_pool.lock);
		err = 0;
		break;
	}
	mutex_unlock(&petmem_extents_mutex);
	return err;
}

/* The kind of a page that is not free. */
static u32 run_kind(const struct pool_extent *extent, u32 page)
{
	if (petmem_large_page_refs(large_page_of(extent, page)))
		return PETMEM_RUN_LARGE;
	if (extent->pages[page].kind == PETMEM_PAGE_BAD)
		return PETMEM_RUN_BAD;
	if (extent->pages[page].kind == PETMEM_PAGE_LISTED)
		return PETMEM_RUN_FREE;
	return extent->pages[page].kind == PETMEM_PAGE_TABLE ? PETMEM_RUN_TABLE
							     : PETMEM_RUN_DATA;
}

/* Returns the page after the run that begins with @page. */
static u32 run_end(const struct pool_extent *extent, u32 page,
		   struct petmem_run *run)
{
	u8 order = petmem_buddy_order(&extent->free.buddy, page);
	u32 end = page + 1;

	lockdep_assert_held(&petmem_pool.lock);

	if (order != PETMEM_BUDDY_USED) {
		run->kind = PETMEM_RUN_FREE;
		run->order = order;
		return ((page >> order) + 1) << order;
	}
	run->kind = run_kind(extent, page);
	while (end % PETMEM_LARGE_PAGES && run_kind(extent, end) == run->kind &&
	       petmem_buddy_order(&extent->free.buddy, end) ==
		       PETMEM_BUDDY_USED)
		end++;
	return end;
}

int petmem_pool_run(struct petmem_run *run)
{
	struct pool_extent *extent;
	u32 page;

	petmem_lists_empty();
	mutex_lock(&petmem_extents_mutex);
	extent = petmem_extent_at(run->addr);
	if (extent) {
		page = page_number(extent, run->addr);
		spin_lock(&petmem_pool.lock);
		run->size = (u64)(run_end(extent, page, run) - page)
			    << PAGE_SHIFT;
		spin_unlock(&petmem_pool.lock);
	}
	mutex_unlock(&petmem_extents_mutex);
	return extent ? 0 : -ENOENT;
}
