// SPDX-License-Identifier: GPL-2.0
/*
 * on_demand.c - demand paging.
 *
 * An allocation takes only addresses. The first access to each page faults, and the fault
 * maps the page:
 *
 *   touch -> fault -> is the address allocated?   no: SIGSEGV
 *                     is the access allowed?      no: SIGSEGV
 *                     is the page there already?
 *                       no:    a page of zeros from the pool  (none left: SIGSEGV),
 *                              of 2 MiB if it fits and there is one (large.c)
 *                       yes, but a relative shares it, and this is a write:
 *                              a copy of the page             (none left: SIGSEGV)
 *                       yes:   another thread was faster
 *         -> touch again
 *
 * A free unmaps the pages, shoots their translations down on every processor, and gives
 * them back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "on_demand.h"

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "account.h"
#include "compat.h"
#include "cow.h"
#include "large.h"
#include "memmap.h"
#include "petmem.h"
#include "pgtables.h"
#include "pool.h"
#include "process.h"
#include "trace.h"

/* The allowed accesses: reads and writes from user mode. */
#define ALLOWED_ACCESS \
	(PETMEM_FAULT_PRESENT | PETMEM_FAULT_WRITE | PETMEM_FAULT_USER)

/* Print at most this many ranges of a memory map, between two other lines. */
#define DUMP_RANGES 64
#define DUMP_OTHER_LINES 2

/* The allocated range that holds an address, or NULL. */
static struct petmem_range *find_allocated(struct petmem_process *process,
					   u64 addr)
{
	struct petmem_range *range;

	lockdep_assert_held(&process->family->lock);

	if (!process->map)
		return NULL;
	range = petmem_memmap_find(process->map, addr);
	return range && range->allocated ? range : NULL;
}

/* The end of the part of a range that may be touched. */
static u64 usable_end(const struct petmem_range *range)
{
	return range->start + range->size - (range->guarded ? PAGE_SIZE : 0);
}

static bool is_usable(struct petmem_process *process, u64 addr)
{
	struct petmem_range *range = find_allocated(process, addr);

	return range && addr < usable_end(range);
}

/* Allocate a range in a map that nobody shares. */
static int place_range(struct petmem_process *process,
		       struct petmem_map_change *change, u64 size, u64 align,
		       bool guard, u64 *addr)
{
	struct petmem_account *account = &process->family->account;
	struct petmem_range *range;

	lockdep_assert_held(&process->family->lock);

	if (process->map->nr_allocated >= petmem_max_map_allocations() ||
	    petmem_charge_allocations(account, 1))
		return -ENOMEM;
	range = petmem_large_place(process, &change->spares, size, align)
			?: petmem_memmap_alloc(process->map, &change->spares,
					       size, align);
	if (!range) {
		petmem_uncharge_allocations(account, 1);
		return -ENOMEM;
	}
	range->guarded = guard;
	*addr = range->start;
	trace_petmem_alloc(range->start, range->size);
	return 0;
}

int petmem_alloc_vspace(struct petmem_process *process, u64 size, u64 align,
			bool guard, u64 *addr)
{
	struct petmem_map_change change;
	int err;

	if (size > PETMEM_REGION_SIZE || align > PETMEM_REGION_SIZE)
		return -ENOMEM;
	size = PAGE_ALIGN(size) + (guard ? PAGE_SIZE : 0);
	align = max_t(u64, align, PAGE_SIZE);

	mutex_lock(&process->lock);
	err = petmem_cow_prepare_change(process, &change,
					PETMEM_MEMMAP_ALLOC_SPARES);
	if (err)
		goto out_unlock;
	mutex_lock(&process->family->lock);
	if (petmem_cow_own_map(process, &change))
		err = place_range(process, &change, size, align, guard, addr);
	else
		err = -EAGAIN;
	mutex_unlock(&process->family->lock);
	petmem_cow_finish_change(process, &change);
out_unlock:
	mutex_unlock(&process->lock);
	return err;
}

/* Find the range that begins at @addr, and unshare the tables that unmapping it changes. */
static int prepare_free(struct petmem_process *process, u64 addr, u64 *end)
{
	struct petmem_gather replaced;
	struct petmem_range *range;
	int err = -EINVAL;

	petmem_gather_few(&replaced);
	mutex_lock(&process->family->lock);
	range = find_allocated(process, addr);
	if (range && range->start == addr) {
		*end = addr + range->size;
		err = petmem_pgtables_part(petmem_process_mm(process),
					   &process->family->account, addr,
					   *end, &replaced);
	}
	mutex_unlock(&process->family->lock);
	petmem_process_put(process, &replaced);
	petmem_process_put_retired(process);
	return err;
}

/*
 * Processors drop their translations first, then devices and virtual machines do, and only
 * then the pages are freed.
 */
static void unmap_range(struct petmem_process *process, u64 addr, u64 end)
{
	struct mm_struct *mm = petmem_process_mm(process);
	struct petmem_gather gather;
	u64 next;

	petmem_gather_init(&gather, addr, end);
	for (; addr < end; addr = next) {
		mutex_lock(&process->family->lock);
		next = petmem_pgtables_unmap(mm, addr, end, &gather);
		mutex_unlock(&process->family->lock);
		if (!gather.nr)
			continue;
		petmem_process_notify(process, addr, next);
		petmem_process_put(process, &gather);
	}
	petmem_gather_exit(&gather);
}

/* Remove an allocation from a map that nobody shares. */
static void forget_range(struct petmem_process *process, u64 addr)
{
	lockdep_assert_held(&process->family->lock);

	petmem_memmap_free(process->map, find_allocated(process, addr));
	petmem_uncharge_allocations(&process->family->account, 1);
}

/*
 * The mmap lock of the process and the lock of its VMA are held for writing. As in munmap(),
 * this keeps Linux's walkers of this mm out of the tables that may be freed. It also keeps
 * munmap() from taking the map away.
 */
int petmem_free_vspace(struct petmem_process *process, u64 addr)
{
	struct petmem_map_change change;
	u64 end;
	int err;

	if (petmem_process_lock_region(process))
		return -EINTR;
	mutex_lock(&process->lock);
	err = petmem_cow_prepare_change(process, &change, 0);
	if (err) {
		/* Without a region there is no allocation. */
		err = err == -EAGAIN ? -EINVAL : err;
		goto out_unlock;
	}
	err = prepare_free(process, addr, &end);
	if (err)
		goto out_finish;
	unmap_range(process, addr, end);
	trace_petmem_free(addr, end - addr);

	mutex_lock(&process->family->lock);
	if (petmem_cow_own_map(process, &change))
		forget_range(process, addr);
	mutex_unlock(&process->family->lock);
out_finish:
	petmem_cow_finish_change(process, &change);
out_unlock:
	mutex_unlock(&process->lock);
	petmem_process_unlock_region(process);
	return err;
}

int petmem_query_vspace(struct petmem_process *process, u64 *addr, u64 *size)
{
	struct petmem_range *range;
	int err = -ENOENT;

	mutex_lock(&process->family->lock);
	if (is_usable(process, *addr)) {
		range = find_allocated(process, *addr);
		*addr = range->start;
		*size = usable_end(range) - range->start;
		err = 0;
	}
	mutex_unlock(&process->family->lock);
	return err;
}

/* The contents of a dump, copied under the family's lock and printed without it. */
struct dump {
	u64 allocations;
	bool more; /* there are more ranges */
	unsigned int nr;
	struct {
		u64 start;
		u64 size;
		bool allocated;
		bool guarded;
	} ranges[DUMP_RANGES];
};

static void copy_map(struct dump *dump, const struct petmem_memmap *map)
{
	const struct petmem_range *range;

	dump->allocations = map->nr_allocated;
	list_for_each_entry(range, &map->ranges, list) {
		dump->more = dump->nr == DUMP_RANGES;
		if (dump->more)
			break;
		dump->ranges[dump->nr].start = range->start;
		dump->ranges[dump->nr].size = range->size;
		dump->ranges[dump->nr].allocated = range->allocated;
		dump->ranges[dump->nr++].guarded = range->guarded;
	}
}

static void print_dump(const struct dump *dump)
{
	unsigned int i;

	pr_info("memory map of process %d (%s): %llu allocations\n",
		task_tgid_nr(current), current->comm, dump->allocations);
	for (i = 0; i < dump->nr; i++)
		pr_info("  %#llx-%#llx %s %llu KiB%s\n", dump->ranges[i].start,
			dump->ranges[i].start + dump->ranges[i].size,
			dump->ranges[i].allocated ? "allocated" : "free",
			dump->ranges[i].size / SZ_1K,
			dump->ranges[i].guarded ? ", guarded" : "");
	if (dump->more)
		pr_info("  and more\n");
}

int petmem_dump_vspace(struct petmem_process *process)
{
	struct dump *dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	int err = 0;

	if (!dump)
		return -ENOMEM;
	mutex_lock(&process->family->lock);
	if (process->map)
		copy_map(dump, process->map);
	mutex_unlock(&process->family->lock);
	if (petmem_account_may_log(&process->family->account,
				   dump->nr + DUMP_OTHER_LINES))
		print_dump(dump);
	else
		err = -EAGAIN;
	kfree(dump);
	return err;
}

/* Map a page of zeros from the pool at an address. */
static int map_new_page(struct petmem_process *process, u64 addr,
			struct petmem_leaf *leaf)
{
	struct petmem_account *account = &process->family->account;
	struct mm_struct *mm = petmem_process_mm(process);
	uintptr_t page_addr =
		petmem_alloc_charged(account, PETMEM_CHARGED_PAGE);
	int err = 0;

	if (!page_addr)
		return -ENOMEM;
	if (!leaf->private)
		err = petmem_pgtables_make_private(mm, account, addr, false,
						   leaf);
	if (err) {
		petmem_put_charged(account, page_addr, PETMEM_CHARGED_PAGE);
		return err;
	}
	if (!petmem_pool_page(page_addr)->clean)
		clear_page(__va(page_addr));
	petmem_leaf_set(leaf, page_addr);
	return 0;
}

/*
 * Map the neighbours of a page as well, to save their faults: the addresses in its aligned
 * group that are allocated and have no page, as long as the pool has pages. A group is at
 * most one page table, so their entries are beside the page's entry.
 */
static void map_neighbours(struct petmem_process *process, u64 addr,
			   const struct petmem_leaf *leaf)
{
	const struct petmem_range *range = find_allocated(process, addr);
	u64 span = process->fault_around * PAGE_SIZE;
	u64 group = addr & ~(span - 1);
	u64 end = min(group + span, usable_end(range));
	u64 next;

	for (next = max(group, range->start); next < end; next += PAGE_SIZE) {
		struct petmem_leaf neighbour = *leaf;

		neighbour.entry += (s64)(next - addr) / (s64)PAGE_SIZE;
		if (petmem_leaf_page(&neighbour))
			continue;
		if (map_new_page(process, next, &neighbour))
			return;
	}
}

/* Map a 2 MiB page around an address without a PTE table. */
static int map_new_large_page(struct petmem_process *process, u64 addr)
{
	const struct petmem_range *range = find_allocated(process, addr);

	return petmem_large_map(process, addr, range->start, usable_end(range));
}

/* Map a page at an address that has none. */
static int bring_new_page(struct petmem_process *process, u64 addr,
			  struct petmem_leaf *leaf)
{
	int err = leaf->entry ? -ENOMEM : map_new_large_page(process, addr);

	if (err != -ENOMEM)
		return err;
	err = map_new_page(process, addr, leaf);
	if (!err && process->fault_around > 1)
		map_neighbours(process, addr, leaf);
	return err;
}

static int bring_page(struct petmem_process *process, u64 addr, u32 error_code)
{
	struct mm_struct *mm = petmem_process_mm(process);
	struct petmem_leaf leaf;

	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	if (!is_usable(process, addr))
		return -EFAULT;
	if (error_code & ~ALLOWED_ACCESS)
		return -EACCES;
	leaf = petmem_pgtables_find(mm, addr);
	if (!petmem_leaf_page(&leaf))
		return bring_new_page(process, addr, &leaf);
	if (!(error_code & PETMEM_FAULT_WRITE) ||
	    petmem_leaf_is_writable(&leaf))
		return 0;
	return petmem_cow_break(process, addr);
}

void petmem_set_fault_around(struct petmem_process *process, u32 pages)
{
	mutex_lock(&process->family->lock);
	process->fault_around = pages;
	mutex_unlock(&process->family->lock);
}

void petmem_set_large_pages(struct petmem_process *process, bool wanted)
{
	mutex_lock(&process->family->lock);
	process->large_pages = wanted && petmem_has_large_pages();
	mutex_unlock(&process->family->lock);
}

/* The number of 4 KiB pages from an address to the end of the mapped page around it. */
static u64 pages_brought(struct petmem_process *process, u64 addr)
{
	struct petmem_leaf leaf =
		petmem_pgtables_find(petmem_process_mm(process), addr);
	u64 size = petmem_leaf_size(&leaf);

	return (size - (addr & (size - 1) & PAGE_MASK)) >> PAGE_SHIFT;
}

static int handle_pagefault(struct petmem_process *process, u64 addr,
			    u32 error_code, u64 *nr_pages)
{
	int err;

	mutex_lock(&process->lock);
	mutex_lock(&process->family->lock);
	err = bring_page(process, addr & PAGE_MASK, error_code);
	/* A fault that will be repeated is counted when it is. */
	if (err != -EAGAIN)
		petmem_count_fault(process);
	if (!err && nr_pages)
		*nr_pages = pages_brought(process, addr);
	mutex_unlock(&process->family->lock);
	mutex_unlock(&process->lock);
	if (err != -EAGAIN)
		trace_petmem_fault(addr, error_code, err);

	if (err == -ENOMEM &&
	    petmem_account_may_log(&process->family->account, 1))
		pr_warn("process %d (%s): the pool is empty, or a limit reached\n",
			task_tgid_nr(current), current->comm);
	return err;
}

int petmem_handle_pagefault(struct petmem_process *process, u64 addr,
			    u32 error_code)
{
	return handle_pagefault(process, addr, error_code, NULL);
}

/* The page of @addr faults in any case. Moves @addr to the fault that fails, or to @end. */
static int handle_locked(struct petmem_process *process, u64 *addr, u64 end,
			 u32 error_code)
{
	u64 nr_pages;
	int err;

	do {
		err = handle_pagefault(process, *addr, error_code, &nr_pages);
		if (err)
			return err;
		*addr += nr_pages * PAGE_SIZE;
	} while (*addr < end);
	return 0;
}

/*
 * A copy that releases the family's lock in the middle must not meet munmap(), which would
 * take the region away under it.
 */
static int lock_and_handle(struct petmem_process *process, u64 *addr, u64 end,
			   u32 error_code)
{
	struct mm_struct *mm = petmem_process_mm(process);
	int err = 0;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (petmem_cow_notifies(process) && !petmem_process_is_mapped(process))
		err = -EFAULT;
	if (!err)
		err = handle_locked(process, addr, end, error_code);
	mmap_read_unlock(mm);
	return err;
}

int petmem_handle_pagefaults(struct petmem_process *process, u64 addr, u64 end,
			     u32 error_code)
{
	int err;

	do {
		err = lock_and_handle(process, &addr, end, error_code);
		if (err != -EAGAIN)
			return err;
		err = petmem_cow_unshare(process, addr);
	} while (!err);
	return err;
}

static bool lies_in_one_range(struct petmem_process *process, u64 addr,
			      u64 size)
{
	bool lies = false;

	mutex_lock(&process->family->lock);
	if (is_usable(process, addr))
		lies = size <= usable_end(find_allocated(process, addr)) - addr;
	mutex_unlock(&process->family->lock);
	return lies;
}

/* Can an aligned 1 GiB be one page? All of it is allocated, and nothing is mapped yet. */
static bool fits_giant(struct petmem_process *process, u64 addr)
{
	lockdep_assert_held(&process->family->lock);

	return process->large_pages && petmem_has_giant_pages() &&
	       is_usable(process, addr) &&
	       usable_end(find_allocated(process, addr)) - addr >= PUD_SIZE &&
	       petmem_pgtables_is_empty(petmem_process_mm(process), addr);
}

/* Enter a 1 GiB page, if it still fits. The locks keep Linux's walkers out as in a free. */
static int enter_giant(struct petmem_process *process, u64 addr,
		       uintptr_t page_addr)
{
	struct mm_struct *mm = petmem_process_mm(process);
	struct petmem_gather replaced;
	int err = -EAGAIN;

	if (petmem_process_lock_region(process))
		return -EINTR;
	petmem_gather_few(&replaced);
	mutex_lock(&process->lock);
	mutex_lock(&process->family->lock);
	if (fits_giant(process, addr))
		err = petmem_pgtables_set_giant(mm, &process->family->account,
						addr, page_addr, &replaced);
	if (!err)
		petmem_count_fault(process);
	mutex_unlock(&process->family->lock);
	mutex_unlock(&process->lock);
	petmem_process_put(process, &replaced);
	petmem_process_unlock_region(process);
	return err;
}

/*
 * Map an aligned 1 GiB as one page, which is cleared before any lock is taken. Returns 0,
 * -EINTR, or another error if smaller pages have to be used.
 */
static int populate_giant(struct petmem_process *process, u64 addr)
{
	uintptr_t page_addr;
	bool fits;
	int err;

	/* The process's mmap lock keeps fork from detaching the tables. */
	if (mmap_read_lock_killable(petmem_process_mm(process)))
		return -EINTR;
	mutex_lock(&process->family->lock);
	fits = fits_giant(process, addr);
	mutex_unlock(&process->family->lock);
	mmap_read_unlock(petmem_process_mm(process));
	if (!fits)
		return -EAGAIN;
	err = petmem_large_take_giant(process, &page_addr);
	if (err)
		return err;
	err = enter_giant(process, addr, page_addr);
	if (err)
		petmem_large_put_giant(process, page_addr);
	return err;
}

/* Map pages from @addr onwards: 1 GiB as one page, or as much as a page table holds. */
static int populate_some(struct petmem_process *process, u64 addr, u64 end,
			 u64 *next)
{
	int err;

	*next = addr + PUD_SIZE;
	if (IS_ALIGNED(addr, PUD_SIZE) && end - addr >= PUD_SIZE) {
		err = populate_giant(process, addr);
		if (!err || err == -EINTR)
			return err;
	}
	*next = min((addr | ~PMD_MASK) + 1, PAGE_ALIGN(end));
	return petmem_handle_pagefaults(process, addr, *next,
					PETMEM_FAULT_WRITE | PETMEM_FAULT_USER);
}

/* This works in parts, so that others get the mmap lock. */
int petmem_populate_vspace(struct petmem_process *process, u64 addr, u64 size)
{
	u64 end = addr + size;
	u64 next;
	int err = 0;

	if (!lies_in_one_range(process, addr, size))
		return -EFAULT;
	for (addr &= PAGE_MASK; addr < end && !err; addr = next) {
		err = populate_some(process, addr, end, &next);
		cond_resched();
	}
	return err;
}

/* Copy within one page, and map it first. */
static int access_page(struct petmem_process *process, u64 addr, void *buffer,
		       size_t size, bool write)
{
	struct petmem_leaf leaf;
	char *memory;
	int err;

	mutex_lock(&process->lock);
	mutex_lock(&process->family->lock);
	err = bring_page(process, addr & PAGE_MASK,
			 write ? PETMEM_FAULT_WRITE : 0);
	if (!err) {
		leaf = petmem_pgtables_find(petmem_process_mm(process), addr);
		memory = __va(petmem_leaf_page(&leaf));
		memory += addr & (petmem_leaf_size(&leaf) - 1);
		if (write)
			memcpy(memory, buffer, size);
		else
			memcpy(buffer, memory, size);
	}
	mutex_unlock(&process->family->lock);
	mutex_unlock(&process->lock);
	return err;
}

int petmem_access_vspace(struct petmem_process *process, u64 addr, void *buffer,
			 int size, bool write)
{
	int done = 0;

	while (done < size) {
		int part = min_t(int, size - done,
				 PAGE_SIZE - offset_in_page(addr + done));
		int err = access_page(process, addr + done, buffer + done, part,
				      write);

		/* The caller holds the mmap lock, so the fault cannot be repeated later. */
		if (err == -EAGAIN) {
			err = petmem_cow_unshare_now(process, addr + done);
			part = 0;
		}
		if (err)
			return done ? done : err;
		done += part;
	}
	return done;
}
