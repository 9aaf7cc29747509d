/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pool.h - the donated pages: which are free, and how often the others are used.
 *
 * The record of a page is kept outside of the page, so no stale mapping can damage it.
 * Addresses are physical and in bytes. A function that needs a page of the pool warns if an
 * address is not in the pool. Then it changes nothing and returns 0 or false.
 */
#ifndef PETMEM_POOL_H
#define PETMEM_POOL_H

#include <linux/types.h>

#include "petmem.h"

enum petmem_page_kind {
	PETMEM_PAGE_FREE,
	PETMEM_PAGE_TABLE,
	PETMEM_PAGE_DATA,
	PETMEM_PAGE_BAD, /* has failed, and is never handed out */
	PETMEM_PAGE_KINDS,
};

/*
 * The record of a page, besides the buddy allocator's part.
 *
 * A 2 MiB page is 512 pages that one entry of a PMD table points to. The number of such
 * entries is counted for the 2 MiB as a whole. In addition, each of the 512 pages counts the
 * entries of PTE tables that point to it alone. A page is free when both counts are 0.
 */
struct petmem_page {
	u32 refs; /* entries that point to it, except those of 2 MiB pages */
	u16 live; /* in a table: those of its 512 entries that lead to a page or table */
	u8 kind; /* enum petmem_page_kind; FREE also in a 2 MiB page never split */
	u8 maybe_writable : 1; /* in a PTE table: a leaf may be writable */
	u8 clean : 1; /* it is all zeros, or was when it was taken */
};

/**
 * petmem_alloc_pages() - take consecutive pages from the pool
 * @num_pages: number of pages; the first is aligned to this, rounded up to a power of two
 * @kind: their use, PETMEM_PAGE_TABLE or PETMEM_PAGE_DATA
 *
 * The pages are not cleared. Each has one reference, which the caller gets. Pages of the
 * processor's own NUMA node are preferred.
 *
 * Return: physical address of the first page; 0, which is never donated, when the pool has
 * no such pages.
 * Context: any but interrupts.
 */
uintptr_t petmem_alloc_pages(u64 num_pages, enum petmem_page_kind kind);

/**
 * petmem_clear_pages() - clear pages that were just taken
 * @page_addr: physical address of the first
 * @num_pages: number of pages, all of one donation
 *
 * Skips the pages that were cleared ahead of time.
 *
 * Context: may sleep.
 */
void petmem_clear_pages(uintptr_t page_addr, u64 num_pages);

/**
 * petmem_copy_page() - copy a 4 KiB page, unless it has failed
 * @to: physical address of a page of the pool
 * @from: physical address of another one
 *
 * Return: 0; -EHWPOISON when @from cannot be read: then the contents of @to are undefined.
 */
int petmem_copy_page(uintptr_t to, uintptr_t from);

/**
 * petmem_pool_fail() - mark a page as failed
 * @page_addr: any physical address, page-aligned
 *
 * A free page leaves the allocator at once. A page in use leaves it when it is given back.
 *
 * Return: true if the page is in the pool.
 * Context: may sleep.
 */
bool petmem_pool_fail(uintptr_t page_addr);

/**
 * petmem_pool_clean() - clear a free page ahead of time
 *
 * Return: false when all free pages are clean.
 * Context: process context. Freeing pages never waits for it. Taking the page that is being
 * cleared waits until it is cleared.
 */
bool petmem_pool_clean(void);

/**
 * petmem_free_pages() - give pages back to the pool
 * @page_addr: physical address of the first
 * @num_pages: number of pages, all of one donation and of one kind
 *
 * The caller makes sure that no processor has a translation to them any more.
 *
 * Context: any but interrupts.
 */
void petmem_free_pages(uintptr_t page_addr, u64 num_pages);

/**
 * petmem_put_page() - drop a reference to a page, and free it with the last one
 * @page_addr: physical address
 *
 * Return: the number of pages that became free, 0 or 1.
 * Context: as for petmem_free_pages(); the owners of the page serialise all changes of its
 * references.
 */
u64 petmem_put_page(uintptr_t page_addr);

/**
 * petmem_alloc_large() - take a 2 MiB page for data
 *
 * The page is not cleared. It has one reference as a whole, which the caller gets. A page of
 * another NUMA node is taken only when the processor's own node has no free page at all.
 *
 * Return: as from petmem_alloc_pages().
 * Context: any but interrupts.
 */
uintptr_t petmem_alloc_large(void);

/**
 * petmem_get_large() - take another reference to a 2 MiB page
 * @page_addr: physical address
 *
 * Context: as for petmem_put_page(); this holds for all functions of 2 MiB pages.
 */
void petmem_get_large(uintptr_t page_addr);

/**
 * petmem_put_large() - drop a reference to a 2 MiB page
 * @page_addr: physical address
 *
 * With the last one, the pages in it that have no reference of their own become free.
 *
 * Return: the number of pages that became free.
 */
u64 petmem_put_large(uintptr_t page_addr);

/**
 * petmem_split_large() - turn a reference to a 2 MiB page into one to each of its pages
 * @page_addr: physical address
 */
void petmem_split_large(uintptr_t page_addr);

/**
 * petmem_large_refs() - the number of PMD entries that lead to a 2 MiB page
 * @page_addr: physical address
 */
u32 petmem_large_refs(uintptr_t page_addr);

/**
 * petmem_large_note() - a number that the owner of a 2 MiB page may keep with it
 * @page_addr: physical address
 *
 * Return: the place of the number, which is 0 at first.
 */
u64 *petmem_large_note(uintptr_t page_addr);

/**
 * petmem_alloc_giant() - take an aligned 1 GiB for data, as 512 pages of 2 MiB
 *
 * It may lie in several adjacent donations of one node. Each of the 512 pages is as from
 * petmem_alloc_large().
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
 * petmem_pool_page() - the record of a page
 * @page_addr: physical address of a page that the caller has from the pool
 *
 * Return: the record, which stays valid until the page is freed. The page's owners may
 * change it, except for .kind and .clean. The result is never NULL. For an address that is
 * not in the pool, this warns and returns the record of a page that nobody owns: it has
 * many references, so it is never private and never becomes free, and as a table it is
 * empty.
 */
struct petmem_page *petmem_pool_page(uintptr_t page_addr);

/**
 * petmem_pool_find() - the record of a page, if it is in the pool
 * @page_addr: any physical address
 *
 * Return: as from petmem_pool_page(), or NULL.
 */
struct petmem_page *petmem_pool_find(uintptr_t page_addr);

/**
 * petmem_pool_add() - add memory that nobody else uses
 * @start: physical address, a multiple of the memory block size
 * @size: in bytes, a multiple of the memory block size, not 0
 * @node: NUMA node
 * @failed: a bit for each page, set for failed pages; from kvcalloc(); the pool takes it
 *	over if this succeeds
 *
 * Return: 0; -EEXIST when a part of it is in the pool already; -ENOMEM.
 * Context: may sleep.
 */
int petmem_pool_add(u64 start, u64 size, int node, unsigned long *failed);

/**
 * petmem_pool_remove() - remove memory from the pool
 * @start: as for petmem_pool_add()
 * @size: as for petmem_pool_add()
 *
 * Return: 0; -ENOENT when it was not added as one; -EBUSY when one of the pages is in use;
 * -EHWPOISON when no page is in use, but one has failed.
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
 * @status: total_pages, free_pages, clean_pages, table_pages, data_pages, bad_pages,
 *	large_pages, blocks and block_size are set, all for one moment
 *
 * Context: may sleep.
 */
void petmem_pool_status(struct petmem_status *status);

/**
 * petmem_pool_block() - describe a donated range
 * @block: .index is read, all other fields are set
 *
 * Return: 0 or -ENOENT.
 * Context: may sleep.
 */
int petmem_pool_block(struct petmem_block *block);

/**
 * petmem_pool_run() - describe how a donated range is used from a page onwards
 * @run: .addr is read, all other fields are set
 *
 * Return: 0; -ENOENT when the page is not in the pool.
 * Context: may sleep.
 */
int petmem_pool_run(struct petmem_run *run);

/**
 * petmem_pool_exit() - free the table of extents, when all memory has been removed
 *
 * Context: module exit.
 */
void petmem_pool_exit(void);

#endif /* PETMEM_POOL_H */
