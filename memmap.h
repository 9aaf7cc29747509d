/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memmap.h - the memory map of a process: which virtual ranges are allocated.
 *
 * The map is a linked list of ranges in order of address. Together they cover
 * the region without gap or overlap; each is free or allocated, and no two free
 * neighbours stand side by side. Allocation is first fit.
 *
 *   | allocated | free | allocated | allocated |        free        |
 *   start                                                          end
 *
 * The list is the truth. A red-black tree over the same ranges, in which each
 * node knows the largest free range below it, finds an address or a first fit in
 * logarithmic time.
 *
 * Pure logic: it knows neither page tables nor processes, and runs on the host as
 * it does in the kernel. Addresses and sizes are in bytes, whole pages always.
 */
#ifndef PETMEM_MEMMAP_H
#define PETMEM_MEMMAP_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

struct petmem_range {
	struct list_head list;
	struct rb_node node;
	u64 start;
	u64 size;
	u64 largest_free; /* the largest free range in this node's subtree */
	bool allocated;
	bool guarded; /* of an allocated range: its last page is not to be touched */
};

struct petmem_memmap {
	struct list_head ranges;
	struct rb_root tree;
	u64 nr_ranges;
	u64 nr_allocated; /* of them */
	u64 refs; /* processes that share the map; it is theirs to count */
	struct list_head kept; /* nodes for allocations to come */
	u64 nr_kept;
};

/*
 * Nodes for an allocation. They are taken before the caller's locks, so that nothing
 * is allocated under them.
 */
struct petmem_memmap_spares {
	struct list_head ranges;
};

/*
 * So many nodes can one allocation need: it may leave a free range before it
 * (alignment) and one behind it.
 */
#define PETMEM_MEMMAP_ALLOC_SPARES 2

/**
 * petmem_memmap_init() - set up a map that is one free range
 * @map: what to set up
 * @start: first address, page-aligned
 * @size: multiple of the page size, not 0
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep.
 */
int petmem_memmap_init(struct petmem_memmap *map, u64 start, u64 size);

/**
 * petmem_memmap_copy() - set up a map that is like another
 * @copy: what to set up
 * @map: the original
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep, and takes time in proportion to the ranges of @map, which nobody
 * changes meanwhile.
 */
int petmem_memmap_copy(struct petmem_memmap *copy,
		       const struct petmem_memmap *map);

/**
 * petmem_memmap_destroy() - free all nodes
 * @map: not to be used afterwards
 *
 * Context: may sleep.
 */
void petmem_memmap_destroy(struct petmem_memmap *map);

/**
 * petmem_memmap_new() - make a map that is one free range
 * @start: first address, page-aligned
 * @size: multiple of the page size, not 0
 *
 * Return: a map with one reference, or NULL.
 * Context: may sleep.
 */
struct petmem_memmap *petmem_memmap_new(u64 start, u64 size);

/**
 * petmem_memmap_duplicate() - make a map that is like another
 * @map: the original
 *
 * Return: a map with one reference, or NULL.
 * Context: as for petmem_memmap_copy().
 */
struct petmem_memmap *petmem_memmap_duplicate(const struct petmem_memmap *map);

/**
 * petmem_memmap_delete() - free a map that was made by one of these two
 * @map: a map without references, or NULL
 *
 * Context: may sleep, and takes time in proportion to its ranges.
 */
void petmem_memmap_delete(struct petmem_memmap *map);

/**
 * petmem_memmap_get_spares() - take nodes
 * @spares: where to put them
 * @count: how many
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep; no lock that memory reclaim may take is held.
 */
int petmem_memmap_get_spares(struct petmem_memmap_spares *spares, u64 count);

/**
 * petmem_memmap_put_spares() - free the nodes that were not used
 * @spares: as left by petmem_memmap_alloc()
 */
void petmem_memmap_put_spares(struct petmem_memmap_spares *spares);

/**
 * petmem_memmap_alloc() - allocate the lowest free addresses that fit
 * @map: the map
 * @spares: at least PETMEM_MEMMAP_ALLOC_SPARES nodes, less those that the map has
 *	kept; some may be used, or kept
 * @size: multiple of the page size, not 0
 * @align: power of two, at least the page size
 *
 * Logarithmic when @align is the page size. Otherwise it also looks at each lower
 * free range that is large enough but has no aligned place.
 *
 * Return: the new range; NULL, with nothing changed, when nothing fits or there are too
 * few nodes.
 * Context: does not sleep; the caller serialises all calls on one map.
 */
struct petmem_range *petmem_memmap_alloc(struct petmem_memmap *map,
					 struct petmem_memmap_spares *spares,
					 u64 size, u64 align);

/**
 * petmem_memmap_find() - find the range that holds an address
 * @map: the map
 * @addr: any address
 *
 * Return: the range, free or allocated; NULL when @addr lies outside of the map.
 * Context: does not sleep; the caller serialises all calls on one map.
 */
struct petmem_range *petmem_memmap_find(const struct petmem_memmap *map,
					u64 addr);

/**
 * petmem_memmap_free() - free an allocated range, merging it with free neighbours
 * @map: the map
 * @range: an allocated range of it; may be gone afterwards
 *
 * Context: does not sleep; the caller serialises all calls on one map.
 */
void petmem_memmap_free(struct petmem_memmap *map, struct petmem_range *range);

#endif /* PETMEM_MEMMAP_H */
