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

#include "account.h"
#include "around.h"
#include "charge.h"
#include "cleaner.h"
#include "compat.h"
#include "cow.h"
#include "fault.h"
#include "gather.h"
#include "large.h"
#include "memmap.h"
#include "petmem.h"
#include "pgtables.h"
#include "process.h"
#include "trace.h"
#include "unmap.h"

/* The allowed accesses: reads and writes from user mode. */
#define ALLOWED_ACCESS \
	(PETMEM_FAULT_PRESENT | PETMEM_FAULT_WRITE | PETMEM_FAULT_USER)

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

const struct petmem_range *petmem_find_usable(struct petmem_process *process,
					      u64 addr)
{
	const struct petmem_range *range = find_allocated(process, addr);

	return range && addr < petmem_range_usable_end(range) ? range : NULL;
}

/* ---- Allocate and free addresses ---- */

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
		err = petmem_pgtables_unshare_edges(petmem_process_mm(process),
						    &process->family->account,
						    addr, *end, &replaced);
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
	const struct petmem_range *range;
	int err = -ENOENT;

	mutex_lock(&process->family->lock);
	range = petmem_find_usable(process, *addr);
	if (range) {
		*addr = range->start;
		*size = petmem_range_usable_end(range) - range->start;
		err = 0;
	}
	mutex_unlock(&process->family->lock);
	return err;
}

/* ---- A fault ---- */

/* Map a page of zeros from the pool at an address that has none. */
static int map_new_page(struct petmem_fault_context *fault)
{
	struct petmem_process *process = fault->process;
	struct petmem_account *account = &process->family->account;
	uintptr_t page_addr =
		petmem_alloc_charged(account, PETMEM_PAGE_DATA, PETMEM_PTE);
	int err = 0;

	if (!page_addr)
		return -ENOMEM;
	if (!petmem_leaf_is_private(&fault->leaf, PETMEM_PTE))
		err = petmem_pgtables_make_private(petmem_process_mm(process),
						   account, fault->addr,
						   PETMEM_PTE, &fault->leaf,
						   NULL);
	if (err) {
		petmem_put_charged(account, page_addr, PETMEM_PTE);
		return err;
	}
	petmem_clear_page(page_addr);
	petmem_leaf_set(&fault->leaf, page_addr);
	return 0;
}

/* Map a page, of 2 MiB if possible, at an address that has none. */
static int bring_new_page(struct petmem_fault_context *fault)
{
	int err = -ENOMEM;

	if (fault->leaf.level != PETMEM_PTE)
		err = petmem_large_map(fault);
	if (err != -ENOMEM)
		return err;
	err = map_new_page(fault);
	if (!err && fault->process->fault_around > 1)
		petmem_map_around(fault, map_new_page);
	return err;
}

int petmem_resolve_fault(struct petmem_fault_context *fault)
{
	struct petmem_process *process = fault->process;

	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	fault->range = petmem_find_usable(process, fault->addr);
	if (!fault->range)
		return -EFAULT;
	if (fault->error_code & ~ALLOWED_ACCESS)
		return -EACCES;
	fault->leaf =
		petmem_pgtables_find(petmem_process_mm(process), fault->addr);
	if (!petmem_leaf_page(&fault->leaf))
		return bring_new_page(fault);
	if (!(fault->error_code & PETMEM_FAULT_WRITE) ||
	    petmem_leaf_is_writable(&fault->leaf))
		return 0;
	return petmem_cow_break(fault);
}

int petmem_handle_pagefault(struct petmem_process *process, u64 addr,
			    u32 error_code, u64 *next)
{
	struct petmem_fault_context fault = {
		.process = process,
		.addr = addr & PAGE_MASK,
		.error_code = error_code,
	};
	int err;

	mutex_lock(&process->lock);
	mutex_lock(&process->family->lock);
	err = petmem_resolve_fault(&fault);
	/* A fault that will be repeated is counted when it is. */
	if (err != -EAGAIN)
		petmem_count_fault(process);
	mutex_unlock(&process->family->lock);
	mutex_unlock(&process->lock);
	if (err != -EAGAIN)
		trace_petmem_fault(addr, error_code, err);
	if (!err && next)
		*next = span_end(addr, fault.leaf.level);

	if (err == -ENOMEM &&
	    petmem_account_may_log(&process->family->account, 1))
		pr_warn("process %d (%s): the pool is empty, or a limit reached\n",
			task_tgid_nr(current), current->comm);
	return err;
}

/* The page of @addr faults in any case. Moves @addr to the fault that fails, or to @end. */
static int handle_locked(struct petmem_process *process, u64 *addr, u64 end,
			 u32 error_code)
{
	int err;

	do {
		err = petmem_handle_pagefault(process, *addr, error_code, addr);
	} while (!err && *addr < end);
	return err;
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

/* ---- Settings ---- */

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
