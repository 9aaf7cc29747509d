// SPDX-License-Identifier: GPL-2.0
/*
 * pool.c - the donated pages.
 *
 * The pool is a list of donated extents in order of address, each with its own buddy
 * allocator. A second list has the extents with a free page, so an allocation does not look
 * at full ones. An array by address finds the extent of a page.
 */
#include "pool.h"

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/numa.h>
#include <linux/overflow.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/topology.h>
#include <linux/vmalloc.h>

#include "buddy.h"
#include "cleaner.h"
#include "compat.h"

/* The pages of a 2 MiB page. An extent is whole memory blocks, so also whole 2 MiB pages. */
#define LARGE PTRS_PER_PTE

/*
 * The record of each aligned 2 MiB. The owners of a 2 MiB page serialise all changes of .refs.
 * They also hold pool_lock to make it 0, or more than 0. So other readers hold pool_lock:
 * they see whether it is 0, and the number itself may change meanwhile.
 */
struct unit {
	u32 refs; /* entries of PMD tables that map it as one page */
	u32 clean; /* free pages that are clean; in a 2 MiB page: that were clean */
	u64 note; /* for a 2 MiB page: petmem_large_note() */
};

struct extent {
	struct list_head list; /* in order of address */
	struct list_head available; /* not in the list when no page is free */
	u64 start; /* physical address */
	u32 nr_pages;
	int node;
	bool whole; /* lies in a whole GiB of donated memory of one node */
	u32 nr_clean; /* pages that are free and clean */
	u32 hand; /* where to look for the next page to clean */
	struct petmem_buddy buddy;
	struct petmem_page *pages;
	struct unit *units;
	/*
	 * A bit for each page that has failed; bits are never cleared. It is not in struct
	 * petmem_page, because that is guarded by a lock of the page's owners.
	 */
	unsigned long *failed;
	u32 nr_failed;
};

/*
 * extents_mutex guards the set of extents, and pool_lock guards which pages are free.
 * Adding or removing an extent takes both.
 */
static DEFINE_MUTEX(extents_mutex);
static LIST_HEAD(extents);
/*
 * The extent of each memory block, by address. Each fault looks here several times, so this
 * is a plain array. To grow, it is replaced by a larger one.
 */
struct block_table {
	struct rcu_head rcu;
	unsigned long nr;
	struct extent *extent[];
};

static struct block_table __rcu *block_table;
static unsigned int block_shift; /* of the memory block size */

static DEFINE_SPINLOCK(pool_lock);
static LIST_HEAD(available);
static u64 count[PETMEM_PAGE_KINDS];
static u64 large_pages; /* 2 MiB pages in use */
static u64 clean_pages; /* free pages that are clean */

static u64 extent_size(const struct extent *extent)
{
	return (u64)extent->nr_pages << PAGE_SHIFT;
}

/*
 * The extent of an address, or NULL. It takes no lock: an extent with a page in use is not
 * removed.
 */
static struct extent *extent_at(uintptr_t page_addr)
{
	const struct block_table *table;
	struct extent *extent = NULL;
	unsigned long block;

	rcu_read_lock();
	table = rcu_dereference(block_table);
	block = page_addr >> block_shift;
	if (table && block < table->nr)
		extent = READ_ONCE(table->extent[block]);
	rcu_read_unlock();
	return extent;
}

/* The extent of a page that the caller has from the pool. Warns if there is none. */
static struct extent *extent_of(uintptr_t page_addr)
{
	struct extent *extent = extent_at(page_addr);

	WARN_ON_ONCE(!extent);
	return extent;
}

static u64 extent_end(const struct extent *extent)
{
	return extent->start + extent_size(extent);
}

static u32 page_number(const struct extent *extent, uintptr_t page_addr)
{
	return (page_addr - extent->start) >> PAGE_SHIFT;
}

/* The inverse of page_number(). */
static uintptr_t address_of(const struct extent *extent, u32 page)
{
	return extent->start + ((u64)page << PAGE_SHIFT);
}

static struct petmem_page *page_at(const struct extent *extent,
				   uintptr_t page_addr)
{
	return &extent->pages[page_number(extent, page_addr)];
}

/* More references than anybody can drop. */
#define NOBODYS_REFS (U32_MAX / 2)

struct petmem_page *petmem_pool_page(uintptr_t page_addr)
{
	static struct petmem_page nobodys;
	const struct extent *extent = extent_of(page_addr);

	if (extent)
		return page_at(extent, page_addr);
	nobodys = (struct petmem_page){ .refs = NOBODYS_REFS };
	return &nobodys;
}

struct petmem_page *petmem_pool_find(uintptr_t page_addr)
{
	const struct extent *extent = extent_at(page_addr);

	return extent ? page_at(extent, page_addr) : NULL;
}

static struct unit *unit_of(const struct extent *extent, u32 page)
{
	return &extent->units[page / LARGE];
}

static void count_clean(struct extent *extent, s64 more)
{
	extent->nr_clean += more;
	clean_pages += more;
}

static bool could_be_giant(const struct extent *extent)
{
	return extent->whole && extent->buddy.nr_free == extent->nr_pages;
}

/* The first extent for 1 GiB pages; they are at the end of the list. */
static struct list_head *first_whole(void)
{
	struct extent *extent;

	list_for_each_entry(extent, &available, available)
		if (could_be_giant(extent))
			return &extent->available;
	return &available;
}

/*
 * Put an extent that got pages back into the list. Pages are taken from the head of the
 * list, so extents that could be 1 GiB pages are at its tail.
 */
static void make_available(struct extent *extent)
{
	if (could_be_giant(extent))
		list_move_tail(&extent->available, &available);
	else if (list_empty(&extent->available))
		list_add(&extent->available, &available);
}

/* Pages changed their kind: update the counters and the list of available extents. */
static void count_pages(struct extent *extent, u32 num_pages,
			enum petmem_page_kind from, enum petmem_page_kind to)
{
	count[from] -= num_pages;
	count[to] += num_pages;

	if (to == PETMEM_PAGE_FREE)
		make_available(extent);
	else if (!extent->buddy.nr_free)
		list_del_init(&extent->available);
}

static bool is_in_use(enum petmem_page_kind kind)
{
	return kind == PETMEM_PAGE_TABLE || kind == PETMEM_PAGE_DATA;
}

static void account(struct extent *extent, u32 first, u32 num_pages,
		    enum petmem_page_kind from, enum petmem_page_kind to)
{
	struct petmem_page page = { .refs = is_in_use(to), .kind = to };
	u32 i;

	for (i = first; i < first + num_pages; i++) {
		page.clean = extent->pages[i].clean;
		if (page.clean && from == PETMEM_PAGE_FREE) {
			unit_of(extent, i)->clean--;
			count_clean(extent, -1);
		}
		/* A page that comes back has been written to. */
		page.clean &= to != PETMEM_PAGE_FREE;
		extent->pages[i] = page;
	}
	count_pages(extent, num_pages, from, to);
}

/*
 * The same for a 2 MiB page. The records of its pages stay as they were when the pages were
 * free, until the page is split.
 */
static void account_large(struct extent *extent, u32 first)
{
	struct unit *unit = unit_of(extent, first);

	unit->refs = 1;
	large_pages++;
	count_clean(extent, -(s64)unit->clean);
	count_pages(extent, LARGE, PETMEM_PAGE_FREE, PETMEM_PAGE_DATA);
}

static void account_large_free(struct extent *extent, u32 first)
{
	*unit_of(extent, first) = (struct unit){};
	large_pages--;
	memset(&extent->pages[first], 0, LARGE * sizeof(*extent->pages));
	count_pages(extent, LARGE, PETMEM_PAGE_DATA, PETMEM_PAGE_FREE);
}

/*
 * The page that the cleaner is clearing. It stays free meanwhile, and pool_lock is not held.
 * Taking the page or removing its extent cancels the clearing by setting .addr to 0 under
 * pool_lock. If the clearing has begun, its end is waited for first.
 */
static struct {
	uintptr_t addr; /* physical; 0: none */
	atomic_t state;
} cleaning;

enum { CLEANING_CHOSEN, CLEANING_BEGUN, CLEANING_DONE, CLEANING_VOID };

/*
 * Cancel the clearing of pages. Waits at most as long as clearing a page takes. Under
 * pool_lock.
 */
static void void_cleaning(uintptr_t start, u64 size)
{
	if (cleaning.addr < start || cleaning.addr >= start + size)
		return;
	if (atomic_cmpxchg(&cleaning.state, CLEANING_CHOSEN, CLEANING_VOID) ==
	    CLEANING_BEGUN)
		while (atomic_read_acquire(&cleaning.state) == CLEANING_BEGUN)
			cpu_relax();
	cleaning.addr = 0;
}

/* Take a free page out of circulation. Under pool_lock. */
static void retire(struct extent *extent, u32 page)
{
	void_cleaning(address_of(extent, page), PAGE_SIZE);
	petmem_buddy_take(&extent->buddy, page, 1);
	account(extent, page, 1, PETMEM_PAGE_FREE, PETMEM_PAGE_BAD);
}

/* The same for all failed pages among some free pages. */
static void retire_failed(struct extent *extent, u32 first, u32 num_pages)
{
	unsigned long end = (unsigned long)first + num_pages;
	unsigned long page;

	if (likely(!extent->nr_failed))
		return;
	for (page = find_next_bit(extent->failed, end, first); page < end;
	     page = find_next_bit(extent->failed, end, page + 1))
		retire(extent, page);
}

/* Whether pages are taken separately, or all as one 2 MiB page. */
enum take_as { SINGLE, AS_LARGE };

/* Take pages from one node, or from any for NUMA_NO_NODE. Under pool_lock. */
static uintptr_t take(u32 num_pages, enum petmem_page_kind kind,
		      enum take_as as, int node)
{
	struct extent *extent;
	uintptr_t addr;
	u32 first;

	list_for_each_entry(extent, &available, available) {
		if (node != NUMA_NO_NODE && extent->node != node)
			continue;
		first = petmem_buddy_alloc(&extent->buddy, num_pages);
		if (first == PETMEM_BUDDY_NONE)
			continue;
		addr = address_of(extent, first);
		void_cleaning(addr, (u64)num_pages << PAGE_SHIFT);
		petmem_kasan_unpoison(__va(addr), (u64)num_pages << PAGE_SHIFT);
		if (as == AS_LARGE)
			account_large(extent, first);
		else
			account(extent, first, num_pages, PETMEM_PAGE_FREE,
				kind);
		return addr;
	}
	return 0;
}

/* Does a node have a free page? Under pool_lock. */
static bool has_some(int node)
{
	struct extent *extent;

	list_for_each_entry(extent, &available, available)
		if (extent->node == node)
			return true;
	return false;
}

/* A 4 KiB page of the processor's own node is better than a 2 MiB page of another. */
static uintptr_t alloc(u32 num_pages, enum petmem_page_kind kind,
		       enum take_as as)
{
	int node = numa_node_id();
	uintptr_t page_addr;

	spin_lock(&pool_lock);
	page_addr = take(num_pages, kind, as, node);
	if (!page_addr && !(as == AS_LARGE && has_some(node)))
		page_addr = take(num_pages, kind, as, NUMA_NO_NODE);
	spin_unlock(&pool_lock);
	return page_addr;
}

uintptr_t petmem_alloc_pages(u64 num_pages, enum petmem_page_kind kind)
{
	return num_pages > U32_MAX ? 0 : alloc(num_pages, kind, SINGLE);
}

uintptr_t petmem_alloc_large(void)
{
	return alloc(LARGE, PETMEM_PAGE_DATA, AS_LARGE);
}

/* From now on KASAN reports every access to these pages, which are about to be free. */
static void poison(const struct extent *extent, u32 first, u32 num_pages)
{
	petmem_kasan_poison(__va(address_of(extent, first)),
			    (u64)num_pages << PAGE_SHIFT);
}

static void free_pages_of(struct extent *extent, u32 first, u32 num_pages)
{
	poison(extent, first, num_pages);
	spin_lock(&pool_lock);
	if (!WARN_ON_ONCE(
		    petmem_buddy_free(&extent->buddy, first, num_pages))) {
		account(extent, first, num_pages, extent->pages[first].kind,
			PETMEM_PAGE_FREE);
		retire_failed(extent, first, num_pages);
	}
	spin_unlock(&pool_lock);
	petmem_cleaner_wake();
}

void petmem_free_pages(uintptr_t page_addr, u64 num_pages)
{
	struct extent *extent = extent_of(page_addr);

	if (extent)
		free_pages_of(extent, page_number(extent, page_addr),
			      num_pages);
}

u64 petmem_put_page(uintptr_t page_addr)
{
	struct extent *extent = extent_of(page_addr);
	u32 page;

	if (!extent)
		return 0;
	page = page_number(extent, page_addr);
	if (--extent->pages[page].refs || unit_of(extent, page)->refs)
		return 0;
	free_pages_of(extent, page, 1);
	return 1;
}

/* ---- Pages of zeros ---- */

/* Other processes get the processor after this many pages. */
#define CLEAR_AT_ONCE 16

void petmem_clear_pages(uintptr_t page_addr, u64 num_pages)
{
	struct extent *extent = extent_of(page_addr);
	const struct petmem_page *pages;
	u32 first;
	u64 i;

	if (!extent)
		return;
	first = page_number(extent, page_addr);
	if (WARN_ON_ONCE(num_pages > extent->nr_pages - first))
		return;
	if (num_pages == LARGE && unit_of(extent, first)->clean == LARGE)
		return;
	pages = &extent->pages[first];
	for (i = 0; i < num_pages; i++) {
		if (!pages[i].clean)
			clear_page(__va(page_addr + i * PAGE_SIZE));
		if (i % CLEAR_AT_ONCE == CLEAR_AT_ONCE - 1)
			cond_resched();
	}
}

/* Others get the lock after this many pages. */
#define CLEAN_LOOK_AT 64

/* Returns a page's number, or U32_MAX for none. Under pool_lock. */
static u32 next_to_clean(struct extent *extent)
{
	u32 i;

	for (i = 0; i < CLEAN_LOOK_AT; i++) {
		u32 number = extent->hand;
		const struct petmem_page *page = &extent->pages[number];

		extent->hand = (number + 1) % extent->nr_pages;
		/* As long as a 2 MiB page has references, a split may write .kind. */
		if (!READ_ONCE(unit_of(extent, number)->refs) &&
		    page->kind == PETMEM_PAGE_FREE && !page->clean)
			return number;
	}
	return U32_MAX;
}

/* Clear the chosen page, unless it has been taken. */
static void clear_chosen(uintptr_t page_addr)
{
	/* void_cleaning() may wait for this, so it must not lose the processor. */
	preempt_disable();
	if (atomic_cmpxchg(&cleaning.state, CLEANING_CHOSEN, CLEANING_BEGUN) ==
	    CLEANING_CHOSEN) {
		clear_page(__va(page_addr));
		atomic_set_release(&cleaning.state, CLEANING_DONE);
	}
	preempt_enable();
}

/* Under pool_lock, which it drops. */
static void clean_page(struct extent *extent, u32 number)
{
	uintptr_t page_addr = address_of(extent, number);

	cleaning.addr = page_addr;
	atomic_set(&cleaning.state, CLEANING_CHOSEN);
	spin_unlock(&pool_lock);
	clear_chosen(page_addr);
	spin_lock(&pool_lock);
	if (cleaning.addr != page_addr)
		return;
	cleaning.addr = 0;
	extent->pages[number].clean = true;
	unit_of(extent, number)->clean++;
	count_clean(extent, 1);
}

bool petmem_pool_clean(void)
{
	struct extent *extent;
	bool found = false;
	u32 number;

	spin_lock(&pool_lock);
	list_for_each_entry(extent, &available, available) {
		found = extent->nr_clean < extent->buddy.nr_free;
		if (found)
			break;
	}
	if (found) {
		number = next_to_clean(extent);
		if (number != U32_MAX)
			clean_page(extent, number);
	}
	spin_unlock(&pool_lock);
	return found;
}

/* ---- Pages that have failed ---- */

int petmem_copy_page(uintptr_t to, uintptr_t from)
{
	const struct extent *extent = extent_of(from);

	if (!extent)
		return -EFAULT;
	/* A page that is known to be bad is not read, to avoid another machine check. */
	if (READ_ONCE(extent->nr_failed) &&
	    test_bit(page_number(extent, from), extent->failed))
		return -EHWPOISON;
	return petmem_copy_mc(__va(to), __va(from));
}

/* Under pool_lock. */
static void fail(struct extent *extent, u32 page)
{
	if (test_and_set_bit(page, extent->failed))
		return;
	WRITE_ONCE(extent->nr_failed, extent->nr_failed + 1);
	if (petmem_buddy_order(&extent->buddy, page) != PETMEM_BUDDY_USED)
		retire(extent, page);
}

bool petmem_pool_fail(uintptr_t page_addr)
{
	struct extent *extent;

	mutex_lock(&extents_mutex);
	extent = extent_at(page_addr);
	if (extent) {
		spin_lock(&pool_lock);
		fail(extent, page_number(extent, page_addr));
		spin_unlock(&pool_lock);
	}
	mutex_unlock(&extents_mutex);
	return extent;
}

/* ---- 2 MiB pages ---- */

/* The extent of a 2 MiB page that the caller has from the pool. Warns if there is none. */
static struct extent *large_extent_of(uintptr_t page_addr)
{
	if (WARN_ON_ONCE(!IS_ALIGNED(page_addr, PMD_SIZE)))
		return NULL;
	return extent_of(page_addr);
}

void petmem_get_large(uintptr_t page_addr)
{
	struct extent *extent = large_extent_of(page_addr);
	struct unit *unit;

	if (extent) {
		unit = unit_of(extent, page_number(extent, page_addr));
		WRITE_ONCE(unit->refs, unit->refs + 1);
	}
}

/* Drop one of several references, or the last one of a page that was split. */
static void drop_large(struct extent *extent, u32 first)
{
	struct unit *unit = unit_of(extent, first);

	if (unit->refs > 1) {
		WRITE_ONCE(unit->refs, unit->refs - 1);
		return;
	}
	/* From now on the cleaner may look at its pages, which are in use. */
	spin_lock(&pool_lock);
	unit->refs = 0;
	large_pages--;
	spin_unlock(&pool_lock);
}

static void free_large(struct extent *extent, u32 first)
{
	poison(extent, first, LARGE);
	spin_lock(&pool_lock);
	if (!WARN_ON_ONCE(petmem_buddy_free(&extent->buddy, first, LARGE))) {
		account_large_free(extent, first);
		retire_failed(extent, first, LARGE);
	}
	spin_unlock(&pool_lock);
	petmem_cleaner_wake();
}

/* Free the pages without a reference in what was a 2 MiB page. */
static u64 free_rest(struct extent *extent, u32 first)
{
	const struct petmem_page *pages = &extent->pages[first];
	u32 i, end;
	u64 freed = 0;

	for (i = 0; i < LARGE; i = end + 1) {
		for (end = i; end < LARGE && !pages[end].refs; end++)
			;
		if (end == i)
			continue;
		free_pages_of(extent, first + i, end - i);
		freed += end - i;
	}
	return freed;
}

static bool any_has_refs(const struct extent *extent, u32 first)
{
	u32 i;

	for (i = first; i < first + LARGE; i++)
		if (extent->pages[i].refs)
			return true;
	return false;
}

u64 petmem_put_large(uintptr_t page_addr)
{
	struct extent *extent = large_extent_of(page_addr);
	bool last;
	u32 first;

	if (!extent)
		return 0;
	first = page_number(extent, page_addr);
	last = unit_of(extent, first)->refs == 1;
	if (last && !any_has_refs(extent, first)) {
		free_large(extent, first);
		return LARGE;
	}
	drop_large(extent, first);
	return last ? free_rest(extent, first) : 0;
}

void petmem_split_large(uintptr_t page_addr)
{
	struct extent *extent = large_extent_of(page_addr);
	u32 first, i;

	if (!extent)
		return;
	first = page_number(extent, page_addr);
	for (i = first; i < first + LARGE; i++) {
		extent->pages[i].refs++;
		extent->pages[i].kind = PETMEM_PAGE_DATA;
	}
	unit_of(extent, first)->clean = 0;
	drop_large(extent, first);
}

u32 petmem_large_refs(uintptr_t page_addr)
{
	struct extent *extent = large_extent_of(page_addr);

	return extent ? unit_of(extent, page_number(extent, page_addr))->refs
		      : 0;
}

u64 *petmem_large_note(uintptr_t page_addr)
{
	struct extent *extent = large_extent_of(page_addr);
	static u64 nobodys;

	if (extent)
		return &unit_of(extent, page_number(extent, page_addr))->note;
	nobodys = 0;
	return &nobodys;
}

bool petmem_page_is_shared(uintptr_t page_addr)
{
	struct extent *extent = extent_of(page_addr);
	u32 page;

	if (!extent)
		return true;
	page = page_number(extent, page_addr);
	return extent->pages[page].refs + unit_of(extent, page)->refs > 1;
}

bool petmem_large_is_shared(uintptr_t page_addr)
{
	struct extent *extent = large_extent_of(page_addr);
	u32 first;

	if (!extent)
		return true;
	first = page_number(extent, page_addr);
	return unit_of(extent, first)->refs > 1 || any_has_refs(extent, first);
}

/* ---- 1 GiB pages ---- */

/* The number of pages of an extent between @addr and @end. */
static u32 pages_below(const struct extent *extent, u64 addr, u64 end)
{
	return (min(end, extent_end(extent)) - addr) >> PAGE_SHIFT;
}

/* Is the 1 GiB at @addr all free, in this extent and in the next ones? */
static bool giant_is_free(struct extent *extent, u64 addr)
{
	u64 end = addr + PUD_SIZE;
	int node = extent->node;

	list_for_each_entry_from(extent, &extents, list) {
		if (extent->start > addr || extent->node != node ||
		    !petmem_buddy_is_free(&extent->buddy,
					  page_number(extent, addr),
					  pages_below(extent, addr, end)))
			return false;
		addr = min(end, extent_end(extent));
		if (addr == end)
			return true;
	}
	return false;
}

static void take_giant(struct extent *extent, u64 addr)
{
	u64 end = addr + PUD_SIZE;
	u32 page, last;

	void_cleaning(addr, PUD_SIZE);
	list_for_each_entry_from(extent, &extents, list) {
		page = page_number(extent, addr);
		last = page + pages_below(extent, addr, end);
		petmem_buddy_take(&extent->buddy, page, last - page);
		for (; page < last; page += LARGE)
			account_large(extent, page);
		addr = min(end, extent_end(extent));
		if (addr == end)
			return;
	}
}

/* Take 1 GiB from a node, or from any for NUMA_NO_NODE. */
static u64 find_giant(int node)
{
	struct extent *extent;
	bool found;
	u64 addr;

	lockdep_assert_held(&extents_mutex);

	list_for_each_entry(extent, &extents, list) {
		if (node != NUMA_NO_NODE && extent->node != node)
			continue;
		for (addr = ALIGN(extent->start, PUD_SIZE);
		     addr < extent_end(extent); addr += PUD_SIZE) {
			spin_lock(&pool_lock);
			found = giant_is_free(extent, addr);
			if (found)
				take_giant(extent, addr);
			spin_unlock(&pool_lock);
			if (found)
				return addr;
		}
	}
	return 0;
}

uintptr_t petmem_alloc_giant(void)
{
	u64 addr;

	mutex_lock(&extents_mutex);
	addr = find_giant(numa_node_id()) ?: find_giant(NUMA_NO_NODE);
	mutex_unlock(&extents_mutex);
	if (addr)
		petmem_kasan_unpoison(__va(addr), PUD_SIZE);
	return addr;
}

/* ---- The extents ---- */

static void extent_free(struct extent *extent)
{
	petmem_buddy_destroy(&extent->buddy);
	kvfree(extent->failed);
	kvfree(extent->units);
	kvfree(extent->pages);
	kfree(extent);
}

static struct extent *extent_new(u64 start, u64 size, int node)
{
	struct extent *extent = kzalloc(sizeof(*extent), GFP_KERNEL);

	if (!extent)
		return NULL;
	INIT_LIST_HEAD(&extent->available);
	extent->start = start;
	extent->nr_pages = size >> PAGE_SHIFT;
	extent->node = node;
	extent->pages =
		kvcalloc(extent->nr_pages, sizeof(*extent->pages), GFP_KERNEL);
	extent->units = kvcalloc(extent->nr_pages / LARGE,
				 sizeof(*extent->units), GFP_KERNEL);
	if (!extent->pages || !extent->units ||
	    petmem_buddy_init(&extent->buddy, extent->nr_pages)) {
		extent_free(extent);
		return NULL;
	}
	return extent;
}

/* Let the array have room for all addresses below @end. Under extents_mutex. */
static int grow_table(u64 end)
{
	struct block_table *old, *new;
	unsigned long nr;

	block_shift = ilog2(memory_block_size_bytes());
	nr = end >> block_shift;
	old = rcu_dereference_protected(block_table,
					lockdep_is_held(&extents_mutex));
	if (old && nr <= old->nr)
		return 0;
	new = kvzalloc(struct_size(new, extent, nr), GFP_KERNEL);
	if (!new)
		return -ENOMEM;
	new->nr = nr;
	if (old)
		memcpy(new->extent, old->extent,
		       flex_array_size(old, extent, old->nr));
	rcu_assign_pointer(block_table, new);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/* Set the entries of an extent's blocks to the extent, or to NULL. Under extents_mutex. */
static void enter_addresses(const struct extent *extent, struct extent *to)
{
	struct block_table *table = rcu_dereference_protected(
		block_table, lockdep_is_held(&extents_mutex));
	u64 end = extent_end(extent);
	unsigned long i;

	for (i = extent->start >> block_shift; i < end >> block_shift; i++)
		WRITE_ONCE(table->extent[i], to);
}

/* The extent of an address, if there is one. Under extents_mutex. */
static struct extent *find_extent(u64 addr)
{
	struct block_table *table = rcu_dereference_protected(
		block_table, lockdep_is_held(&extents_mutex));
	u64 block = addr >> block_shift;

	return table && block < table->nr ? table->extent[block] : NULL;
}

static bool is_whole(u64 gigabyte)
{
	u64 step = min_t(u64, BIT_ULL(block_shift), PUD_SIZE);
	struct extent *first = find_extent(gigabyte), *extent;
	u64 addr;

	for (addr = gigabyte; addr < gigabyte + PUD_SIZE; addr += step) {
		extent = find_extent(addr);
		if (!extent || extent->node != first->node)
			return false;
	}
	return true;
}

/* Blocks came or went: find out which GiB are whole now. Under both locks. */
static void mark_whole(u64 start, u64 end)
{
	u64 step = min_t(u64, BIT_ULL(block_shift), PUD_SIZE);
	struct extent *extent;
	u64 addr;

	for (addr = start & PUD_MASK; addr < ALIGN(end, PUD_SIZE);
	     addr += step) {
		extent = find_extent(addr);
		if (!extent)
			continue;
		extent->whole = is_whole(addr & PUD_MASK);
		if (extent->buddy.nr_free)
			make_available(extent);
	}
}

static bool overlaps(u64 start, u64 size)
{
	struct extent *extent;

	list_for_each_entry(extent, &extents, list)
		if (start < extent_end(extent) && extent->start < start + size)
			return true;
	return false;
}

/* The list entry before which an extent that begins at @start belongs. */
static struct list_head *position(u64 start)
{
	struct extent *extent;

	list_for_each_entry(extent, &extents, list)
		if (extent->start > start)
			return &extent->list;
	return &extents;
}

/* Make the pages of a new extent available. Under extents_mutex. */
static void open_extent(struct extent *extent, unsigned long *failed)
{
	u64 end = extent_end(extent);

	extent->failed = failed;
	enter_addresses(extent, extent);
	list_add_tail(&extent->list, position(extent->start));
	spin_lock(&pool_lock);
	list_add_tail(&extent->available, first_whole());
	count[PETMEM_PAGE_FREE] += extent->nr_pages;
	extent->nr_failed = bitmap_weight(failed, extent->nr_pages);
	retire_failed(extent, 0, extent->nr_pages);
	mark_whole(extent->start, end);
	spin_unlock(&pool_lock);
}

int petmem_pool_add(u64 start, u64 size, int node, unsigned long *failed)
{
	struct extent *extent = extent_new(start, size, node);
	int err;

	if (!extent)
		return -ENOMEM;
	mutex_lock(&extents_mutex);
	err = overlaps(start, size) ? -EEXIST : grow_table(start + size);
	if (err) {
		mutex_unlock(&extents_mutex);
		extent_free(extent);
		return err;
	}
	poison(extent, 0, extent->nr_pages);
	open_extent(extent, failed);
	mutex_unlock(&extents_mutex);
	petmem_cleaner_wake();
	return 0;
}

/* Are all pages of an extent free? Under pool_lock. */
static int check_idle(const struct extent *extent)
{
	u32 nr_free = extent->buddy.nr_free;

	if (nr_free == extent->nr_pages)
		return 0;
	return nr_free == extent->nr_pages - extent->nr_failed ? -EHWPOISON
							       : -EBUSY;
}

/* Take all pages of an extent out of circulation, if all are free. */
static int withdraw(struct extent *extent)
{
	int err;

	spin_lock(&pool_lock);
	err = check_idle(extent);
	if (!err) {
		void_cleaning(extent->start, extent_size(extent));
		list_del_init(&extent->available);
		count[PETMEM_PAGE_FREE] -= extent->nr_pages;
		count_clean(extent, -(s64)extent->nr_clean);
	}
	spin_unlock(&pool_lock);
	return err;
}

int petmem_pool_remove(u64 start, u64 size)
{
	struct extent *extent;
	int err = -ENOENT;

	mutex_lock(&extents_mutex);
	extent = find_extent(start);
	if (extent && extent->start == start && extent_size(extent) == size)
		err = withdraw(extent);
	if (!err) {
		enter_addresses(extent, NULL);
		list_del(&extent->list);
		extent_free(extent);
		spin_lock(&pool_lock);
		mark_whole(start, start + size);
		spin_unlock(&pool_lock);
	}
	mutex_unlock(&extents_mutex);
	return err;
}

bool petmem_pool_overlaps(u64 start, u64 size)
{
	bool found;

	mutex_lock(&extents_mutex);
	found = overlaps(start, size);
	mutex_unlock(&extents_mutex);
	return found;
}

void petmem_pool_status(struct petmem_status *status)
{
	struct extent *extent;

	mutex_lock(&extents_mutex);
	status->blocks = 0;
	list_for_each_entry(extent, &extents, list)
		status->blocks++;
	status->block_size = memory_block_size_bytes();
	spin_lock(&pool_lock);
	status->free_pages = count[PETMEM_PAGE_FREE];
	status->clean_pages = clean_pages;
	status->table_pages = count[PETMEM_PAGE_TABLE];
	status->data_pages = count[PETMEM_PAGE_DATA];
	status->bad_pages = count[PETMEM_PAGE_BAD];
	status->large_pages = large_pages;
	spin_unlock(&pool_lock);
	mutex_unlock(&extents_mutex);
	status->total_pages = status->free_pages + status->table_pages +
			      status->data_pages + status->bad_pages;
}

int petmem_pool_block(struct petmem_block *block)
{
	struct extent *extent;
	u32 index = 0;
	int err = -ENOENT;

	mutex_lock(&extents_mutex);
	list_for_each_entry(extent, &extents, list) {
		if (index++ != block->index)
			continue;
		block->node = extent->node;
		block->start = extent->start;
		block->size = extent_size(extent);
		spin_lock(&pool_lock);
		block->free_pages = extent->buddy.nr_free;
		spin_unlock(&pool_lock);
		err = 0;
		break;
	}
	mutex_unlock(&extents_mutex);
	return err;
}

/* The kind of a page that is not free. */
static u32 run_kind(const struct extent *extent, u32 page)
{
	if (READ_ONCE(unit_of(extent, page)->refs))
		return PETMEM_RUN_LARGE;
	if (extent->pages[page].kind == PETMEM_PAGE_BAD)
		return PETMEM_RUN_BAD;
	return extent->pages[page].kind == PETMEM_PAGE_TABLE ? PETMEM_RUN_TABLE
							     : PETMEM_RUN_DATA;
}

/* From @page to the end of the run. Under pool_lock. */
static u32 run_end(const struct extent *extent, u32 page,
		   struct petmem_run *run)
{
	u8 order = petmem_buddy_order(&extent->buddy, page);
	u32 end = page + 1;

	if (order != PETMEM_BUDDY_USED) {
		run->kind = PETMEM_RUN_FREE;
		run->order = order;
		return ((page >> order) + 1) << order;
	}
	run->kind = run_kind(extent, page);
	while (end % LARGE && run_kind(extent, end) == run->kind &&
	       petmem_buddy_order(&extent->buddy, end) == PETMEM_BUDDY_USED)
		end++;
	return end;
}

int petmem_pool_run(struct petmem_run *run)
{
	struct extent *extent;
	u32 page;

	mutex_lock(&extents_mutex);
	extent = find_extent(run->addr);
	if (extent) {
		page = page_number(extent, run->addr);
		spin_lock(&pool_lock);
		run->size = (u64)(run_end(extent, page, run) - page)
			    << PAGE_SHIFT;
		spin_unlock(&pool_lock);
	}
	mutex_unlock(&extents_mutex);
	return extent ? 0 : -ENOENT;
}

void petmem_pool_exit(void)
{
	kvfree(rcu_dereference_protected(block_table, true));
}
