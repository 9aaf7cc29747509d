/* SPDX-License-Identifier: GPL-2.0 */
/*
 * page.h - the records of the pool's pages, and the references to pages of 4 KiB.
 *
 * The record of a page is kept outside of the page, so no stale mapping can damage it.
 * Addresses are physical and in bytes. A function that needs a page of the pool warns if an
 * address is not in the pool. Then it changes nothing and returns 0 or false.
 *
 * Relatives count references to the same page at the same time, so the counts are atomic.
 * Only an owner of a page takes another reference to it. So an owner that finds a count of 1
 * is the only owner until it takes a reference itself.
 */
#ifndef PETMEM_PAGE_H
#define PETMEM_PAGE_H

#include <linux/atomic.h>
#include <linux/types.h>

enum petmem_page_kind {
	PETMEM_PAGE_FREE, /* in the buddy allocator */
	PETMEM_PAGE_LISTED, /* free, in a processor's list */
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
	atomic_t
		refs; /* entries that point to it, except those of 2 MiB pages */
	u16 live; /* in a table: those of its 512 entries that lead to a page or table */
	u8 kind; /* enum petmem_page_kind; FREE also in a 2 MiB page never split */
	u8 maybe_writable : 1; /* in a PTE table: a leaf may be writable */
	u8 clean : 1; /* it is all zeros, or was when it was taken */
};

/**
 * petmem_pool_page() - the record of a page
 * @page_addr: physical address of a page that the caller has from the pool
 *
 * Return: the record, which stays valid until the page is freed. The page's owners may
 * change it, except for .kind and .clean: pgtables.h says with which lock. The result is
 * never NULL. For an address that is not in the pool, this warns and returns the record of a
 * page that nobody owns: it has many references, so it is never private and never becomes
 * free, and as a table it is empty.
 * Context: any.
 */
struct petmem_page *petmem_pool_page(uintptr_t page_addr);

/**
 * petmem_pool_find() - the record of a page, if it is in the pool
 * @page_addr: any physical address
 *
 * Return: as from petmem_pool_page(), or NULL.
 * Context: the caller owns the page, or is in an RCU read-side critical section: then it may
 * be free by now, but its record stays.
 */
struct petmem_page *petmem_pool_find(uintptr_t page_addr);

/**
 * petmem_get_page() - take another reference to a page
 * @page_addr: physical address
 */
static inline void petmem_get_page(uintptr_t page_addr)
{
	atomic_inc(&petmem_pool_page(page_addr)->refs);
}

/**
 * petmem_page_refs() - the number of entries that lead to a page
 * @page: its record
 *
 * What other owners did before they dropped their references is visible to the caller.
 */
static inline int petmem_page_refs(const struct petmem_page *page)
{
	return atomic_read_acquire(&page->refs);
}

/**
 * petmem_put_page() - drop a reference to a page, and free it with the last one
 * @page_addr: physical address
 *
 * Return: the number of pages that became free, 0 or 1.
 * Context: any but interrupts.
 */
u64 petmem_put_page(uintptr_t page_addr);

/**
 * petmem_page_is_shared() - does more than one entry lead to a data page?
 * @page_addr: physical address
 *
 * Return: true also when the page is not in the pool.
 * Context: as for petmem_pool_find().
 */
bool petmem_page_is_shared(uintptr_t page_addr);

/**
 * petmem_copy_page() - copy a page, unless it has failed
 * @to: physical address of a page of the pool
 * @from: physical address of another one
 *
 * Return: 0; -EHWPOISON when @from cannot be read: then the contents of @to are undefined.
 * Context: any.
 */
int petmem_copy_page(uintptr_t to, uintptr_t from);

#endif /* PETMEM_PAGE_H */
