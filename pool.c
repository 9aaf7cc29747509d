// SPDX-License-Identifier: GPL-2.0
/*
 * pool.c - the donated pages.
 *
 * The pool is a list of donated extents in order of address, each with a buddy
 * allocator of its own. Those that have a free page stand on a second list, so that
 * a full extent costs an allocation nothing. An array by address finds the extent
 * of a page.
 */
#include "pool.h"

#include <linux/list.h>
#include <linux/log2.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "buddy.h"

struct extent {
	struct list_head list; /* in order of address */
	struct list_head available; /* not linked when no page is free */
	u64 start; /* physical address */
	u32 nr_pages;
	int node;
	struct petmem_buddy buddy;
	struct petmem_page *pages;
};

/*
 * extents_mutex keeps the set of extents; pool_lock keeps which of their pages are
 * free. To add or remove an extent takes both.
 */
static DEFINE_MUTEX(extents_mutex);
static LIST_HEAD(extents);
/*
 * The extent of each memory block, by address. It is asked several times in each fault,
 * which is why it is a plain array. It grows by being replaced.
 */
struct block_table {
	struct rcu_head rcu;
	unsigned long nr;
	struct extent *extent[];
};

static struct block_table __rcu *block_table;
static unsigned int block_shift; /* of the memory block size */

static DEFINE_SPINLOCK(pool_lock);
static LIST_HEAD(available);
static u64 count[PETMEM_PAGE_KINDS];

static u64 extent_size(const struct extent *extent)
{
	return (u64)extent->nr_pages << PAGE_SHIFT;
}

/* Without a lock: an extent that has a page in use is not removed. */
static struct extent *extent_of(uintptr_t page_addr)
{
	struct extent *extent;

	rcu_read_lock();
	extent = rcu_dereference(block_table)->extent[page_addr >> block_shift];
	rcu_read_unlock();
	return extent;
}

static u32 page_number(const struct extent *extent, uintptr_t page_addr)
{
	return (page_addr - extent->start) >> PAGE_SHIFT;
}

struct petmem_page *petmem_pool_page(uintptr_t page_addr)
{
	struct extent *extent = extent_of(page_addr);

	return &extent->pages[page_number(extent, page_addr)];
}

struct petmem_page *petmem_pool_find(uintptr_t page_addr)
{
	const struct block_table *table;
	bool known;

	rcu_read_lock();
	table = rcu_dereference(block_table);
	known = table && page_addr >> block_shift < table->nr &&
		table->extent[page_addr >> block_shift];
	rcu_read_unlock();
	return known ? petmem_pool_page(page_addr) : NULL;
}

/* Pages changed hands: keep the counters and the list of extents with room. */
static void account(struct extent *extent, u32 first, u32 num_pages,
		    enum petmem_page_kind from, enum petmem_page_kind to)
{
	u32 i;

	for (i = first; i < first + num_pages; i++) {
		extent->pages[i] = (struct petmem_page){
			.refs = to == PETMEM_PAGE_FREE ? 0 : 1,
			.kind = to,
		};
	}
	count[from] -= num_pages;
	count[to] += num_pages;

	if (!extent->buddy.nr_free)
		list_del_init(&extent->available);
	else if (list_empty(&extent->available))
		list_add(&extent->available, &available);
}

/* Take pages from one node, or from any for NUMA_NO_NODE. Under pool_lock. */
static uintptr_t take(u32 num_pages, enum petmem_page_kind kind, int node)
{
	struct extent *extent;
	u32 first;

	list_for_each_entry(extent, &available, available) {
		if (node != NUMA_NO_NODE && extent->node != node)
			continue;
		first = petmem_buddy_alloc(&extent->buddy, num_pages);
		if (first == PETMEM_BUDDY_NONE)
			continue;
		account(extent, first, num_pages, PETMEM_PAGE_FREE, kind);
		return extent->start + ((u64)first << PAGE_SHIFT);
	}
	return 0;
}

uintptr_t petmem_alloc_pages(u64 num_pages, enum petmem_page_kind kind)
{
	uintptr_t page_addr;

	if (num_pages > U32_MAX)
		return 0;
	spin_lock(&pool_lock);
	page_addr = take(num_pages, kind, numa_node_id());
	if (!page_addr)
		page_addr = take(num_pages, kind, NUMA_NO_NODE);
	spin_unlock(&pool_lock);
	return page_addr;
}

void petmem_free_pages(uintptr_t page_addr, u64 num_pages)
{
	struct extent *extent = extent_of(page_addr);
	u32 first;

	if (WARN_ON_ONCE(!extent))
		return;
	first = page_number(extent, page_addr);
	spin_lock(&pool_lock);
	if (!WARN_ON_ONCE(petmem_buddy_free(&extent->buddy, first, num_pages)))
		account(extent, first, num_pages, extent->pages[first].kind,
			PETMEM_PAGE_FREE);
	spin_unlock(&pool_lock);
}

u64 petmem_put_page(uintptr_t page_addr)
{
	if (--petmem_pool_page(page_addr)->refs)
		return 0;
	petmem_free_pages(page_addr, 1);
	return 1;
}

static void extent_free(struct extent *extent)
{
	petmem_buddy_destroy(&extent->buddy);
	kvfree(extent->pages);
	kfree(extent);
}

static struct extent *extent_new(u64 start, u64 size, int node)
{
	struct extent *extent = kzalloc(sizeof(*extent), GFP_KERNEL);

	if (!extent)
		return NULL;
	INIT_LIST_HEAD(&extent->available);
	extent->start = start;
	extent->nr_pages = size >> PAGE_SHIFT;
	extent->node = node;
	extent->pages =
		kvcalloc(extent->nr_pages, sizeof(*extent->pages), GFP_KERNEL);
	if (!extent->pages ||
	    petmem_buddy_init(&extent->buddy, extent->nr_pages)) {
		extent_free(extent);
		return NULL;
	}
	return extent;
}

/* Have an array for all addresses below @end. Under extents_mutex. */
static int grow_table(u64 end)
{
	struct block_table *old, *new;
	unsigned long nr;

	block_shift = ilog2(memory_block_size_bytes());
	nr = end >> block_shift;
	old = rcu_dereference_protected(block_table,
					lockdep_is_held(&extents_mutex));
	if (old && nr <= old->nr)
		return 0;
	new = kvzalloc(struct_size(new, extent, nr), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->nr = nr;
	if (old)
		memcpy(new->extent, old->extent,
		       flex_array_size(old, extent, old->nr));
	rcu_assign_pointer(block_table, new);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/* Let the blocks of an extent lead to it, or to NULL. Under extents_mutex. */
static void enter_addresses(const struct extent *extent, struct extent *to)
{
	struct block_table *table = rcu_dereference_protected(
		block_table, lockdep_is_held(&extents_mutex));
	u64 end = extent->start + extent_size(extent);
	unsigned long i;

	for (i = extent->start >> block_shift; i < end >> block_shift; i++)
		table->extent[i] = to;
}

static bool overlaps(u64 start, u64 size)
{
	struct extent *extent;

	list_for_each_entry(extent, &extents, list)
		if (start < extent->start + extent_size(extent) &&
		    extent->start < start + size)
			return true;
	return false;
}

/* The extent in front of which one that begins at @start belongs. */
static struct list_head *position(u64 start)
{
	struct extent *extent;

	list_for_each_entry(extent, &extents, list)
		if (extent->start > start)
			return &extent->list;
	return &extents;
}

int petmem_pool_add(u64 start, u64 size, int node)
{
	struct extent *extent = extent_new(start, size, node);
	int err;

	if (!extent)
		return -ENOMEM;
	mutex_lock(&extents_mutex);
	err = overlaps(start, size) ? -EEXIST : grow_table(start + size);
	if (err) {
		mutex_unlock(&extents_mutex);
		extent_free(extent);
		return err;
	}
	enter_addresses(extent, extent);
	list_add_tail(&extent->list, position(start));
	spin_lock(&pool_lock);
	list_add_tail(&extent->available, &available);
	count[PETMEM_PAGE_FREE] += extent->nr_pages;
	spin_unlock(&pool_lock);
	mutex_unlock(&extents_mutex);
	return 0;
}

/* Take all pages of an extent out of circulation, if all are free. */
static bool withdraw(struct extent *extent)
{
	bool idle;

	spin_lock(&pool_lock);
	idle = extent->buddy.nr_free == extent->nr_pages;
	if (idle) {
		list_del_init(&extent->available);
		count[PETMEM_PAGE_FREE] -= extent->nr_pages;
	}
	spin_unlock(&pool_lock);
	return idle;
}

int petmem_pool_remove(u64 start, u64 size)
{
	struct extent *extent;
	int err = -ENOENT;

	mutex_lock(&extents_mutex);
	list_for_each_entry(extent, &extents, list) {
		if (extent->start != start || extent_size(extent) != size)
			continue;
		err = -EBUSY;
		if (!withdraw(extent))
			break;
		enter_addresses(extent, NULL);
		list_del(&extent->list);
		extent_free(extent);
		err = 0;
		break;
	}
	mutex_unlock(&extents_mutex);
	return err;
}

bool petmem_pool_overlaps(u64 start, u64 size)
{
	bool found;

	mutex_lock(&extents_mutex);
	found = overlaps(start, size);
	mutex_unlock(&extents_mutex);
	return found;
}

void petmem_pool_status(struct petmem_status *status)
{
	struct extent *extent;

	mutex_lock(&extents_mutex);
	status->blocks = 0;
	list_for_each_entry(extent, &extents, list)
		status->blocks++;
	status->block_size = memory_block_size_bytes();
	spin_lock(&pool_lock);
	status->free_pages = count[PETMEM_PAGE_FREE];
	status->table_pages = count[PETMEM_PAGE_TABLE];
	status->data_pages = count[PETMEM_PAGE_DATA];
	spin_unlock(&pool_lock);
	mutex_unlock(&extents_mutex);
	status->total_pages =
		status->free_pages + status->table_pages + status->data_pages;
}

int petmem_pool_block(struct petmem_block *block)
{
	struct extent *extent;
	u32 index = 0;
	int err = -ENOENT;

	mutex_lock(&extents_mutex);
	list_for_each_entry(extent, &extents, list) {
		if (index++ != block->index)
			continue;
		block->node = extent->node;
		block->start = extent->start;
		block->size = extent_size(extent);
		block->free_pages = READ_ONCE(extent->buddy.nr_free);
		err = 0;
		break;
	}
	mutex_unlock(&extents_mutex);
	return err;
}

void petmem_pool_exit(void)
{
	kvfree(rcu_dereference_protected(block_table, true));
}
