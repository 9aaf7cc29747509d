// SPDX-License-Identifier: GPL-2.0
/*
 * memmap.c - the memory map of a process. The rules are in memmap.h.
 *
 * The sum of a start and a size is never compared, because a range may end at 2^64.
 */
#include "memmap.h"

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/rbtree_augmented.h>
#include <linux/sched.h>
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

/* Call this after each change of a range, before the next change. */
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

static void keep_spare(struct petmem_memmap *map, struct petmem_range *range)
{
	list_add(&range->list, &map->kept);
	map->nr_kept++;
}

/* Keep some of the nodes that an allocation was given and did not need. */
static void keep_unused(struct petmem_memmap *map,
			struct petmem_memmap_spares *spares)
{
	struct petmem_range *range, *next;

	list_for_each_entry_safe(range, next, &spares->ranges, list) {
		if (map->nr_kept >= PETMEM_MEMMAP_ALLOC_SPARES)
			return;
		list_del(&range->list);
		keep_spare(map, range);
	}
}

/* Returns NULL when the caller has prepared too few nodes. */
static struct petmem_range *take_spare(struct petmem_memmap *map,
				       struct petmem_memmap_spares *spares)
{
	bool given = !list_empty(&spares->ranges);
	struct petmem_range *range =
		list_first_entry_or_null(given ? &spares->ranges : &map->kept,
					 struct petmem_range, list);

	if (!range)
		return NULL;
	list_del(&range->list);
	map->nr_kept -= !given;
	return range;
}

/* Put a free range into the map, after @prev: a range or the list head. */
static void insert_free(struct petmem_memmap *map, struct petmem_range *range,
			struct list_head *prev, u64 start, u64 size)
{
	range->start = start;
	range->size = size;
	range->allocated = false;
	range->guarded = false;
	range->leaving = false;
	list_add(&range->list, prev);
	tree_insert(&map->tree, range);
	map->nr_ranges++;
}

static void remove_range(struct petmem_memmap *map, struct petmem_range *range)
{
	list_del(&range->list);
	rb_erase_augmented(&range->node, &map->tree, &augment);
	map->nr_ranges--;
	if (map->nr_kept < PETMEM_MEMMAP_ALLOC_SPARES)
		keep_spare(map, range);
	else
		kfree(range);
}

static void init_empty(struct petmem_memmap *map)
{
	INIT_LIST_HEAD(&map->ranges);
	map->tree = RB_ROOT;
	map->nr_ranges = 0;
	map->nr_allocated = 0;
	map->refs = 1;
	INIT_LIST_HEAD(&map->kept);
	map->nr_kept = 0;
}

int petmem_memmap_init(struct petmem_memmap *map, u64 start, u64 size)
{
	struct petmem_range *range = new_range();

	if (!range)
		return -ENOMEM;

	init_empty(map);
	insert_free(map, range, &map->ranges, start, size);
	return 0;
}

static void free_range(struct petmem_range *range)
{
	kfree(range);
	/* There can be many ranges. */
	cond_resched();
}

static void free_ranges(struct list_head *ranges)
{
	struct petmem_range *range, *next;

	list_for_each_entry_safe(range, next, ranges, list)
		free_range(range);
}

void petmem_memmap_destroy(struct petmem_memmap *map)
{
	free_ranges(&map->ranges);
	free_ranges(&map->kept);
}

int petmem_memmap_copy(struct petmem_memmap *copy,
		       const struct petmem_memmap *map)
{
	const struct petmem_range *range;

	init_empty(copy);
	list_for_each_entry(range, &map->ranges, list) {
		struct petmem_range *twin = new_range();

		if (!twin) {
			petmem_memmap_destroy(copy);
			return -ENOMEM;
		}
		insert_free(copy, twin, copy->ranges.prev, range->start,
			    range->size);
		twin->allocated = range->allocated;
		twin->guarded = range->guarded;
		update_tree(twin);
		cond_resched();
	}
	copy->nr_allocated = map->nr_allocated;
	return 0;
}

struct petmem_memmap *petmem_memmap_new(u64 start, u64 size)
{
	struct petmem_memmap *map = kmalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);

	if (map && petmem_memmap_init(map, start, size)) {
		kfree(map);
		return NULL;
	}
	return map;
}

struct petmem_memmap *petmem_memmap_duplicate(const struct petmem_memmap *map)
{
	struct petmem_memmap *copy = kmalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);

	if (copy && petmem_memmap_copy(copy, map)) {
		kfree(copy);
		return NULL;
	}
	return copy;
}

void petmem_memmap_delete(struct petmem_memmap *map)
{
	if (!map)
		return;
	petmem_memmap_destroy(map);
	kfree(map);
}

int petmem_memmap_get_spares(struct petmem_memmap_spares *spares, u64 count)
{
	INIT_LIST_HEAD(&spares->ranges);
	for (; count; count--) {
		struct petmem_range *range = new_range();

		if (!range) {
			petmem_memmap_put_spares(spares);
			return -ENOMEM;
		}
		list_add(&range->list, &spares->ranges);
	}
	return 0;
}

void petmem_memmap_put_spares(struct petmem_memmap_spares *spares)
{
	free_ranges(&spares->ranges);
	INIT_LIST_HEAD(&spares->ranges);
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

/* The next free range of at least @size after @range. */
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

/* The offset of the first aligned address in @range. */
static u64 padding_of(const struct petmem_range *range, u64 align)
{
	return -range->start & (align - 1);
}

static bool fits_into(const struct petmem_range *range, u64 size, u64 align)
{
	u64 pad = padding_of(range, align);

	return pad < range->size && range->size - pad >= size;
}

/* Take all nodes that are needed, or none. */
static bool take_needed(struct petmem_memmap *map,
			struct petmem_memmap_spares *spares,
			struct petmem_range **before,
			struct petmem_range **behind)
{
	if (before) {
		*before = take_spare(map, spares);
		if (!*before)
			return false;
	}
	if (behind) {
		*behind = take_spare(map, spares);
		if (!*behind)
			goto err_keep_before;
	}
	return true;

err_keep_before:
	if (before)
		keep_spare(map, *before);
	return false;
}

struct petmem_range *petmem_memmap_alloc(struct petmem_memmap *map,
					 struct petmem_memmap_spares *spares,
					 u64 size, u64 align)
{
	struct petmem_range *range = lowest_fit(map->tree.rb_node, size);
	struct petmem_range *before, *behind;
	u64 start, pad, rest;

	while (range && !fits_into(range, size, align))
		range = next_fit(range, size);
	if (!range)
		return NULL;

	start = range->start;
	pad = padding_of(range, align);
	rest = range->size - pad - size;
	if (!take_needed(map, spares, pad ? &before : NULL,
			 rest ? &behind : NULL))
		return NULL;

	range->start = start + pad;
	range->size = size;
	range->allocated = true;
	update_tree(range);
	map->nr_allocated++;

	if (pad)
		insert_free(map, before, range->list.prev, start, pad);
	if (rest)
		insert_free(map, behind, &range->list, range->start + size,
			    rest);
	keep_unused(map, spares);
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

/* Merge a range with the one after it, if both are free. */
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
	range->guarded = false;
	range->leaving = false;
	update_tree(range);
	map->nr_allocated--;

	merge_next(map, range);
	if (range->list.prev != &map->ranges)
		merge_next(map, list_prev_entry(range, list));
}
