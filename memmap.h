/* SPDX-License-Identifier: GPL-2.0 */
/*
 * memmap.h - the memory map of a process: which virtual ranges are allocated.
 *
 * The map is a linked list of ranges in order of address. Together they cover the region
 * without gap or overlap. Each range is free or allocated, and no two free ranges are
 * neighbours. Allocation is first fit.
 *
 *   | allocated | free | allocated | allocated |        free        |
 *   start                                                          end
 *
 * A red-black tree over the same ranges finds an address or a first fit in logarithmic
 * time: each node knows the largest free range below it.
 *
 * This code knows neither page tables nor processes, and runs on the host as it does in
 * the kernel. Addresses and sizes are in bytes, and always whole pages.
 */
#ifndef PETMEM_MEMMAP_H
#define PETMEM_MEMMAP_H

#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

#include "petmem.h"

struct petmem_range {
	struct list_head list;
	struct rb_node node;
	u64 start;
	u64 size;
	u64 largest_free; /* the largest free range in this node's subtree */
	bool allocated;
	bool leaving; /* being freed: allocated, but must not be touched */
	bool guarded; /* the last page of an allocated range must not be touched */
};

/* The end of the part of an allocated range that may be touched. */
static inline u64 petmem_range_usable_end(const struct petmem_range *range)
{
	return range->start + range->size -
	       (range->guarded ? PETMEM_PAGE_SIZE : 0);
}

struct petmem_memmap {
	struct list_head ranges;
	struct rb_root tree;
	u64 nr_ranges;
	u64 nr_allocated; /* ranges that are allocated */
	u64 refs; /* processes that share the map; they count it themselves */
	struct list_head kept; /* nodes for later allocations */
	u64 nr_kept;
};

/*
 * Nodes for an allocation. The caller takes them before its locks, so that it allocates no
 * kernel memory under the locks.
 */
struct petmem_memmap_spares {
	struct list_head ranges;
};

/*
 * An allocation needs at most this many nodes: it may leave a free range before it (for
 * alignment) and one after it.
 */
#define PETMEM_MEMMAP_ALLOC_SPARES 2

/**
 * petmem_memmap_init() - set up a map that is one free range
 * @map: the map
 * @start: first address, page-aligned
 * @size: multiple of the page size, not 0
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep.
 */
int petmem_memmap_init(struct petmem_memmap *map, u64 start, u64 size);

/**
 * petmem_memmap_copy() - set up a copy of a map
 * @copy: the new map
 * @map: the original
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep; the time is proportional to the number of ranges. The caller makes
 * sure that @map does not change meanwhile.
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
 * petmem_memmap_new() - allocate a map that is one free range
 * @start: first address, page-aligned
 * @size: multiple of the page size, not 0
 *
 * Return: a map with one reference, or NULL.
 * Context: may sleep.
 */
struct petmem_memmap *petmem_memmap_new(u64 start, u64 size);

/**
 * petmem_memmap_duplicate() - allocate a copy of a map
 * @map: the original
 *
 * Return: a map with one reference, or NULL.
 * Context: as for petmem_memmap_copy().
 */
struct petmem_memmap *petmem_memmap_duplicate(const struct petmem_memmap *map);

/**
 * petmem_memmap_delete() - free a map from petmem_memmap_new() or _duplicate()
 * @map: a map without references, or NULL
 *
 * Context: may sleep; the time is proportional to the number of ranges.
 */
void petmem_memmap_delete(struct petmem_memmap *map);

/**
 * petmem_memmap_get_spares() - allocate nodes
 * @spares: the nodes
 * @count: number of nodes
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
 * @spares: at least PETMEM_MEMMAP_ALLOC_SPARES nodes, less those that the map keeps; the
 *	map may use or keep some of them
 * @size: multiple of the page size, not 0
 * @align: power of two, at least the page size
 *
 * Takes logarithmic time when @align is the page size. Otherwise it also looks at each
 * lower free range that is large enough but has no aligned place.
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
