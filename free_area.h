/* SPDX-License-Identifier: GPL-2.0 */
/*
 * free_area.h - the free blocks of a NUMA node, in many extents.
 *
 * Each extent has a buddy allocator of its own. An area keeps the extents that have a free
 * page in lists, by the order of their largest free block. So the cost of finding a block
 * does not depend on the number of extents. An extent with small blocks is used before one
 * with large blocks, which keeps the large ones whole.
 *
 * This code knows neither memory nor processors, and runs on the host as it does in the
 * kernel. Context of all functions: the caller serialises all calls on one area.
 */
#ifndef PETMEM_FREE_AREA_H
#define PETMEM_FREE_AREA_H

#include <linux/list.h>
#include <linux/types.h>

#include "buddy.h"

struct petmem_free_area {
	struct list_head extents[PETMEM_BUDDY_ORDERS];
	u32 orders; /* a bit for each list that may have an extent */
};

/* The part of an extent that an area knows. */
struct petmem_free_extent {
	struct list_head list; /* for the area, while a page is free */
	u32 order; /* the list that it is in */
	struct petmem_buddy buddy;
};

/**
 * petmem_free_area_init() - set up an area without extents
 * @area: the area
 */
void petmem_free_area_init(struct petmem_free_area *area);

/**
 * petmem_free_area_update() - put an extent into its list after pages were taken or given back
 * @area: the area of its node
 * @extent: the extent
 * @last: use it after all others of the same order
 */
void petmem_free_area_update(struct petmem_free_area *area,
			     struct petmem_free_extent *extent, bool last);

/**
 * petmem_free_area_remove() - take an extent out of its list
 * @extent: the extent
 */
void petmem_free_area_remove(struct petmem_free_extent *extent);

/**
 * petmem_free_area_find() - find an extent with a free block
 * @area: the area
 * @order: the order of the block
 *
 * Return: an extent whose largest block has this order, or the next larger one that there
 * is; NULL when there is none.
 */
struct petmem_free_extent *petmem_free_area_find(struct petmem_free_area *area,
						 u32 order);

#endif /* PETMEM_FREE_AREA_H */
