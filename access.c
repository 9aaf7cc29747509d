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

/*
 * Copy within one page. The lock of its table keeps another thread from replacing the page
 * meanwhile. Returns false if the page is not there any more.
 */
static bool copy_locked(struct petmem_process *process, u64 addr, void *buffer,
			size_t size, bool write)
{
	struct petmem_leaf leaf =
		petmem_pgtables_find(petmem_process_mm(process), addr);
	spinlock_t *lock;
	char *memory;

	if (!petmem_leaf_page(&leaf) ||
	    (write && !petmem_leaf_is_writable(&leaf)))
		return false;
	lock = petmem_leaf_lock(&leaf);
	if (!lock)
		return false;
	memory = __va(petmem_leaf_page_at(&leaf, addr));
	if (write)
		memcpy(memory, buffer, size);
	else
		memcpy(buffer, memory, size);
	spin_unlock(lock);
	return true;
}

/* The same, but map the page first. */
static int access_page(struct petmem_process *process, u64 addr, void *buffer,
		       size_t size, bool write)
{
	struct petmem_fault_context fault = {
		.process = process,
		.addr = addr & PAGE_MASK,
		.error_code = write ? PETMEM_FAULT_WRITE : 0,
	};
	int err;

	do {
		err = petmem_resolve_fault(&fault);
	} while (!err && !copy_locked(process, addr, buffer, size, write));
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
