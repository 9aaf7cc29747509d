// SPDX-License-Identifier: GPL-2.0
/*
 * extent.c - the set of donated extents.
 *
 * They are in a list in order of address, and an array by address finds the extent of a
 * page.
 */
#include "extent.h"

#include <linux/log2.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "compat.h"

/* Guards the list, and is held while an extent comes or goes. */
DEFINE_MUTEX(petmem_extents_mutex);
LIST_HEAD(petmem_extents);

struct petmem_pool petmem_pool = {
	.lock = __SPIN_LOCK_UNLOCKED(petmem_pool.lock),
	.unclean = LIST_HEAD_INIT(petmem_pool.unclean),
};

struct petmem_block_table __rcu *petmem_block_table;
unsigned int petmem_block_shift;

void petmem_extent_delete(struct pool_extent *extent)
{
	petmem_buddy_destroy(&extent->free.buddy);
	kvfree(extent->failed);
	kvfree(extent->large_pages);
	kvfree(extent->pages);
	kfree(extent);
}

struct pool_extent *petmem_extent_new(u64 start, u64 size, int node)
{
	struct pool_extent *extent = kzalloc(sizeof(*extent), GFP_KERNEL);

	if (!extent)
		return NULL;
	INIT_LIST_HEAD(&extent->free.list);
	INIT_LIST_HEAD(&extent->unclean);
	extent->start = start;
	extent->nr_pages = size >> PAGE_SHIFT;
	extent->node = node;
	extent->pages =
		kvcalloc(extent->nr_pages, sizeof(*extent->pages), GFP_KERNEL);
	extent->large_pages =
		kvcalloc(extent->nr_pages / PETMEM_LARGE_PAGES,
			 sizeof(*extent->large_pages), GFP_KERNEL);
	if (!extent->pages || !extent->large_pages ||
	    petmem_buddy_init(&extent->free.buddy, extent->nr_pages)) {
		petmem_extent_delete(extent);
		return NULL;
	}
	return extent;
}

/* The array, for those who may change it. */
static struct petmem_block_table *own_table(void)
{
	return rcu_dereference_protected(
		petmem_block_table, lockdep_is_held(&petmem_extents_mutex));
}

/* Let the array have room for all addresses below @end. */
static int grow_table(u64 end)
{
	struct petmem_block_table *old = own_table(), *new;
	unsigned long nr;

	petmem_block_shift = ilog2(memory_block_size_bytes());
	nr = end >> petmem_block_shift;
	if (old && nr <= old->nr)
		return 0;
	new = kvzalloc(struct_size(new, extent, nr), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->nr = nr;
	if (old)
		memcpy(new->extent, old->extent,
		       flex_array_size(old, extent, old->nr));
	rcu_assign_pointer(petmem_block_table, new);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/* Set the entries of an extent's blocks to the extent, or to NULL. */
static void enter_addresses(const struct pool_extent *extent,
			    struct pool_extent *to)
{
	struct petmem_block_table *table = own_table();
	u64 end = extent_end(extent);
	unsigned long i;

	for (i = extent->start >> petmem_block_shift;
	     i < end >> petmem_block_shift; i++)
		WRITE_ONCE(table->extent[i], to);
}

bool petmem_extents_overlap(u64 start, u64 size)
{
	struct pool_extent *extent;

	lockdep_assert_held(&petmem_extents_mutex);

	list_for_each_entry(extent, &petmem_extents, list)
		if (start < extent_end(extent) && extent->start < start + size)
			return true;
	return false;
}

/* The list entry before which an extent that begins at @start belongs. */
static struct list_head *position_for(u64 start)
{
	struct pool_extent *extent;

	list_for_each_entry(extent, &petmem_extents, list)
		if (extent->start > start)
			return &extent->list;
	return &petmem_extents;
}

/* Make the area of a node, if it has none. Areas stay until the end. */
static int make_area(int node)
{
	struct petmem_free_area *area;

	if (petmem_pool.areas[node])
		return 0;
	area = kmalloc(sizeof(*area), GFP_KERNEL);
	if (!area)
		return -ENOMEM;
	petmem_free_area_init(area);
	spin_lock(&petmem_pool.lock);
	petmem_pool.areas[node] = area;
	spin_unlock(&petmem_pool.lock);
	return 0;
}

int petmem_extent_insert(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_extents_mutex);

	if (petmem_extents_overlap(extent->start, extent_size(extent)))
		return -EEXIST;
	if (make_area(extent->node) || grow_table(extent_end(extent)))
		return -ENOMEM;
	enter_addresses(extent, extent);
	list_add_tail(&extent->list, position_for(extent->start));
	return 0;
}

void petmem_extent_remove(struct pool_extent *extent)
{
	lockdep_assert_held(&petmem_extents_mutex);

	enter_addresses(extent, NULL);
	list_del(&extent->list);
}

void petmem_extents_exit(void)
{
	int node;

	for (node = 0; node < MAX_NUMNODES; node++)
		kfree(petmem_pool.areas[node]);
	kvfree(rcu_dereference_protected(petmem_block_table, true));
}
