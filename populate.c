// SPDX-License-Identifier: GPL-2.0
/*
 * populate.c - map the pages of a range before they are touched.
 */
#include "populate.h"

#include <linux/mm.h>
#include <linux/sched.h>

#include "giant.h"
#include "memmap.h"
#include "on_demand.h"
#include "petmem.h"
#include "process.h"

static bool lies_in_one_range(struct petmem_process *process, u64 addr,
			      u64 size)
{
	u64 start, end;

	return petmem_find_usable(process, addr, &start, &end) &&
	       size <= end - addr;
}

/* Map pages from @addr onwards: 1 GiB as one page, or as much as a page table holds. */
static int populate_some(struct petmem_process *process, u64 addr, u64 end,
			 u64 *next)
{
	int err;

	*next = addr + PUD_SIZE;
	if (IS_ALIGNED(addr, PUD_SIZE) && end - addr >= PUD_SIZE) {
		err = petmem_populate_giant(process, addr);
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
