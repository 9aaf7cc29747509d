// SPDX-License-Identifier: GPL-2.0
/*
 * memmap.c - the memory map of a process. The rules are in memmap.h.
 *
 * No sum of a start and a size is ever compared: a range may end at 2^64.
 */
#include "memmap.h"

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/rbtree_augmented.h>
#include <linux/slab.h>

static u64 free_size(const struct petmem_range *range)
{
	return range->allocated ? 0 : range->size;
}

RB_DECLARE_CALLBACKS_MAX(static, augment, struct petmem_range, node, u64,
			 largest_free, free_size)

static struct petmem_range *to_range(const struct rb_node *node)
{
	return rb_entry(node, struct petmem_range, node);
}

/* To be called after each change of a range, before the next one. */
static void update_tree(struct petmem_range *range)
{
	augment_propagate(&range->node, NULL);
}

static void tree_insert(struct rb_root *tree, struct petmem_range *range)
{
	struct rb_node **link = &tree->rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (range->start < to_range(parent)->start)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&range->node, parent, link);
	range->largest_free = 0;
	update_tree(range);
	rb_insert_augmented(&range->node, tree, &augment);
}

static struct petmem_range *new_range(void)
{
	return kmalloc(sizeof(struct petmem_range), GFP_KERNEL_ACCOUNT);
}

/* Put a free range into the map, behind @prev: a range or the list head. */
static void insert_free(struct petmem_memmap *map, struct petmem_range *range,
			struct list_head *prev, u64 start, u64 size)
{
	range->start = start;
	range->size = size;
	range->allocated = false;
	list_add(&range->list, prev);
	tree_insert(&map->tree, range);
}

static void remove_range(struct petmem_memmap *map, struct petmem_range *range)
{
	list_del(&range->list);
	rb_erase_augmented(&range->node, &map->tree, &augment);
	kfree(range);
}

int petmem_memmap_init(struct petmem_memmap *map, u64 start, u64 size)
{
	struct petmem_range *range = new_range();

	if (!range)
		return -ENOMEM;

	INIT_LIST_HEAD(&map->ranges);
	map->tree = RB_ROOT;
	map->nr_allocated = 0;
	insert_free(map, range, &map->ranges, start, size);
	return 0;
}

void petmem_memmap_reset(struct petmem_memmap *map)
{
	struct petmem_range *first, *range, *next;
	u64 size = 0;

	first = list_first_entry(&map->ranges, struct petmem_range, list);
	list_for_each_entry_safe(range, next, &map->ranges, list) {
		size += range->size;
		if (range != first)
			kfree(range);
	}

	INIT_LIST_HEAD(&map->ranges);
	map->tree = RB_ROOT;
	map->nr_allocated = 0;
	insert_free(map, first, &map->ranges, first->start, size);
}

void petmem_memmap_destroy(struct petmem_memmap *map)
{
	struct petmem_range *range, *next;

	list_for_each_entry_safe(range, next, &map->ranges, list)
		kfree(range);
}

int petmem_memmap_get_spares(struct petmem_memmap_spares *spares)
{
	spares->range[0] = new_range();
	spares->range[1] = new_range();
	if (!spares->range[0] || !spares->range[1]) {
		petmem_memmap_put_spares(spares);
		return -ENOMEM;
	}
	return 0;
}

void petmem_memmap_put_spares(struct petmem_memmap_spares *spares)
{
	kfree(spares->range[0]);
	kfree(spares->range[1]);
	spares->range[0] = NULL;
	spares->range[1] = NULL;
}

static u64 largest_free(const struct rb_node *node)
{
	return node ? to_range(node)->largest_free : 0;
}

/* The lowest free range of at least @size in the subtree of @node. */
static struct petmem_range *lowest_fit(const struct rb_node *node, u64 size)
{
	while (largest_free(node) >= size) {
		bool left = largest_free(node->rb_left) >= size;

		if (!left && free_size(to_range(node)) >= size)
			return to_range(node);
		node = left ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/* The next free range of at least @size behind @range. */
static struct petmem_range *next_fit(const struct petmem_range *range, u64 size)
{
	const struct rb_node *node = &range->node, *parent;

	while (largest_free(node->rb_right) < size) {
		parent = rb_parent(node);
		while (parent && node == parent->rb_right) {
			node = parent;
			parent = rb_parent(node);
		}
		if (!parent)
			return NULL;
		if (free_size(to_range(parent)) >= size)
			return to_range(parent);
		node = parent;
	}
	return lowest_fit(node->rb_right, size);
}

/* How far into @range the first address lies that is aligned. */
static u64 padding(const struct petmem_range *range, u64 align)
{
	return -range->start & (align - 1);
}

static bool fits(const struct petmem_range *range, u64 size, u64 align)
{
	u64 pad = padding(range, align);

	return pad < range->size && range->size - pad >= size;
}

static struct petmem_range *take_spare(struct petmem_range **spare)
{
	struct petmem_range *range = *spare;

	*spare = NULL;
	return range;
}

struct petmem_range *petmem_memmap_alloc(struct petmem_memmap *map,
					 struct petmem_memmap_spares *spares,
					 u64 size, u64 align)
{
	struct petmem_range *range = lowest_fit(map->tree.rb_node, size);
	u64 start, pad, rest;

	while (range && !fits(range, size, align))
		range = next_fit(range, size);
	if (!range)
		return NULL;

	start = range->start;
	pad = padding(range, align);
	rest = range->size - pad - size;

	range->start = start + pad;
	range->size = size;
	range->allocated = true;
	update_tree(range);
	map->nr_allocated++;

	if (pad)
		insert_free(map, take_spare(&spares->range[0]),
			    range->list.prev, start, pad);
	if (rest)
		insert_free(map, take_spare(&spares->range[1]), &range->list,
			    range->start + size, rest);
	return range;
}

struct petmem_range *petmem_memmap_find(const struct petmem_memmap *map,
					u64 addr)
{
	const struct rb_node *node = map->tree.rb_node;

	while (node) {
		struct petmem_range *range = to_range(node);
		bool left = addr < range->start;

		if (!left && addr - range->start < range->size)
			return range;
		node = left ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/* Two free neighbours become one: @range takes over the one behind it. */
static void merge_next(struct petmem_memmap *map, struct petmem_range *range)
{
	struct petmem_range *next = list_next_entry(range, list);
	u64 size;

	if (list_is_last(&range->list, &map->ranges) || range->allocated ||
	    next->allocated)
		return;

	size = next->size;
	remove_range(map, next);
	range->size += size;
	update_tree(range);
}

void petmem_memmap_free(struct petmem_memmap *map, struct petmem_range *range)
{
	range->allocated = false;
	update_tree(range);
	map->nr_allocated--;

	merge_next(map, range);
	if (range->list.prev != &map->ranges)
		merge_next(map, list_prev_entry(range, list));
}
