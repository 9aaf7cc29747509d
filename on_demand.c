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
#include "zero.h"

/* The allowed accesses: reads and writes from user mode. */
#define ALLOWED_ACCESS \
	(PETMEM_FAULT_PRESENT | PETMEM_FAULT_WRITE | PETMEM_FAULT_USER)

/* The allocated range that holds an address, or NULL. */
static struct petmem_range *find_allocated(struct petmem_process *process,
					   u64 addr)
{
	struct petmem_range *range;

	if (!process->map)
		return NULL;
	range = petmem_memmap_find(process->map, addr);
	return range && range->allocated && !range->leaving ? range : NULL;
}

bool petmem_find_usable(struct petmem_process *process, u64 addr, u64 *start,
			u64 *end)
{
	const struct petmem_range *range;

	read_lock(&process->map_lock);
	range = find_allocated(process, addr);
	*start = range ? range->start : 0;
	*end = range ? petmem_range_usable_end(range) : 0;
	read_unlock(&process->map_lock);
	return addr < *end;
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
	write_lock(&process->map_lock);
	range = petmem_large_place(process, &change->spares, size, align)
			?: petmem_memmap_alloc(process->map, &change->spares,
					       size, align);
	if (range) {
		range->guarded = guard;
		*addr = range->start;
	}
	write_unlock(&process->map_lock);
	if (!range) {
		petmem_uncharge_allocations(account, 1);
		return -ENOMEM;
	}
	trace_petmem_alloc(*addr, size);
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

/*
 * Begin to free the range that begins at @addr: unshare the tables that unmapping it changes,
 * and let no fault enter a page any more. Its addresses are not free before the end.
 */
static int begin_free(struct petmem_process *process,
		      struct petmem_map_change *change, u64 addr, u64 *end)
{
	struct petmem_gather replaced;
	struct petmem_range *range;
	int err = -EINVAL;

	petmem_gather_few(&replaced);
	mutex_lock(&process->family->lock);
	range = petmem_cow_own_map(process, change)
			? find_allocated(process, addr)
			: NULL;
	if (range && range->start == addr) {
		*end = addr + range->size;
		err = petmem_pgtables_unshare_edges(petmem_process_mm(process),
						    &process->family->account,
						    addr, *end, &replaced);
	}
	if (!err) {
		write_lock(&process->map_lock);
		range->leaving = true;
		write_unlock(&process->map_lock);
	}
	mutex_unlock(&process->family->lock);
	petmem_process_put(process, &replaced);
	petmem_process_put_retired(process);
	return err;
}

/*
 * Take the pages and tables of a range out of the page tables, from *@addr as far as there is
 * room for them. When this returns, no processor has a translation.
 */
static void take_range_out(struct petmem_process *process, u64 *addr, u64 end,
			   struct petmem_gather *gather)
{
	mutex_lock(&process->family->lock);
	*addr = petmem_pgtables_unmap(petmem_process_mm(process), *addr, end,
				      gather);
	mutex_unlock(&process->family->lock);
}

/* Devices and virtual machines drop their translations, and only then pages are freed. */
static void drop_pages(struct petmem_process *process, u64 addr, u64 end,
		       struct petmem_gather *gather)
{
	if (!gather->nr)
		return;
	petmem_process_notify(process, addr, end);
	petmem_process_put(process, gather);
}

/*
 * Take all of a range out. Only if there is no memory to remember all of it, some of it is
 * dropped meanwhile. Returns where the rest begins, which is still to be dropped.
 */
static u64 take_all_out(struct petmem_process *process, u64 addr, u64 end,
			struct petmem_gather *gather)
{
	u64 next = addr;

	for (take_range_out(process, &next, end, gather); next < end;
	     take_range_out(process, &next, end, gather)) {
		drop_pages(process, addr, next, gather);
		addr = next;
	}
	return addr;
}

/* The addresses are free now. */
static void forget_range(struct petmem_process *process, u64 addr)
{
	mutex_lock(&process->family->lock);
	write_lock(&process->map_lock);
	petmem_memmap_free(process->map,
			   petmem_memmap_find(process->map, addr));
	write_unlock(&process->map_lock);
	petmem_uncharge_allocations(&process->family->account, 1);
	mutex_unlock(&process->family->lock);
}

/*
 * While pages are taken out of the tables, the mmap lock of the process and the lock of its
 * VMA are held for writing. As in munmap(), this keeps faults and Linux's walkers of this mm
 * out of the tables that are removed. Afterwards the mmap lock is held for reading. It keeps
 * fork from sharing the map, and munmap() from taking it away.
 */
int petmem_free_vspace(struct petmem_process *process, u64 addr)
{
	struct petmem_map_change change;
	struct petmem_gather gather;
	u64 rest, end;
	int err;

	if (petmem_process_lock_region(process))
		return -EINTR;
	mutex_lock(&process->lock);
	err = petmem_cow_prepare_change(process, &change, 0);
	if (err) {
		/* Without a region there is no allocation. */
		err = err == -EAGAIN ? -EINVAL : err;
		goto err_unlock;
	}
	err = begin_free(process, &change, addr, &end);
	petmem_cow_finish_change(process, &change);
	if (err)
		goto err_unlock;
	petmem_gather_init(&gather, addr, end);
	rest = take_all_out(process, addr, end, &gather);
	mutex_unlock(&process->lock);

	mmap_write_downgrade(petmem_process_mm(process));
	drop_pages(process, rest, end, &gather);
	petmem_gather_exit(&gather);
	trace_petmem_free(addr, end - addr);
	forget_range(process, addr);
	mmap_read_unlock(petmem_process_mm(process));
	return 0;

err_unlock:
	mutex_unlock(&process->lock);
	petmem_process_unlock_region(process);
	return err;
}

int petmem_query_vspace(struct petmem_process *process, u64 *addr, u64 *size)
{
	u64 start, end;

	if (!petmem_find_usable(process, *addr, &start, &end))
		return -ENOENT;
	*addr = start;
	*size = end - start;
	return 0;
}

/* ---- A fault ---- */

/* Map a page of zeros from the pool at an address that has none. */
static int map_new_page(struct petmem_fault_context *fault,
			enum petmem_level level)
{
	struct petmem_account *account = &fault->process->family->account;
	uintptr_t page_addr =
		petmem_alloc_charged(account, PETMEM_PAGE_DATA, level);
	int err = 0;

	if (!page_addr)
		return -ENOMEM;
	if (!petmem_leaf_is_private(&fault->leaf, level))
		err = petmem_fault_make_private(fault, level);
	if (!err) {
		petmem_clear_page(page_addr, level);
		err = petmem_leaf_set(&fault->leaf, page_addr);
	}
	if (err)
		petmem_put_charged(account, page_addr, level);
	return err;
}

/* Map a page, of 2 MiB if possible, at an address that has none. */
static int bring_new_page(struct petmem_fault_context *fault)
{
	int err = -ENOMEM;

	if (petmem_large_fits(fault))
		err = map_new_page(fault, PETMEM_PMD);
	if (err != -ENOMEM)
		return err;
	/* Giving the 2 MiB page back may have freed enough pages for this. */
	err = map_new_page(fault, PETMEM_PTE);
	if (!err && READ_ONCE(fault->process->fault_around) > 1)
		petmem_map_around(fault, map_new_page);
	return err;
}

static int look_and_resolve(struct petmem_fault_context *fault)
{
	fault->leaf = petmem_pgtables_find(petmem_process_mm(fault->process),
					   fault->addr);
	if (!petmem_leaf_page(&fault->leaf))
		return bring_new_page(fault);
	if (!(fault->error_code & PETMEM_FAULT_WRITE) ||
	    petmem_leaf_is_writable(&fault->leaf))
		return 0;
	return petmem_cow_break(fault);
}

int petmem_resolve_fault(struct petmem_fault_context *fault)
{
	struct petmem_process *process = fault->process;
	bool alone;
	int err;

	if (!petmem_find_usable(process, fault->addr, &fault->start,
				&fault->end))
		return -EFAULT;
	if (fault->error_code & ~ALLOWED_ACCESS)
		return -EACCES;
	/* A copy is entered while no table has the page: see cow.c. */
	alone = petmem_cow_notifies(process);
	if (alone)
		mutex_lock(&process->lock);
	do {
		err = look_and_resolve(fault);
	} while (err == -EEXIST);
	if (alone)
		mutex_unlock(&process->lock);
	return err;
}

int petmem_handle_pagefault(struct petmem_process *process, u64 addr,
			    u32 error_code, bool may_wait, u64 *next)
{
	struct petmem_fault_context fault = {
		.process = process,
		.addr = addr & PAGE_MASK,
		.error_code = error_code,
	};
	int err = petmem_resolve_fault(&fault);

	/* A fault that will be repeated is counted when it is. */
	if (err == -EAGAIN)
		return err;
	if (err == -ENOMEM && may_wait)
		return -EBUSY;
	petmem_count_fault(process);
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
			 u32 error_code, bool may_wait)
{
	int err;

	do {
		err = petmem_handle_pagefault(process, *addr, error_code,
					      may_wait, addr);
	} while (!err && *addr < end);
	return err;
}

/*
 * Does the region stay while the mmap lock is held? A munmap() that has begun takes it away
 * even so: see petmem_process_is_mapped(). Without another user of the mm there is none.
 */
static bool stays_mapped(const struct petmem_process *process)
{
	const struct mm_struct *mm = petmem_process_mm(process);

	return atomic_read(&mm->mm_users) == 1 ||
	       petmem_process_is_mapped(process);
}

static int lock_and_handle(struct petmem_process *process, u64 *addr, u64 end,
			   u32 error_code, bool may_wait)
{
	struct mm_struct *mm = petmem_process_mm(process);
	int err = -EFAULT;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	if (stays_mapped(process))
		err = handle_locked(process, addr, end, error_code, may_wait);
	mmap_read_unlock(mm);
	return err;
}

/* Faults hold the mmap lock, or the VMA's, for reading. */
static int wait_for_faults(struct petmem_process *process)
{
	int err = petmem_process_lock_region(process);

	if (!err)
		petmem_process_unlock_region(process);
	return err;
}

int petmem_prepare_repeat(struct petmem_process *process, u64 addr, int err)
{
	return err == -EAGAIN ? petmem_cow_unshare(process, addr)
			      : wait_for_faults(process);
}

int petmem_handle_pagefaults(struct petmem_process *process, u64 addr, u64 end,
			     u32 error_code)
{
	bool may_wait = true;
	int err;

	do {
		err = lock_and_handle(process, &addr, end, error_code,
				      may_wait);
		if (err != -EAGAIN && err != -EBUSY)
			return err;
		may_wait &= err != -EBUSY;
		err = petmem_prepare_repeat(process, addr, err);
	} while (!err);
	return err;
}

/* ---- Settings ---- */

void petmem_set_fault_around(struct petmem_process *process, u32 pages)
{
	WRITE_ONCE(process->fault_around, pages);
}

void petmem_set_large_pages(struct petmem_process *process, bool wanted)
{
	WRITE_ONCE(process->large_pages, wanted && petmem_has_large_pages());
}
