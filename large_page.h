/* SPDX-License-Identifier: GPL-2.0 */
/*
 * large_page.h - pages of 2 MiB in the pool. page.h says how their owners are counted, and
 * the rules there hold here, too.
 */
#ifndef PETMEM_LARGE_PAGE_H
#define PETMEM_LARGE_PAGE_H

#include <linux/types.h>

/**
 * petmem_alloc_large() - take a 2 MiB page for data
 *
 * The page is not cleared. It has one reference as a whole, which the caller gets. A page of
 * another NUMA node is taken only when the processor's own node has no free page at all.
 *
 * Return: physical address; 0 when there is no such page.
 * Context: any but interrupts.
 */
uintptr_t petmem_alloc_large(void);

/**
 * petmem_get_large() - take another reference to a 2 MiB page
 * @page_addr: physical address
 */
void petmem_get_large(uintptr_t page_addr);

/**
 * petmem_put_large() - drop a reference to a 2 MiB page
 * @page_addr: physical address
 *
 * With the last one, the pages in it that have no reference of their own become free.
 *
 * Return: the number of pages that became free.
 * Context: any but interrupts.
 */
u64 petmem_put_large(uintptr_t page_addr);

/**
 * petmem_split_large() - turn a reference to a 2 MiB page into one to each of its pages
 * @page_addr: physical address
 *
 * Context: any but interrupts.
 */
void petmem_split_large(uintptr_t page_addr);

/**
 * petmem_large_refs() - the number of PMD entries that lead to a 2 MiB page
 * @page_addr: physical address
 *
 * Context: as for petmem_pool_find().
 */
u32 petmem_large_refs(uintptr_t page_addr);

/**
 * petmem_large_is_shared() - does another entry lead to any page of a 2 MiB page?
 * @page_addr: physical address
 *
 * Return: true also when the page is not in the pool.
 * Context: as for petmem_pool_find().
 */
bool petmem_large_is_shared(uintptr_t page_addr);

/* ---- For the rooms of the pool ---- */

struct pool_extent;

/**
 * petmem_large_taken() - free pages became a 2 MiB page
 * @extent: their extent, whose allocator knows of the change
 * @first: number of the first page
 *
 * Context: petmem_pool.lock is held.
 */
void petmem_large_taken(struct pool_extent *extent, u32 first);

#endif /* PETMEM_LARGE_PAGE_H */
