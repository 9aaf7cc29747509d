// SPDX-License-Identifier: GPL-2.0
/*
 * free_area.c - the free blocks of a NUMA node, in many extents.
 */
#include "free_area.h"

#include <linux/bitops.h>

void petmem_free_area_init(struct petmem_free_area *area)
{
	u32 order;

	for (order = 0; order < PETMEM_BUDDY_ORDERS; order++)
		INIT_LIST_HEAD(&area->extents[order]);
	area->orders = 0;
}

void petmem_free_area_remove(struct petmem_free_extent *extent)
{
	list_del_init(&extent->list);
}

void petmem_free_area_update(struct petmem_free_area *area,
			     struct petmem_free_extent *extent, bool last)
{
	int order = petmem_buddy_largest(&extent->buddy);

	if (order < 0) {
		petmem_free_area_remove(extent);
		return;
	}
	if (last)
		list_move_tail(&extent->list, &area->extents[order]);
	else if (list_empty(&extent->list) || extent->order != (u32)order)
		list_move(&extent->list, &area->extents[order]);
	extent->order = order;
	area->orders |= 1U << order;
}

struct petmem_free_extent *petmem_free_area_find(struct petmem_free_area *area,
						 u32 order)
{
	u32 orders = area->orders & ~0U << order;

	for (; orders; orders &= orders - 1) {
		struct list_head *list = &area->extents[__ffs(orders)];

		if (!list_empty(list))
			return list_first_entry(list, struct petmem_free_extent,
						list);
		area->orders &= ~(orders & -orders);
	}
	return NULL;
}
