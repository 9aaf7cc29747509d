// SPDX-License-Identifier: GPL-2.0
/*
 * memmap.c - the memory map of a process.
 */
#include "memmap.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/rbtree_augmented.h>
#include <linux/slab.h>

/* What a range adds to largest_free: its size if it is free. */
static u64 own_free(struct petmem_range *range)
{
	return range->allocated ? 0 : range->size;
}

/*
 * The kernel's tree calls these when it moves nodes about; when a node's own size or
 * state changes, we call tree_callbacks.propagate() ourselves.
 */
RB_DECLARE_CALLBACKS_MAX(static, tree_callbacks, struct petmem_range, node, u64,
			 largest_free, own_free)

static void update_largest_free(struct petmem_range *range)
{
	tree_callbacks.propagate(&range->node, NULL);
}

static struct petmem_range *range_of(struct rb_node *node)
{
	return node ? rb_entry(node, struct petmem_range, node) : NULL;
}

static u64 largest_below(struct rb_node *node)
{
	return node ? range_of(node)->largest_free : 0;
}

/* Add a range to the tree. */
static void tree_insert(struct petmem_memmap *map, struct petmem_range *range)
{
	struct rb_node **link = &map->tree.rb_node;
	struct rb_node *parent = NULL;

	range->largest_free = own_free(range);
	while (*link) {
		struct petmem_range *other = range_of(*link);

		parent = *link;
		if (other->largest_free < range->largest_free)
			other->largest_free = range->largest_free;
		link = range->start < other->start ? &parent->rb_left :
						     &parent->rb_right;
	}
	rb_link_node(&range->node, parent, link);
	rb_insert_augmented(&range->node, &map->tree, &tree_callbacks);
}

/* Put a new free range behind another one, or first for @before == NULL. */
static void insert_free(struct petmem_memmap *map, struct petmem_range *range,
			struct petmem_range *before, u64 start, u64 size)
{
	range->start = start;
	range->size = size;
	range->allocated = false;
	list_add(&range->list, before ? &before->list : &map->ranges);
	tree_insert(map, range);
}

static void remove_range(struct petmem_memmap *map, struct petmem_range *range)
{
	list_del(&range->list);
	rb_erase_augmented(&range->node, &map->tree, &tree_callbacks);
	kfree(range);
}

static struct petmem_range *new_range(void)
{
	/* Charged to its process: the number of ranges is the user's choice. */
	return kmalloc(sizeof(struct petmem_range), GFP_KERNEL_ACCOUNT);
}

int petmem_memmap_init(struct petmem_memmap *map, u64 start, u64 size)
{
	struct petmem_range *range = new_range();

	if (!range)
		return -ENOMEM;
	INIT_LIST_HEAD(&map->ranges);
	map->tree = RB_ROOT;
	map->nr_allocated = 0;
	insert_free(map, range, NULL, start, size);
	return 0;
}

void petmem_memmap_reset(struct petmem_memmap *map)
{
	struct petmem_range *range, *next;

	list_for_each_entry_safe(range, next, &map->ranges, list)
		if (range->allocated)
			petmem_memmap_free(map, range);
}

void petmem_memmap_destroy(struct petmem_memmap *map)
{
	struct petmem_range *range, *next;

	list_for_each_entry_safe(range, next, &map->ranges, list)
		kfree(range);
}

int petmem_memmap_get_spares(struct petmem_memmap_spares *spares)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(spares->range); i++)
		spares->range[i] = NULL;
	for (i = 0; i < ARRAY_SIZE(spares->range); i++) {
		spares->range[i] = new_range();
		if (!spares->range[i]) {
			petmem_memmap_put_spares(spares);
			return -ENOMEM;
		}
	}
	return 0;
}

void petmem_memmap_put_spares(struct petmem_memmap_spares *spares)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(spares->range); i++)
		kfree(spares->range[i]);
}

static struct petmem_range *take_spare(struct petmem_memmap_spares *spares)
{
	unsigned int i = spares->range[0] ? 0 : 1;
	struct petmem_range *range = spares->range[i];

	spares->range[i] = NULL;
	return range;
}

/* How many bytes of a range lie below its first aligned address. */
static u64 padding(const struct petmem_range *range, u64 align)
{
	return -range->start & (align - 1);
}

static bool fits(struct petmem_range *range, u64 size, u64 align)
{
	u64 free = own_free(range);
	u64 skip = padding(range, align);

	return skip < free && size <= free - skip;
}

/*
 * The lowest free range below @node in which @size fits. A subtree whose largest free
 * range is too small is passed over; without alignment any other one has a fit, so
 * that the way is as long as the tree is high.
 */
static struct petmem_range *first_fit(struct rb_node *node, u64 size, u64 align)
{
	struct petmem_range *found;

	while (largest_below(node) >= size) {
		found = first_fit(node->rb_left, size, align);
		if (found)
			return found;
		if (fits(range_of(node), size, align))
			return range_of(node);
		node = node->rb_right;
	}
	return NULL;
}

/* Give a range new bounds within its old ones. */
static void set_bounds(struct petmem_range *range, u64 start, u64 size)
{
	range->start = start;
	range->size = size;
	update_largest_free(range);
}

struct petmem_range *petmem_memmap_alloc(struct petmem_memmap *map,
					 struct petmem_memmap_spares *spares,
					 u64 size, u64 align)
{
	struct petmem_range *range = first_fit(map->tree.rb_node, size, align);
	u64 start, end, behind;

	if (!range)
		return NULL;
	end = range->start + range->size;
	start = range->start + padding(range, align);
	behind = end - (start + size);

	if (start > range->start) {
		struct petmem_range *front = range;

		set_bounds(front, front->start, start - front->start);
		range = take_spare(spares);
		insert_free(map, range, front, start, size);
	}
	range->allocated = true;
	set_bounds(range, start, size);
	if (behind)
		insert_free(map, take_spare(spares), range, start + size,
			    behind);
	map->nr_allocated++;
	return range;
}

struct petmem_range *petmem_memmap_find(const struct petmem_memmap *map,
					u64 addr)
{
	struct rb_node *node = map->tree.rb_node;

	while (node) {
		struct petmem_range *range = range_of(node);

		if (addr < range->start)
			node = node->rb_left;
		else if (addr - range->start < range->size)
			return range;
		else
			node = node->rb_right;
	}
	return NULL;
}

static bool is_free_neighbour(const struct petmem_memmap *map,
			      const struct list_head *list)
{
	return list != &map->ranges &&
	       !list_entry(list, struct petmem_range, list)->allocated;
}

void petmem_memmap_free(struct petmem_memmap *map, struct petmem_range *range)
{
	struct petmem_range *next;

	range->allocated = false;
	map->nr_allocated--;
	if (is_free_neighbour(map, range->list.prev)) {
		next = range;
		range = list_prev_entry(range, list);
		range->size += next->size;
		remove_range(map, next);
	}
	if (is_free_neighbour(map, range->list.next)) {
		next = list_next_entry(range, list);
		range->size += next->size;
		remove_range(map, next);
	}
	update_largest_free(range);
}
