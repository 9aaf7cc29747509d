// SPDX-License-Identifier: GPL-2.0
/*
 * access.c - read or write the memory of a process from outside.
 */
#include "access.h"

#include <linux/mm.h>
#include <linux/string.h>

#include "cow.h"
#include "fault.h"
#include "on_demand.h"
#include "petmem.h"
#include "process.h"

/* Copy within one page, and map it first. */
static int access_page(struct petmem_process *process, u64 addr, void *buffer,
		       size_t size, bool write)
{
	struct petmem_fault_context fault = {
		.process = process,
		.addr = addr & PAGE_MASK,
		.error_code = write ? PETMEM_FAULT_WRITE : 0,
	};
	char *memory;
	int err;

	mutex_lock(&process->lock);
	mutex_lock(&process->family->lock);
	err = petmem_resolve_fault(&fault);
	if (!err) {
		memory = __va(petmem_leaf_page(&fault.leaf));
		memory += addr & (level_size(fault.leaf.level) - 1);
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
