/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pool.h - take donated pages, and give them back.
 *
 * The other rooms of the pool are page.h (references), large_page.h and giant_page.h (pages
 * of 2 MiB and 1 GiB), cleaner.h (pages of zeros), inventory.h (add and remove memory) and
 * report.h.
 */
#ifndef PETMEM_POOL_H
#define PETMEM_POOL_H

#include <linux/types.h>

#include "page.h"

/**
 * petmem_alloc_page() - take a page from the pool
 * @kind: its use, PETMEM_PAGE_TABLE or PETMEM_PAGE_DATA
 *
 * The page is not cleared: see petmem_clear_page(). It has one reference, which the caller
 * gets. A page of the processor's own NUMA node is preferred.
 *
 * Return: physical address; 0, which is never donated, when no page is free.
 * Context: any but interrupts.
 */
uintptr_t petmem_alloc_page(enum petmem_page_kind kind);

/**
 * petmem_free_pages() - give pages back to the pool
 * @page_addr: physical address of the first
 * @num_pages: number of pages, all of one donation and of one kind
 *
 * The caller makes sure that no processor has a translation to them any more.
 *
 * Context: any but interrupts.
 */
void petmem_free_pages(uintptr_t page_addr, u32 num_pages);

/* ---- For the rooms of the pool. Context of all: petmem_pool.lock is held. ---- */

struct pool_extent;

/**
 * petmem_pool_take() - take consecutive pages out of the allocator
 * @num_pages: number of pages; the first is aligned to this, rounded up to a power of two
 * @node: take them from this NUMA node, or from any for NUMA_NO_NODE
 * @first: set to the number of the first page in its extent
 *
 * Return: the extent, whose counts and records the caller updates; NULL when there are no
 * such pages.
 */
struct pool_extent *petmem_pool_take(u32 num_pages, int node, u32 *first);

/**
 * petmem_pool_has_free() - does a node have a free page?
 * @node: NUMA node
 */
bool petmem_pool_has_free(int node);

/**
 * petmem_pool_count() - pages changed their kind
 * @extent: their extent, whose allocator knows of the change
 * @num_pages: number of pages
 * @from: what they were
 * @to: what they are now
 */
void petmem_pool_count(struct pool_extent *extent, u32 num_pages,
		       enum petmem_page_kind from, enum petmem_page_kind to);

/**
 * petmem_pool_give() - put consecutive pages back into the allocator
 * @extent: their extent
 * @first: number of the first page; petmem_pool_poison() was called for all
 * @num_pages: number of pages, all of one kind
 * @kind: their kind
 */
void petmem_pool_give(struct pool_extent *extent, u32 first, u32 num_pages,
		      enum petmem_page_kind kind);

/**
 * petmem_pool_make_available() - put an extent with free pages at its place in the list
 * @extent: the extent
 *
 * Pages are taken from the head of the list. Extents that could be 1 GiB pages are at its
 * tail.
 */
void petmem_pool_make_available(struct pool_extent *extent);

/**
 * petmem_pool_open() - count all pages of a new extent as free
 * @extent: in the set of extents
 */
void petmem_pool_open(struct pool_extent *extent);

/**
 * petmem_pool_close() - stop counting the pages of an extent that will be removed
 * @extent: all its pages are free
 */
void petmem_pool_close(struct pool_extent *extent);

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

#endif /* PETMEM_POOL_H */
