/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pool.h - take donated pages out of the allocators, and put them back.
 *
 * Only the rooms of the pool use this. All others use page_list.h (take and give back pages),
 * page.h (references), large_page.h and giant_page.h (pages of 2 MiB and 1 GiB), cleaner.h
 * and zero.h (pages of zeros), inventory.h (add and remove memory) and report.h.
 *
 * Context of all functions, unless they say otherwise: petmem_pool.lock is held.
 */
#ifndef PETMEM_POOL_H
#define PETMEM_POOL_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "page.h"

struct pool_extent;

/**
 * petmem_pool_take() - take consecutive pages
 * @num_pages: number of pages; the first is aligned to this, rounded up to a power of two
 * @node: take them from this NUMA node, or from any for NUMA_NO_NODE
 * @first: set to the number of the first page in its extent
 *
 * Return: the extent, whose counts and records the caller updates; NULL when there are no
 * such pages.
 */
struct pool_extent *petmem_pool_take(u32 num_pages, int node, u32 *first);

/**
 * petmem_pool_take_some() - take a few consecutive pages of a node
 * @most: the most pages to take, a power of two
 * @node: NUMA node
 * @first: set to the number of the first page in its extent
 * @num_pages: set to the number of pages
 *
 * Return: as petmem_pool_take().
 */
struct pool_extent *petmem_pool_take_some(u32 most, int node, u32 *first,
					  u32 *num_pages);

/**
 * petmem_pool_has_free() - does a node have a free page?
 * @node: NUMA node
 */
bool petmem_pool_has_free(int node);

/**
 * petmem_pool_give() - put consecutive pages back
 * @extent: their extent
 * @first: number of the first page; petmem_pool_poison() was called for all
 * @num_pages: number of pages
 *
 * Their records become those of free pages. petmem_pool_update() has to follow.
 */
void petmem_pool_give(struct pool_extent *extent, u32 first, u32 num_pages);

/**
 * petmem_pool_update() - put an extent into its place after its allocator has changed
 * @extent: in the set of extents
 *
 * An extent that could be a 1 GiB page is used after all others of its kind.
 */
void petmem_pool_update(struct pool_extent *extent);

/**
 * petmem_pool_close() - take no more pages of an extent, and do not clear any
 * @extent: the extent
 */
void petmem_pool_close(struct pool_extent *extent);

/**
 * petmem_pool_reopen() - undo petmem_pool_close()
 * @extent: the extent
 */
void petmem_pool_reopen(struct pool_extent *extent);

/**
 * petmem_pool_retire_failed() - take failed pages out of circulation
 * @extent: the extent
 * @first: number of the first page to look at
 * @num_pages: number of pages to look at; all are free
 */
void petmem_pool_retire_failed(struct pool_extent *extent, u32 first,
			       u32 num_pages);

/**
 * petmem_pool_poison() - let KASAN report every access to pages that are about to be free
 * @extent: the extent
 * @first: number of the first page
 * @num_pages: number of pages
 *
 * Context: any.
 */
void petmem_pool_poison(const struct pool_extent *extent, u32 first,
			u32 num_pages);

/* The pages in use, by kind. Each processor counts for itself, so only sums mean something. */
struct petmem_page_counts {
	s64 pages[PETMEM_PAGE_KINDS];
};

DECLARE_PER_CPU(struct petmem_page_counts, petmem_page_counts);

/**
 * petmem_count_pages() - count pages that came into use, or went out of it
 * @kind: their kind
 * @more: number of pages, negative when they went out of use
 *
 * Context: any.
 */
static inline void petmem_count_pages(enum petmem_page_kind kind, s64 more)
{
	this_cpu_add(petmem_page_counts.pages[kind], more);
}

#endif /* PETMEM_POOL_H */
