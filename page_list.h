/* SPDX-License-Identifier: GPL-2.0 */
/*
 * page_list.h - take and give back single pages, by way of a list for each processor.
 *
 * Addresses are physical and in bytes.
 */
#ifndef PETMEM_PAGE_LIST_H
#define PETMEM_PAGE_LIST_H

#include <linux/types.h>

#include "page.h"

/**
 * petmem_alloc_page() - take a page from the pool
 * @kind: its use, PETMEM_PAGE_TABLE or PETMEM_PAGE_DATA
 *
 * The page is not cleared: see petmem_clear_page(). It has one reference, which the caller
 * gets. A page of the processor's own NUMA node is preferred.
 *
 * Return: physical address; 0, which is never donated, when no page is free anywhere.
 * Context: any but interrupts.
 */
uintptr_t petmem_alloc_page(enum petmem_page_kind kind);

/**
 * petmem_free_page() - give a page back to the pool
 * @page_addr: physical address
 *
 * The caller makes sure that no processor has a translation to it any more.
 *
 * Context: any but interrupts.
 */
void petmem_free_page(uintptr_t page_addr);

/* ---- For the rooms of the pool ---- */

struct pool_extent;

/**
 * petmem_give_page() - the same as petmem_free_page()
 * @extent: the page's extent
 * @page: its number
 */
void petmem_give_page(struct pool_extent *extent, u32 page);

/**
 * petmem_lists_empty() - put the pages of all processors' lists back into the allocators
 *
 * Somebody needs them there: to take a larger page, to remove memory, to clear them.
 *
 * Context: any but interrupts.
 */
void petmem_lists_empty(void);

/**
 * petmem_lists_nr_clean() - the number of pages in lists that are clean
 */
u64 petmem_lists_nr_clean(void);

/**
 * petmem_lists_init() - set the lists up
 *
 * Return: 0 or a negative errno.
 * Context: module initialisation.
 */
int petmem_lists_init(void);

/**
 * petmem_lists_exit() - undo petmem_lists_init()
 *
 * Context: module exit; all memory has been removed.
 */
void petmem_lists_exit(void);

#endif /* PETMEM_PAGE_LIST_H */
