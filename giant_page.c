// SPDX-License-Identifier: GPL-2.0
/*
 * giant_page.c - pages of 1 GiB. giant_page.h says how they work, and compat.h what Linux
 * does with them.
 */
#include "giant_page.h"

#include <linux/atomic.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/topology.h>

#include "compat.h"
#include "entry.h"
#include "extent.h"
#include "large_page.h"
#include "page_list.h"
#include "pool.h"
#include "zero.h"

/* ---- In the pool ---- */

static bool is_whole(u64 gigabyte, u64 step)
{
	struct pool_extent *first = petmem_extent_at(gigabyte), *extent;
	u64 addr;

	if (!first)
		return false;
	for (addr = gigabyte; addr < gigabyte + PUD_SIZE; addr += step) {
		extent = petmem_extent_at(addr);
		if (!extent || extent->node != first->node)
			return false;
	}
	return true;
}

void petmem_giant_mark(u64 start, u64 end)
{
	u64 step = min_t(u64, memory_block_size_bytes(), PUD_SIZE);
	struct pool_extent *extent;
	u64 addr;

	lockdep_assert_held(&petmem_extents_mutex);
	lockdep_assert_held(&petmem_pool.lock);

	for (addr = start & PUD_MASK; addr < ALIGN(end, PUD_SIZE);
	     addr += step) {
		extent = petmem_extent_at(addr);
		if (!extent)
			continue;
		extent->whole = is_whole(addr & PUD_MASK, step);
		petmem_pool_update(extent);
	}
}

/* The number of pages of an extent between @addr and @end. */
static u32 pages_below(const struct pool_extent *extent, u64 addr, u64 end)
{
	return (min(end, extent_end(extent)) - addr) >> PAGE_SHIFT;
}

/* Is the 1 GiB at @addr all free, in this extent and in the next ones? */
static bool is_free(struct pool_extent *extent, u64 addr)
{
	u64 end = addr + PUD_SIZE;
	int node = extent->node;

	lockdep_assert_held(&petmem_pool.lock);

	list_for_each_entry_from(extent, &petmem_extents, list) {
		if (extent->start > addr || extent->node != node ||
		    !petmem_buddy_is_free(&extent->free.buddy,
					  page_number(extent, addr),
					  pages_below(extent, addr, end)))
			return false;
		addr = min(end, extent_end(extent));
		if (addr == end)
			return true;
	}
	return false;
}

static void take_giant(struct pool_extent *extent, u64 addr)
{
	u64 end = addr + PUD_SIZE;
	u32 page, last;

	lockdep_assert_held(&petmem_pool.lock);

	petmem_zero_cancel(addr, PUD_SIZE);
	list_for_each_entry_from(extent, &petmem_extents, list) {
		page = page_number(extent, addr);
		last = page + pages_below(extent, addr, end);
		petmem_buddy_take(&extent->free.buddy, page, last - page);
		for (; page < last; page += PETMEM_LARGE_PAGES)
			petmem_large_taken(extent, page);
		petmem_pool_update(extent);
		addr = min(end, extent_end(extent));
		if (addr == end)
			return;
	}
}

/* Take 1 GiB from a node, or from any for NUMA_NO_NODE. */
static u64 find_giant(int node)
{
	struct pool_extent *extent;
	bool found;
	u64 addr;

	lockdep_assert_held(&petmem_extents_mutex);

	list_for_each_entry(extent, &petmem_extents, list) {
		if (node != NUMA_NO_NODE && extent->node != node)
			continue;
		for (addr = ALIGN(extent->start, PUD_SIZE);
		     addr < extent_end(extent); addr += PUD_SIZE) {
			spin_lock(&petmem_pool.lock);
			found = is_free(extent, addr);
			if (found)
				take_giant(extent, addr);
			spin_unlock(&petmem_pool.lock);
			if (found)
				return addr;
		}
	}
	return 0;
}

uintptr_t petmem_alloc_giant(void)
{
	u64 addr;

	petmem_lists_empty();
	mutex_lock(&petmem_extents_mutex);
	addr = find_giant(numa_node_id()) ?: find_giant(NUMA_NO_NODE);
	mutex_unlock(&petmem_extents_mutex);
	if (addr)
		petmem_kasan_unpoison(__va(addr), PUD_SIZE);
	return addr;
}

/* The physical address of a 1 GiB page's PMD table. */
static u64 *table_place(uintptr_t page_addr)
{
	struct pool_extent *extent = petmem_extent_of(page_addr);
	static u64 nobodys;

	if (extent)
		return &large_page_of(extent, page_number(extent, page_addr))
				->table;
	nobodys = 0;
	return &nobodys;
}

/* ---- As an entry ---- */

/* Atomic, because each family has a lock of its own. */
static atomic64_t count = ATOMIC64_INIT(0);

u64 petmem_giant_bypassed(u64 entry)
{
	if (!is_large(entry))
		return entry;
	return table_entry(__va(*table_place(frame_of(entry)))) &
	       (entry | ~(u64)_PAGE_RW);
}

void petmem_giant_enter(u64 *entry, uintptr_t page_addr)
{
	u64 *table = table_of(*entry);
	size_t i;

	for (i = 0; i < ENTRIES; i++)
		table[i] = data_entry(page_addr + i * PMD_SIZE, PETMEM_PMD) &
			   ~LEAF_WRITE;
	page_of(*entry)->live = ENTRIES;
	*table_place(page_addr) = frame_of(*entry);
	atomic64_inc(&count);
	/* A processor that still has the table cached finds the same pages through it. */
	smp_wmb();
	WRITE_ONCE(*entry, data_entry(page_addr, PETMEM_PUD));
}

/* A writable page has one owner, and so has its table. */
u64 petmem_giant_split(u64 entry)
{
	u64 *table;
	size_t i;

	atomic64_dec(&count);
	if (entry & _PAGE_RW) {
		table = table_of(petmem_giant_bypassed(entry));
		for (i = 0; i < ENTRIES; i++)
			WRITE_ONCE(table[i], table[i] | LEAF_WRITE);
	}
	/* As in petmem_giant_enter(): the caller writes the entry. */
	smp_wmb();
	return petmem_giant_bypassed(entry);
}

void petmem_giant_share(u64 *entry)
{
	petmem_get_page(frame_of(petmem_giant_bypassed(*entry)));
	atomic64_inc(&count);
	WRITE_ONCE(*entry, *entry & ~LEAF_WRITE);
}

u64 petmem_giant_drop(u64 entry)
{
	atomic64_dec(&count);
	return petmem_giant_bypassed(entry);
}

u64 petmem_giant_count(void)
{
	return atomic64_read(&count);
}
