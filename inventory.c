// SPDX-License-Identifier: GPL-2.0
/*
 * inventory.c - what memory the pool has.
 */
#include "inventory.h"

#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/rcupdate.h>

#include "extent.h"
#include "giant_page.h"
#include "page_list.h"
#include "pool.h"
#include "zero.h"

/* Make the pages of a new extent available. */
static void open_extent(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_extents_mutex);

	petmem_pool_poison(extent, 0, extent->nr_pages);
	spin_lock(&petmem_pool.lock);
	extent->nr_failed = bitmap_weight(extent->failed, extent->nr_pages);
	petmem_pool_retire_failed(extent, 0, extent->nr_pages);
	petmem_pool_update(extent);
	petmem_giant_mark(extent->start, extent_end(extent));
	spin_unlock(&petmem_pool.lock);
}

int petmem_pool_add(u64 start, u64 size, int node, unsigned long *failed)
{
	struct pool_extent *extent = petmem_extent_new(start, size, node);
	int err;

	if (!extent)
		return -ENOMEM;
	mutex_lock(&petmem_extents_mutex);
	err = petmem_extent_insert(extent);
	if (!err) {
		extent->failed = failed;
		open_extent(extent);
	}
	mutex_unlock(&petmem_extents_mutex);
	if (err)
		petmem_extent_delete(extent);
	else
		petmem_zero_wake();
	return err;
}

/* Are all pages of an extent free? */
static int check_idle(const struct pool_extent *extent)
{
	u32 nr_free = extent->free.buddy.nr_free;

	lockdep_assert_held(&petmem_pool.lock);

	if (nr_free == extent->nr_pages)
		return 0;
	return nr_free == extent->nr_pages - extent->nr_failed ? -EHWPOISON
							       : -EBUSY;
}

/*
 * Take all pages of an extent out of circulation, if all are free. Those in the processors'
 * lists are free, and no more of them get there while the extent is closed.
 */
static int close_extent(struct pool_extent *extent)
{
	int err;

	spin_lock(&petmem_pool.lock);
	petmem_pool_close(extent);
	spin_unlock(&petmem_pool.lock);
	petmem_lists_empty();
	spin_lock(&petmem_pool.lock);
	err = check_idle(extent);
	if (err)
		petmem_pool_reopen(extent);
	else
		count_clean(extent, -(s64)extent->nr_clean);
	spin_unlock(&petmem_pool.lock);
	return err;
}

int petmem_pool_remove(u64 start, u64 size)
{
	struct pool_extent *extent;
	int err = -ENOENT;

	mutex_lock(&petmem_extents_mutex);
	extent = petmem_extent_at(start);
	if (extent && extent->start == start && extent_size(extent) == size)
		err = close_extent(extent);
	if (!err) {
		petmem_extent_remove(extent);
		/* Somebody may be looking at the records. */
		synchronize_rcu();
		petmem_extent_delete(extent);
		spin_lock(&petmem_pool.lock);
		petmem_giant_mark(start, start + size);
		spin_unlock(&petmem_pool.lock);
	}
	mutex_unlock(&petmem_extents_mutex);
	return err;
}

bool petmem_pool_overlaps(u64 start, u64 size)
{
	bool found;

	mutex_lock(&petmem_extents_mutex);
	found = petmem_extents_overlap(start, size);
	mutex_unlock(&petmem_extents_mutex);
	return found;
}

static void fail_page(struct pool_extent *extent, u32 page)
{
	lockdep_assert_held(&petmem_pool.lock);

	if (test_and_set_bit(page, extent->failed))
		return;
	WRITE_ONCE(extent->nr_failed, extent->nr_failed + 1);
	if (petmem_buddy_order(&extent->free.buddy, page) != PETMEM_BUDDY_USED)
		petmem_pool_retire_failed(extent, page, 1);
	petmem_pool_update(extent);
}

bool petmem_pool_fail(uintptr_t page_addr)
{
	struct pool_extent *extent;

	mutex_lock(&petmem_extents_mutex);
	extent = petmem_extent_at(page_addr);
	if (extent) {
		spin_lock(&petmem_pool.lock);
		fail_page(extent, page_number(extent, page_addr));
		spin_unlock(&petmem_pool.lock);
		/* A list must not have the page. */
		petmem_lists_empty();
	}
	mutex_unlock(&petmem_extents_mutex);
	return extent;
}

void petmem_pool_exit(void)
{
	petmem_extents_exit();
}
