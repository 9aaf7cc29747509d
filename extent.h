/* SPDX-License-Identifier: GPL-2.0 */
/*
 * extent.h - the donated extents: which there are, and the records of their pages.
 *
 * Only the rooms of the pool use this: pool.c, page_list.c, page.c, large_page.c,
 * giant_page.c, zero.c, cleaner.c, inventory.c and report.c.
 *
 * petmem_extents_mutex guards the set of extents, and petmem_pool.lock guards which pages
 * are free. Adding or removing an extent takes both. An extent with a page in use is not
 * removed, so an owner of a page needs no lock to use the page's extent. All others that only
 * look are in an RCU read-side critical section: the records of a removed extent are freed
 * after a grace period.
 */
#ifndef PETMEM_EXTENT_H
#define PETMEM_EXTENT_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "free_area.h"
#include "page.h"

/* The pages of a 2 MiB page. An extent is whole memory blocks, so also whole 2 MiB pages. */
#define PETMEM_LARGE_PAGES PTRS_PER_PTE

/*
 * The record of each aligned 2 MiB. .refs becomes 0, or more than 0, only under
 * petmem_pool.lock. While it is more than 0, references to the 4 KiB pages in it are dropped
 * under this lock, too: so only one of their owners sees the last reference go.
 */
struct petmem_large_page {
	atomic_t refs; /* entries of PMD tables that map it as one page */
	u32 clean; /* free pages that are clean; in a 2 MiB page: that were clean */
	u64 table; /* of the first one in a 1 GiB page: see giant_page.h */
};

struct pool_extent {
	struct list_head list; /* in order of address */
	u64 start; /* physical address */
	u32 nr_pages;
	int node;
	bool whole; /* lies in a whole GiB of donated memory of one node */
	u32 nr_clean; /* pages that are free and clean */
	u32 clean_next; /* where to look for the next page to clean */
	struct petmem_free_extent free;
	struct list_head unclean; /* for the pool's list of such extents */
	bool closing; /* about to be removed: no page is taken */
	struct petmem_page *pages;
	struct petmem_large_page *large_pages;
	/*
	 * A bit for each page that has failed; bits are never cleared. It is not in struct
	 * petmem_page, because that is guarded by a lock of the page's owners.
	 */
	unsigned long *failed;
	u32 nr_failed;
};

struct petmem_pool {
	spinlock_t lock; /* guards all below, and the extents' allocators */
	struct petmem_free_area *areas[MAX_NUMNODES]; /* by node, or NULL */
	struct list_head unclean; /* extents that may have pages to clean */
	u64 large_pages; /* 2 MiB pages in use */
	u64 clean_pages; /* pages that are clean, in the allocators */
	u64 moves; /* how often pages went from an allocator to a list, or back */
};

extern struct petmem_pool petmem_pool;
extern struct mutex petmem_extents_mutex;
extern struct list_head petmem_extents; /* in order of address */

static inline u64 extent_size(const struct pool_extent *extent)
{
	return (u64)extent->nr_pages << PAGE_SHIFT;
}

static inline u64 extent_end(const struct pool_extent *extent)
{
	return extent->start + extent_size(extent);
}

static inline u32 page_number(const struct pool_extent *extent,
			      uintptr_t page_addr)
{
	return (page_addr - extent->start) >> PAGE_SHIFT;
}

/* The inverse of page_number(). */
static inline uintptr_t address_of(const struct pool_extent *extent, u32 page)
{
	return extent->start + ((u64)page << PAGE_SHIFT);
}

static inline struct petmem_large_page *
large_page_of(const struct pool_extent *extent, u32 page)
{
	return &extent->large_pages[page / PETMEM_LARGE_PAGES];
}

/* The acquire is the same as in petmem_page_refs(). */
static inline int petmem_large_page_refs(const struct petmem_large_page *large)
{
	return atomic_read_acquire(&large->refs);
}

/* Count pages that became free and clean, or stopped being so. petmem_pool.lock is held. */
static inline void count_clean(struct pool_extent *extent, s64 more)
{
	extent->nr_clean += more;
	petmem_pool.clean_pages += more;
}

/* The same for one page. */
static inline void count_cleaned(struct pool_extent *extent, u32 page)
{
	large_page_of(extent, page)->clean++;
	count_clean(extent, 1);
}

/* A free page is taken. It stays marked as clean: its new owner need not clear it. */
static inline void count_taken(struct pool_extent *extent, u32 page)
{
	if (!extent->pages[page].clean)
		return;
	large_page_of(extent, page)->clean--;
	count_clean(extent, -1);
}

/*
 * The extent of each memory block, by address. Each fault looks here several times, so this
 * is a plain array, and the look-up is inline. To grow, the array is replaced by a larger
 * one.
 */
struct petmem_block_table {
	struct rcu_head rcu;
	unsigned long nr;
	struct pool_extent *extent[];
};

extern struct petmem_block_table __rcu *petmem_block_table;
extern unsigned int petmem_block_shift; /* of the memory block size */

/**
 * petmem_extent_at() - the extent of an address
 * @page_addr: any physical address
 *
 * Return: the extent, or NULL.
 * Context: any. The extent stays while petmem_extents_mutex is held, or one of its pages is
 * in use. Its records stay during an RCU read-side critical section, too.
 */
static inline struct pool_extent *petmem_extent_at(uintptr_t page_addr)
{
	const struct petmem_block_table *table;
	struct pool_extent *extent = NULL;
	unsigned long block;

	rcu_read_lock();
	table = rcu_dereference(petmem_block_table);
	block = page_addr >> petmem_block_shift;
	if (table && block < table->nr)
		extent = READ_ONCE(table->extent[block]);
	rcu_read_unlock();
	return extent;
}

/**
 * petmem_extent_of() - the extent of a page that the caller has from the pool
 * @page_addr: physical address
 *
 * Return: the extent. If there is none, this warns and returns NULL.
 */
static inline struct pool_extent *petmem_extent_of(uintptr_t page_addr)
{
	struct pool_extent *extent = petmem_extent_at(page_addr);

	WARN_ON_ONCE(!extent);
	return extent;
}

/**
 * petmem_extent_new() - make the records of an extent
 * @start: physical address, a multiple of the memory block size
 * @size: in bytes, a multiple of the memory block size, not 0
 * @node: NUMA node
 *
 * Return: an extent that is not in the set yet, with all pages free; NULL when there is no
 * kernel memory.
 * Context: may sleep.
 */
struct pool_extent *petmem_extent_new(u64 start, u64 size, int node);

/**
 * petmem_extent_delete() - free the records of an extent
 * @extent: was never in the set, or an RCU grace period ago
 *
 * Context: may sleep.
 */
void petmem_extent_delete(struct pool_extent *extent);

/**
 * petmem_extent_insert() - put an extent into the set
 * @extent: from petmem_extent_new()
 *
 * Return: 0; with nothing changed: -EEXIST when a part of it is in the set, -ENOMEM.
 * Context: may sleep; petmem_extents_mutex is held.
 */
int petmem_extent_insert(struct pool_extent *extent);

/**
 * petmem_extent_remove() - take an extent out of the set
 * @extent: in the set; nobody owns a page of it
 *
 * Context: petmem_extents_mutex is held.
 */
void petmem_extent_remove(struct pool_extent *extent);

/**
 * petmem_extents_overlap() - does an extent hold any of this memory?
 * @start: physical address
 * @size: in bytes, not 0
 *
 * Context: petmem_extents_mutex is held.
 */
bool petmem_extents_overlap(u64 start, u64 size);

/**
 * petmem_extents_exit() - free the table of extents
 *
 * Context: module exit; no extent is left.
 */
void petmem_extents_exit(void);

#endif /* PETMEM_EXTENT_H */
