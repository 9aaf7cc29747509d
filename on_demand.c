// SPDX-License-Identifier: GPL-2.0
/*
 * on_demand.c - demand paging.
 *
 * An allocation takes addresses only. The first access to each page faults, and the
 * fault brings the page:
 *
 *   touch -> fault -> is the address allocated?   no: SIGSEGV
 *                     is the access allowed?      no: SIGSEGV
 *                     is the page there already?  yes: another thread was faster
 *                     a page from the pool        none: SIGSEGV
 *                     clear it, map it
 *         -> touch again
 *
 * A free unmaps the pages, makes every processor forget them, and gives them back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "on_demand.h"

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "petmem.h"
#include "pgtables.h"
#include "pool.h"
#include "process.h"

/* What may be asked of a page: to read and write it from user mode. */
#define ALLOWED_ACCESS \
	(PETMEM_FAULT_PRESENT | PETMEM_FAULT_WRITE | PETMEM_FAULT_USER)

/* So much of a memory map is printed at most. */
#define DUMP_RANGES 64

/* The allocated range that holds an address, or NULL. */
static struct petmem_range *find_allocated(struct petmem_process *process,
					   u64 addr)
{
	struct petmem_range *range;

	lockdep_assert_held(&process->lock);

	if (!process->reserved)
		return NULL;
	range = petmem_memmap_find(&process->map, addr);
	return range && range->allocated ? range : NULL;
}

int petmem_alloc_vspace(struct petmem_process *process, u64 size, u64 align,
			u64 *addr)
{
	struct petmem_memmap_spares spares;
	struct petmem_range *range = NULL;
	int err;

	if (size > PETMEM_REGION_SIZE || align > PETMEM_REGION_SIZE)
		return -ENOMEM;
	err = petmem_memmap_get_spares(&spares);
	if (err)
		return err;
	mutex_lock(&process->lock);
	if (!process->reserved) {
		err = -EAGAIN;
	} else {
		range = petmem_memmap_alloc(&process->map, &spares,
					    PAGE_ALIGN(size),
					    max_t(u64, align, PAGE_SIZE));
		if (range)
			*addr = range->start;
		else
			err = -ENOMEM;
	}
	mutex_unlock(&process->lock);
	petmem_memmap_put_spares(&spares);
	return err;
}

/*
 * The mmap lock, held for writing, keeps Linux's own walkers out of the tables that
 * may be freed, just as in munmap().
 */
int petmem_free_vspace(struct petmem_process *process, u64 addr)
{
	struct mm_struct *mm = petmem_process_mm(process);
	struct petmem_range *range;
	int err = -EINVAL;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	mutex_lock(&process->lock);
	range = find_allocated(process, addr);
	if (range && range->start == addr) {
		petmem_pgtables_unmap(mm, addr, addr + range->size);
		petmem_memmap_free(&process->map, range);
		err = 0;
	}
	mutex_unlock(&process->lock);
	mmap_write_unlock(mm);
	return err;
}

int petmem_query_vspace(struct petmem_process *process, u64 *addr, u64 *size)
{
	struct petmem_range *range;
	int err = -ENOENT;

	mutex_lock(&process->lock);
	range = find_allocated(process, *addr);
	if (range) {
		*addr = range->start;
		*size = range->size;
		err = 0;
	}
	mutex_unlock(&process->lock);
	return err;
}

int petmem_dump_vspace(struct petmem_process *process)
{
	static DEFINE_RATELIMIT_STATE(dumps, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	struct petmem_range *range;
	unsigned int printed = 0;

	if (!__ratelimit(&dumps))
		return -EAGAIN;
	mutex_lock(&process->lock);
	pr_info("memory map of process %d (%s): %llu allocations\n",
		task_tgid_nr(current), current->comm,
		process->map.nr_allocated);
	list_for_each_entry(range, &process->map.ranges, list) {
		if (printed++ == DUMP_RANGES) {
			pr_info("  and more\n");
			break;
		}
		pr_info("  %#llx-%#llx %s %llu KiB\n", range->start,
			range->start + range->size,
			range->allocated ? "allocated" : "free",
			range->size / SZ_1K);
	}
	mutex_unlock(&process->lock);
	return 0;
}

/* Put a page of zeros from the pool behind an address. */
static int map_new_page(struct mm_struct *mm, u64 addr)
{
	uintptr_t page_addr = petmem_alloc_pages(1, PETMEM_PAGE_DATA);
	int err;

	if (!page_addr)
		return -ENOMEM;
	clear_page(__va(page_addr));
	err = petmem_pgtables_map(mm, addr, page_addr);
	if (err)
		petmem_free_pages(page_addr, 1);
	return err;
}

int petmem_handle_pagefault(struct petmem_process *process, u64 addr,
			    u32 error_code)
{
	struct mm_struct *mm = petmem_process_mm(process);
	int err = 0;

	addr &= PAGE_MASK;
	mutex_lock(&process->lock);
	if (!find_allocated(process, addr))
		err = -EFAULT;
	else if (error_code & ~ALLOWED_ACCESS)
		err = -EACCES;
	else if (!petmem_pgtables_is_mapped(mm, addr))
		err = map_new_page(mm, addr);
	mutex_unlock(&process->lock);

	if (err == -ENOMEM)
		pr_warn_ratelimited(
			"process %d (%s) needs a page, and the pool is empty\n",
			task_tgid_nr(current), current->comm);
	return err;
}
