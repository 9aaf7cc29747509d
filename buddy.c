// SPDX-License-Identifier: GPL-2.0
/*
 * buddy.c - the buddy allocator. The rules are in buddy.h.
 *
 * Only the first page of a free block has an order; every other page, inside a
 * free block or in use, has PETMEM_BUDDY_USED. For 16 pages of which 0 and 13
 * are in use:
 *
 *   page   0   1   2   3   4   5   6   7   8   9  10  11  12  13  14  15
 *   order  -   0   1   -   2   -   -   -   2   -   -   -   0   -   1   -
 */
#include "buddy.h"

#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#define LARGEST_ORDER (PETMEM_BUDDY_ORDERS - 1)

static void link_block(struct petmem_buddy *buddy, u32 page, u32 order)
{
	u32 next = buddy->free[order];

	buddy->order[page] = order;
	buddy->links[page].prev = PETMEM_BUDDY_NONE;
	buddy->links[page].next = next;
	if (next != PETMEM_BUDDY_NONE)
		buddy->links[next].prev = page;
	buddy->free[order] = page;
	buddy->orders |= 1U << order;
}

static void unlink_block(struct petmem_buddy *buddy, u32 page)
{
	struct petmem_buddy_link *link = &buddy->links[page];
	u32 order = buddy->order[page];

	if (link->prev == PETMEM_BUDDY_NONE)
		buddy->free[order] = link->next;
	else
		buddy->links[link->prev].next = link->next;
	if (link->next != PETMEM_BUDDY_NONE)
		buddy->links[link->next].prev = link->prev;
	if (buddy->free[order] == PETMEM_BUDDY_NONE)
		buddy->orders &= ~(1U << order);
	buddy->order[page] = PETMEM_BUDDY_USED;
}

/* Add a free block, and merge it with its buddy as long as that is free as well. */
static void give_block(struct petmem_buddy *buddy, u32 page, u32 order)
{
	while (order < LARGEST_ORDER) {
		u32 mate = page ^ (1U << order);

		if (mate >= buddy->nr_pages || buddy->order[mate] != order)
			break;
		unlink_block(buddy, mate);
		page = min(page, mate);
		order++;
	}
	link_block(buddy, page, order);
}

/* Free pages that are in use, as the fewest blocks that cover exactly these pages. */
static void give_pages(struct petmem_buddy *buddy, u32 page, u32 count)
{
	buddy->nr_free += count;
	while (count) {
		u32 order = min_t(u32, ilog2(count), LARGEST_ORDER);

		if (page)
			order = min_t(u32, order, __ffs(page));
		give_block(buddy, page, order);
		page += 1U << order;
		count -= 1U << order;
	}
}

int petmem_buddy_init(struct petmem_buddy *buddy, u32 nr_pages)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	u32 order;

	memset(buddy, 0, sizeof(*buddy));
	if (!nr_pages || nr_pages > 1U << 31)
		return -EINVAL;

	buddy->links = __vmalloc((size_t)nr_pages * sizeof(*buddy->links), gfp);
	buddy->order = __vmalloc(nr_pages, gfp);
	if (!buddy->links || !buddy->order) {
		petmem_buddy_destroy(buddy);
		return -ENOMEM;
	}

	buddy->nr_pages = nr_pages;
	memset(buddy->order, PETMEM_BUDDY_USED, nr_pages);
	for (order = 0; order < PETMEM_BUDDY_ORDERS; order++)
		buddy->free[order] = PETMEM_BUDDY_NONE;
	give_pages(buddy, 0, nr_pages);
	return 0;
}

void petmem_buddy_destroy(struct petmem_buddy *buddy)
{
	vfree(buddy->links);
	vfree(buddy->order);
	memset(buddy, 0, sizeof(*buddy));
}

u32 petmem_buddy_alloc(struct petmem_buddy *buddy, u32 count)
{
	u32 orders, page, size;

	if (!count || count > 1U << LARGEST_ORDER)
		return PETMEM_BUDDY_NONE;

	orders = buddy->orders & ~0U << order_base_2(count);
	if (!orders)
		return PETMEM_BUDDY_NONE;
	page = buddy->free[__ffs(orders)];
	size = 1U << __ffs(orders);
	unlink_block(buddy, page);
	buddy->nr_free -= size;
	give_pages(buddy, page + count, size - count);
	return page;
}

u32 petmem_buddy_alloc_some(struct petmem_buddy *buddy, u32 most, u32 *first)
{
	u32 count = min_t(u32, 1U << __ffs(buddy->orders), most);

	*first = petmem_buddy_alloc(buddy, count);
	return count;
}

u8 petmem_buddy_order(const struct petmem_buddy *buddy, u32 page)
{
	u32 orders, order;

	/* At each order there is one block that could hold the page. */
	for (orders = buddy->orders; orders; orders &= orders - 1) {
		order = __ffs(orders);
		if (buddy->order[page >> order << order] == order)
			return order;
	}
	return PETMEM_BUDDY_USED;
}

/* The first page of the free block that holds @page. */
static u32 free_block_of(const struct petmem_buddy *buddy, u32 page)
{
	u8 order = petmem_buddy_order(buddy, page);

	return order == PETMEM_BUDDY_USED ? PETMEM_BUDDY_NONE
					  : page >> order << order;
}

static u32 block_end(const struct petmem_buddy *buddy, u32 block)
{
	return block + (1U << buddy->order[block]);
}

bool petmem_buddy_is_free(const struct petmem_buddy *buddy, u32 first,
			  u32 count)
{
	u32 page = first, block;

	if (first >= buddy->nr_pages || count > buddy->nr_pages - first)
		return false;
	while (page < first + count) {
		block = free_block_of(buddy, page);
		if (block == PETMEM_BUDDY_NONE)
			return false;
		page = block_end(buddy, block);
	}
	return true;
}

void petmem_buddy_take(struct petmem_buddy *buddy, u32 first, u32 count)
{
	u32 page = first, end = first + count, block, next;

	while (page < end) {
		block = free_block_of(buddy, page);
		next = block_end(buddy, block);
		unlink_block(buddy, block);
		buddy->nr_free -= next - block;
		give_pages(buddy, block, page - block);
		if (next > end)
			give_pages(buddy, end, next - end);
		page = next;
	}
}

int petmem_buddy_free(struct petmem_buddy *buddy, u32 first, u32 count)
{
	if (!count || first >= buddy->nr_pages ||
	    count > buddy->nr_pages - first)
		return -EINVAL;

	/* A free block that overlaps the pages holds the first, or begins among them. */
	if (petmem_buddy_order(buddy, first) != PETMEM_BUDDY_USED)
		return -EINVAL;
	if (count > 1 &&
	    memchr_inv(&buddy->order[first], PETMEM_BUDDY_USED, count))
		return -EINVAL;

	give_pages(buddy, first, count);
	return 0;
}
