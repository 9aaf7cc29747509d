/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pool.h - the donated pages: who has which, and which are free.
 *
 * All that is known of a page is kept outside of it, so that no stale mapping of a
 * page can ever damage it. Addresses are physical and in bytes. One that is not the pool's,
 * given to a function that wants a page of it, is a mistake: there is a warning, nothing
 * is changed, and the result is that of nothing (0, false).
 */
#ifndef PETMEM_POOL_H
#define PETMEM_POOL_H

#include <linux/types.h>

#include "petmem.h"

enum petmem_page_kind {
	PETMEM_PAGE_FREE,
	PETMEM_PAGE_TABLE,
	PETMEM_PAGE_DATA,
	PETMEM_PAGE_BAD, /* it has failed, and is never handed out */
	PETMEM_PAGE_KINDS,
};

/*
 * What is kept for each page besides the buddy allocator's part.
 *
 * A 2 MiB page is 512 pages that an entry of a PMD table points to as one. How many such
 * entries there are is kept once for each aligned 2 MiB, and each of its pages counts
 * besides how many entries of PTE tables point to it alone. It is free when both are 0.
 */
struct petmem_page {
	u32 refs; /* how many entries of tables point to it, but for 2 MiB pages */
	u16 live; /* of a table: how many of its 512 entries lead anywhere */
	u8 kind; /* enum petmem_page_kind; FREE also in a 2 MiB page never split */
	u8 maybe_writable : 1; /* of a PTE table: a leaf may say so */
	u8 clean : 1; /* it is all zeros, or was when it was taken */
};

/**
 * petmem_alloc_pages() - take consecutive pages from the pool
 * @num_pages: how many; aligned to @num_pages rounded up to a power of two
 * @kind: what they are taken for, PETMEM_PAGE_TABLE or PETMEM_PAGE_DATA
 *
 * The pages are not cleared. Each has one reference, the caller's. A page of the
 * processor's own NUMA node is preferred.
 *
 * Return: physical address of the first; 0, which is never donated, when the pool
 * has no such pages.
 * Context: any but interrupts.
 */
uintptr_t petmem_alloc_pages(u64 num_pages, enum petmem_page_kind kind);

/**
 * petmem_clear_pages() - make pages zeros that were taken just now
 * @page_addr: physical address of the first
 * @num_pages: how many, all of one donation
 *
 * Those that were cleared ahead are so already.
 *
 * Context: may sleep.
 */
void petmem_clear_pages(uintptr_t page_addr, u64 num_pages);

/**
 * petmem_copy_page() - copy a page of 4 KiB, unless it has failed
 * @to: physical address of a page of the pool
 * @from: physical address of another one
 *
 * Return: 0; -EHWPOISON when @from cannot be read, and @to has undefined contents.
 */
int petmem_copy_page(uintptr_t to, uintptr_t from);

/**
 * petmem_pool_fail() - a page has failed
 * @page_addr: any physical address, page-aligned
 *
 * If it is free, it leaves the allocator at once; if it is in use, when it is given back.
 *
 * Return: is it the pool's?
 * Context: may sleep.
 */
bool petmem_pool_fail(uintptr_t page_addr);

/**
 * petmem_pool_clean() - clear a free page ahead, if there is one that is not clean
 *
 * Return: false when there was none.
 * Context: process. Nobody who frees pages waits for it; who takes the very page that
 * it is at waits no longer than it takes to clear one.
 */
bool petmem_pool_clean(void);

/**
 * petmem_free_pages() - give pages back to the pool
 * @page_addr: physical address of the first
 * @num_pages: how many, all of one donation and of one kind
 *
 * No processor may have a translation to them any more.
 *
 * Context: any but interrupts.
 */
void petmem_free_pages(uintptr_t page_addr, u64 num_pages);

/**
 * petmem_put_page() - drop a reference to a page; with the last one it is free
 * @page_addr: physical address
 *
 * Return: how many pages became free, 0 or 1.
 * Context: as for petmem_free_pages(); the owners of the page serialise what they do
 * to its references.
 */
u64 petmem_put_page(uintptr_t page_addr);

/**
 * petmem_alloc_large() - take a 2 MiB page for data
 *
 * Not cleared. It has one reference as a whole, the caller's. One of another NUMA node
 * is taken only when the processor's own has no page left.
 *
 * Return: as from petmem_alloc_pages().
 * Context: any but interrupts.
 */
uintptr_t petmem_alloc_large(void);

/**
 * petmem_get_large() - one more reference to a 2 MiB page
 * @page_addr: physical address
 *
 * Context: as for petmem_put_page(), which is true for all these.
 */
void petmem_get_large(uintptr_t page_addr);

/**
 * petmem_put_large() - drop a reference to a 2 MiB page
 * @page_addr: physical address
 *
 * With the last one those of its pages are free that have no reference of their own.
 *
 * Return: how many pages became free.
 */
u64 petmem_put_large(uintptr_t page_addr);

/**
 * petmem_split_large() - make one reference to a 2 MiB page one to each of its pages
 * @page_addr: physical address
 */
void petmem_split_large(uintptr_t page_addr);

/**
 * petmem_large_refs() - how many entries of PMD tables lead to a 2 MiB page?
 * @page_addr: physical address
 */
u32 petmem_large_refs(uintptr_t page_addr);

/**
 * petmem_large_note() - what the owner of a 2 MiB page wants to keep with it
 * @page_addr: physical address
 *
 * Return: where it is kept; 0 in it at first.
 */
u64 *petmem_large_note(uintptr_t page_addr);

/**
 * petmem_alloc_giant() - take an aligned 1 GiB for data, as 512 pages of 2 MiB
 *
 * It may lie in several donations that are adjacent and of one node. Each of the 512 is
 * as from petmem_alloc_large().
 *
 * Return: as from petmem_alloc_pages().
 * Context: may sleep; no family's lock is held.
 */
uintptr_t petmem_alloc_giant(void);

/**
 * petmem_page_is_shared() - does more than one entry lead to a data page?
 * @page_addr: physical address
 */
bool petmem_page_is_shared(uintptr_t page_addr);

/**
 * petmem_large_is_shared() - does another entry lead to any page of a 2 MiB page?
 * @page_addr: physical address
 */
bool petmem_large_is_shared(uintptr_t page_addr);

/**
 * petmem_pool_page() - what is known of a page
 * @page_addr: physical address of a page that the caller has from the pool
 *
 * Return: it stays valid as long as the page is not freed. Its contents belong to
 * the owners of the page, except for .kind and .clean. It is never NULL: for an address that
 * is not the pool's, which is a mistake of the caller's, there is a warning, and what is
 * known of nobody's page: it has many references, so that it is not taken for private and
 * never becomes free, and as a table it is empty.
 */
struct petmem_page *petmem_pool_page(uintptr_t page_addr);

/**
 * petmem_pool_find() - what is known of a page, if it is the pool's
 * @page_addr: any physical address
 *
 * Return: as from petmem_pool_page(), or NULL.
 */
struct petmem_page *petmem_pool_find(uintptr_t page_addr);

/**
 * petmem_pool_add() - add memory that nobody else uses
 * @start: physical address, multiple of the memory block size
 * @size: the same, not 0
 * @node: NUMA node
 * @failed: a bit for each page, set for those that have failed; from kvcalloc(), and the
 *	pool's if this succeeds
 *
 * Return: 0; -EEXIST when some of it is in the pool already; -ENOMEM.
 * Context: may sleep.
 */
int petmem_pool_add(u64 start, u64 size, int node, unsigned long *failed);

/**
 * petmem_pool_remove() - take back what was added
 * @start: as it was added
 * @size: as it was added
 *
 * Return: 0; -ENOENT; -EBUSY when one of the pages is in use; -EHWPOISON when none is, but
 * one has failed.
 * Context: may sleep.
 */
int petmem_pool_remove(u64 start, u64 size);

/**
 * petmem_pool_overlaps() - does the pool hold any of this memory?
 * @start: physical address
 * @size: not 0
 *
 * Context: may sleep.
 */
bool petmem_pool_overlaps(u64 start, u64 size);

/**
 * petmem_pool_status() - count pages
 * @status: set are total_pages, free_pages, clean_pages, table_pages, data_pages,
 *	bad_pages, large_pages, blocks and block_size, all of one moment
 *
 * Context: may sleep.
 */
void petmem_pool_status(struct petmem_status *status);

/**
 * petmem_pool_block() - describe a donated range
 * @block: .index is read, all else is set
 *
 * Return: 0 or -ENOENT.
 * Context: may sleep.
 */
int petmem_pool_block(struct petmem_block *block);

/**
 * petmem_pool_run() - describe what is in a donated range from a page on
 * @run: .addr is read, all else is set
 *
 * Return: 0; -ENOENT when the page is not the pool's.
 * Context: may sleep.
 */
int petmem_pool_run(struct petmem_run *run);

/**
 * petmem_pool_exit() - free what is left when all memory has been removed
 *
 * Context: module exit.
 */
void petmem_pool_exit(void);

#endif /* PETMEM_POOL_H */
