/* SPDX-License-Identifier: GPL-2.0 */
/*
 * buddy.h - a buddy allocator over page numbers 0 ... nr_pages - 1.
 *
 * It keeps books and never touches the pages that it hands out: no stale mapping of a
 * page can damage it, and it runs on the host as it does in the kernel.
 *
 * A buddy block of order k is 2^k pages and begins at a multiple of 2^k. Its
 * buddy is the block whose number differs in bit k only; two free buddies of
 * order k are always merged into one free block of order k + 1.
 */
#ifndef PETMEM_BUDDY_H
#define PETMEM_BUDDY_H

#include <linux/bitops.h>
#include <linux/types.h>

/* Orders 0 ... 18: 4 KiB to 1 GiB, the largest page that x86-64 can map. */
#define PETMEM_BUDDY_ORDERS 19

/* "No page": ends a free list. */
#define PETMEM_BUDDY_NONE ((u32)~0U)

/* Kept for each page, outside of the page; with its order, 9 bytes. */
struct petmem_buddy_link {
	u32 next;
	u32 prev;
};

struct petmem_buddy {
	u32 nr_pages;
	u32 nr_free; /* pages */
	u32 free[PETMEM_BUDDY_ORDERS]; /* heads of the free lists */
	u32 orders; /* a bit for each list that is not empty */
	/* By page; valid for the first page of a free block. */
	struct petmem_buddy_link *links;
	u8 *order; /* by page; PETMEM_BUDDY_USED if no free block begins there */
};

#define PETMEM_BUDDY_USED 0xff

/**
 * petmem_buddy_init() - set up an allocator with every page free
 * @buddy: what to set up
 * @nr_pages: number of pages, 1 ... 2^31; need not be a power of two
 *
 * Return: 0, -EINVAL for a bad @nr_pages, -ENOMEM.
 * Context: may sleep.
 */
int petmem_buddy_init(struct petmem_buddy *buddy, u32 nr_pages);

/**
 * petmem_buddy_destroy() - free what petmem_buddy_init() allocated
 * @buddy: not to be used afterwards; harmless on a zeroed one
 *
 * Context: may sleep.
 */
void petmem_buddy_destroy(struct petmem_buddy *buddy);

/**
 * petmem_buddy_alloc() - take consecutive pages
 * @buddy: the allocator
 * @count: number of pages; the first is aligned to @count rounded up to a power of two,
 *	and the pages that the rounding adds stay free
 *
 * Return: the number of the first page; PETMEM_BUDDY_NONE when @count is 0, is
 * more than the largest block, or no block is free that holds it.
 * Context: the caller serialises all calls on one allocator.
 */
u32 petmem_buddy_alloc(struct petmem_buddy *buddy, u32 count);

/**
 * petmem_buddy_alloc_some() - take a few consecutive pages, out of the smallest free block
 * @buddy: the allocator, with a free page
 * @most: the most pages to take, a power of two
 * @first: set to the number of the first page
 *
 * Return: the number of pages.
 * Context: as petmem_buddy_alloc().
 */
u32 petmem_buddy_alloc_some(struct petmem_buddy *buddy, u32 most, u32 *first);

/**
 * petmem_buddy_largest() - the order of the largest free block
 * @buddy: the allocator
 *
 * Return: the order, or -1 when no page is free.
 */
static inline int petmem_buddy_largest(const struct petmem_buddy *buddy)
{
	return fls(buddy->orders) - 1;
}

/**
 * petmem_buddy_is_free() - are all of these pages free?
 * @buddy: the allocator
 * @first: number of the first page
 * @count: number of pages
 *
 * Context: the caller serialises all calls on one allocator.
 */
bool petmem_buddy_is_free(const struct petmem_buddy *buddy, u32 first,
			  u32 count);

/**
 * petmem_buddy_take() - take exactly these pages
 * @buddy: the allocator
 * @first: number of the first page
 * @count: number of pages, all of which are free
 *
 * Context: the caller serialises all calls on one allocator.
 */
void petmem_buddy_take(struct petmem_buddy *buddy, u32 first, u32 count);

/**
 * petmem_buddy_free() - give consecutive pages back
 * @buddy: the allocator
 * @first: number of the first page
 * @count: number of pages; they need not have been taken together
 *
 * Return: 0; -EINVAL, with nothing changed, when the pages do not exist or one
 * of them is free already.
 * Context: the caller serialises all calls on one allocator.
 */
int petmem_buddy_free(struct petmem_buddy *buddy, u32 first, u32 count);

/**
 * petmem_buddy_order() - the order of the free block that holds a page
 * @buddy: the allocator
 * @page: less than the number of pages
 *
 * Return: the order, or PETMEM_BUDDY_USED when the page is in use.
 * Context: as for petmem_buddy_alloc().
 */
u8 petmem_buddy_order(const struct petmem_buddy *buddy, u32 page);

#endif /* PETMEM_BUDDY_H */
