// SPDX-License-Identifier: GPL-2.0
/*
 * buddy.c - a buddy allocator over page numbers.
 *
 * One free list for each order. A list is linked through an array by page number;
 * the entry of a free block's first page holds its links and its order, and all
 * other pages are marked as used. To free a block, its buddy's entry tells whether
 * the two can be merged.
 */
#include "buddy.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/string.h>

/* Page numbers must leave room for first + count. */
#define NR_PAGES_MAX (1U << 31)

static u32 pages_of(unsigned int order)
{
	return 1U << order;
}

static void list_insert(struct petmem_buddy *buddy, u32 first,
			unsigned int order)
{
	u32 next = buddy->free[order];

	buddy->links[first].prev = PETMEM_BUDDY_NONE;
	buddy->links[first].next = next;
	if (next != PETMEM_BUDDY_NONE)
		buddy->links[next].prev = first;
	buddy->free[order] = first;
	buddy->order[first] = order;
}

static void list_remove(struct petmem_buddy *buddy, u32 first)
{
	struct petmem_buddy_link link = buddy->links[first];

	if (link.prev == PETMEM_BUDDY_NONE)
		buddy->free[buddy->order[first]] = link.next;
	else
		buddy->links[link.prev].next = link.next;
	if (link.next != PETMEM_BUDDY_NONE)
		buddy->links[link.next].prev = link.prev;
	buddy->order[first] = PETMEM_BUDDY_USED;
}

/* Free one block, merging it with its buddy for as long as that is free too. */
static void free_block(struct petmem_buddy *buddy, u32 first,
		       unsigned int order)
{
	while (order < PETMEM_BUDDY_ORDERS - 1) {
		u32 other = first ^ pages_of(order);

		if (other >= buddy->nr_pages || buddy->order[other] != order)
			break;
		list_remove(buddy, other);
		first = min(first, other);
		order++;
	}
	list_insert(buddy, first, order);
}

/* The order of the largest block that begins at @first and is within @count. */
static unsigned int largest_order(u32 first, u32 count)
{
	unsigned int order = ilog2(count);

	if (first)
		order = min_t(unsigned int, order, __ffs(first));
	return min_t(unsigned int, order, PETMEM_BUDDY_ORDERS - 1);
}

/* Free any run of pages, as the largest blocks it is made of. */
static void free_run(struct petmem_buddy *buddy, u32 first, u32 count)
{
	buddy->nr_free += count;
	while (count) {
		unsigned int order = largest_order(first, count);

		free_block(buddy, first, order);
		first += pages_of(order);
		count -= pages_of(order);
	}
}

/* Does a free block, whatever its order, hold this page? */
static bool is_free(const struct petmem_buddy *buddy, u32 page)
{
	unsigned int order;

	for (order = 0; order < PETMEM_BUDDY_ORDERS; order++)
		if (buddy->order[page & ~(pages_of(order) - 1)] == order)
			return true;
	return false;
}

int petmem_buddy_init(struct petmem_buddy *buddy, u32 nr_pages)
{
	unsigned int order;

	memset(buddy, 0, sizeof(*buddy));
	if (!nr_pages || nr_pages > NR_PAGES_MAX)
		return -EINVAL;
	buddy->links = kvmalloc_array(nr_pages, sizeof(*buddy->links),
				      GFP_KERNEL);
	buddy->order = kvmalloc_array(nr_pages, sizeof(*buddy->order),
				      GFP_KERNEL);
	if (!buddy->links || !buddy->order) {
		petmem_buddy_destroy(buddy);
		return -ENOMEM;
	}
	buddy->nr_pages = nr_pages;
	for (order = 0; order < PETMEM_BUDDY_ORDERS; order++)
		buddy->free[order] = PETMEM_BUDDY_NONE;
	memset(buddy->order, PETMEM_BUDDY_USED, nr_pages);
	free_run(buddy, 0, nr_pages);
	return 0;
}

void petmem_buddy_destroy(struct petmem_buddy *buddy)
{
	kvfree(buddy->links);
	kvfree(buddy->order);
	memset(buddy, 0, sizeof(*buddy));
}

u32 petmem_buddy_alloc(struct petmem_buddy *buddy, u32 count)
{
	unsigned int order;
	u32 first;

	if (!count || count > pages_of(PETMEM_BUDDY_ORDERS - 1))
		return PETMEM_BUDDY_NONE;
	for (order = order_base_2(count); order < PETMEM_BUDDY_ORDERS; order++) {
		first = buddy->free[order];
		if (first == PETMEM_BUDDY_NONE)
			continue;
		list_remove(buddy, first);
		buddy->nr_free -= pages_of(order);
		free_run(buddy, first + count, pages_of(order) - count);
		return first;
	}
	return PETMEM_BUDDY_NONE;
}

int petmem_buddy_free(struct petmem_buddy *buddy, u32 first, u32 count)
{
	u32 page;

	if (!count || first >= buddy->nr_pages ||
	    count > buddy->nr_pages - first)
		return -EINVAL;
	for (page = first; page < first + count; page++)
		if (is_free(buddy, page))
			return -EINVAL;
	free_run(buddy, first, count);
	return 0;
}
