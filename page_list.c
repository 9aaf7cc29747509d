// SPDX-License-Identifier: GPL-2.0
/*
 * page_list.c - a list of free pages for each processor.
 *
 * Most pages are taken and given back here, without a lock that another processor wants.
 * Pages move between a list and the allocators in batches. A list has pages of the
 * processor's own NUMA node only. Each list has two stacks: pages that are clean, which are
 * taken first, and others.
 *
 * The lock of a list is taken before petmem_pool.lock. The owner of a list may lose the
 * processor, so it takes the lock like everybody else.
 */
#include "page_list.h"

#include <linux/cpuhotplug.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/topology.h>

#include "compat.h"
#include "extent.h"
#include "pool.h"
#include "zero.h"

/* Pages that move at once, a power of two, and the most that a stack has. */
#define BATCH 32
#define STACK_MOST (2 * BATCH)

enum { STACK_OTHER, STACK_CLEAN, NR_STACKS };

struct page_stack {
	unsigned int nr;
	uintptr_t page_addr[STACK_MOST];
};

struct page_list {
	spinlock_t lock; /* guards the stacks */
	struct page_stack stack[NR_STACKS];
};

static DEFINE_PER_CPU(struct page_list, page_lists);

/* ---- Between a list and the allocators ---- */

/* The stack for a page, by its record. */
static struct page_stack *stack_for(struct page_list *list,
				    const struct petmem_page *page)
{
	return &list->stack[page->clean ? STACK_CLEAN : STACK_OTHER];
}

/* The pages that were taken go onto the stacks so that the first one is taken first. */
static void list_pages(struct page_list *list, struct pool_extent *extent,
		       u32 first, u32 num_pages)
{
	u32 page = first + num_pages;

	while (page-- > first) {
		struct petmem_page *record = &extent->pages[page];
		struct page_stack *stack = stack_for(list, record);

		count_taken(extent, page);
		record->kind = PETMEM_PAGE_LISTED;
		stack->page_addr[stack->nr++] = address_of(extent, page);
	}
}

/* Fill an empty list with pages of a node. */
static void fill_list(struct page_list *list, int node)
{
	struct pool_extent *extent;
	u32 first, num_pages;

	lockdep_assert_held(&list->lock);

	spin_lock(&petmem_pool.lock);
	extent = petmem_pool_take_some(BATCH, node, &first, &num_pages);
	if (extent) {
		list_pages(list, extent, first, num_pages);
		petmem_pool.moves++;
	}
	spin_unlock(&petmem_pool.lock);
}

/* Put pages of a stack back until it has no more than @most. */
static void empty_stack(struct page_stack *stack, unsigned int most)
{
	struct pool_extent *extent = NULL;

	if (stack->nr <= most)
		return;
	spin_lock(&petmem_pool.lock);
	while (stack->nr > most) {
		uintptr_t page_addr = stack->page_addr[--stack->nr];
		struct pool_extent *before = extent;

		extent = petmem_extent_at(page_addr);
		if (before && extent != before)
			petmem_pool_update(before);
		petmem_pool_give(extent, page_number(extent, page_addr), 1);
	}
	petmem_pool_update(extent);
	petmem_pool.moves++;
	spin_unlock(&petmem_pool.lock);
}

static void empty_list(struct page_list *list)
{
	spin_lock(&list->lock);
	empty_stack(&list->stack[STACK_CLEAN], 0);
	empty_stack(&list->stack[STACK_OTHER], 0);
	spin_unlock(&list->lock);
}

void petmem_lists_empty(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		empty_list(per_cpu_ptr(&page_lists, cpu));
}

/* ---- Take ---- */

/* Returns a page's address, or 0. */
static uintptr_t pop_page(struct page_list *list)
{
	struct page_stack *stack = &list->stack[STACK_CLEAN];

	if (!stack->nr)
		stack = &list->stack[STACK_OTHER];
	return stack->nr ? stack->page_addr[--stack->nr] : 0;
}

static uintptr_t take_from_list(void)
{
	struct page_list *list = raw_cpu_ptr(&page_lists);
	uintptr_t page_addr;

	spin_lock(&list->lock);
	page_addr = pop_page(list);
	if (!page_addr) {
		fill_list(list, numa_node_id());
		page_addr = pop_page(list);
	}
	spin_unlock(&list->lock);
	return page_addr;
}

/* Take a page of any node from the allocators. */
static uintptr_t take_from_any_node(void)
{
	struct pool_extent *extent;
	uintptr_t page_addr = 0;
	u32 page;

	spin_lock(&petmem_pool.lock);
	extent = petmem_pool_take(1, NUMA_NO_NODE, &page);
	if (extent) {
		count_taken(extent, page);
		extent->pages[page].kind = PETMEM_PAGE_LISTED;
		page_addr = address_of(extent, page);
	}
	spin_unlock(&petmem_pool.lock);
	return page_addr;
}

/*
 * The last page may be in the list of another processor. While pages move, one may be missed,
 * so the search ends only when none has moved.
 */
static uintptr_t search_page(void)
{
	uintptr_t page_addr = take_from_any_node();
	u64 moves;

	while (!page_addr) {
		moves = READ_ONCE(petmem_pool.moves);
		petmem_lists_empty();
		page_addr = take_from_any_node();
		if (moves == READ_ONCE(petmem_pool.moves))
			break;
	}
	return page_addr;
}

uintptr_t petmem_alloc_page(enum petmem_page_kind kind)
{
	uintptr_t page_addr = take_from_list() ?: search_page();
	struct pool_extent *extent;
	struct petmem_page *page;

	if (!page_addr)
		return 0;
	petmem_kasan_unpoison(__va(page_addr), PAGE_SIZE);
	extent = petmem_extent_at(page_addr);
	page = &extent->pages[page_number(extent, page_addr)];
	*page = (struct petmem_page){
		.refs = ATOMIC_INIT(1),
		.kind = kind,
		.clean = page->clean,
	};
	petmem_count_pages(kind, 1);
	return page_addr;
}

/* ---- Give back ---- */

/*
 * Pages of other nodes and of extents with failed pages do not go into a list. A page fails
 * before petmem_pool_fail() empties the lists. So either the failure is seen here, or the page
 * is in the list when this list is emptied.
 */
static bool put_into_list(const struct pool_extent *extent, uintptr_t page_addr)
{
	struct page_list *list = raw_cpu_ptr(&page_lists);
	struct page_stack *stack = &list->stack[STACK_OTHER];
	bool fits;

	spin_lock(&list->lock);
	fits = extent->node == numa_node_id() && !READ_ONCE(extent->nr_failed);
	if (fits) {
		if (stack->nr == STACK_MOST)
			empty_stack(stack, BATCH);
		stack->page_addr[stack->nr++] = page_addr;
	}
	spin_unlock(&list->lock);
	return fits;
}

void petmem_give_page(struct pool_extent *extent, u32 page)
{
	petmem_count_pages(extent->pages[page].kind, -1);
	petmem_pool_poison(extent, page, 1);
	extent->pages[page] = (struct petmem_page){
		.kind = PETMEM_PAGE_LISTED,
	};
	if (!put_into_list(extent, address_of(extent, page))) {
		spin_lock(&petmem_pool.lock);
		petmem_pool_give(extent, page, 1);
		petmem_pool_update(extent);
		spin_unlock(&petmem_pool.lock);
	}
	petmem_zero_wake();
}

void petmem_free_page(uintptr_t page_addr)
{
	struct pool_extent *extent = petmem_extent_of(page_addr);

	if (extent)
		petmem_give_page(extent, page_number(extent, page_addr));
}

/* ---- Setup ---- */

u64 petmem_lists_nr_clean(void)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(
			per_cpu_ptr(&page_lists, cpu)->stack[STACK_CLEAN].nr);
	return sum;
}

/* A processor has gone offline. */
static int empty_list_of(unsigned int cpu)
{
	empty_list(per_cpu_ptr(&page_lists, cpu));
	return 0;
}

static int hotplug_state;

int petmem_lists_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(&page_lists, cpu)->lock);
	hotplug_state = cpuhp_setup_state_nocalls(
		CPUHP_BP_PREPARE_DYN, "petmem:lists", NULL, empty_list_of);
	return min(hotplug_state, 0);
}

void petmem_lists_exit(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
}
