/* SPDX-License-Identifier: GPL-2.0 */
/*
 * on_demand.h - demand paging: virtual memory now, physical memory when touched.
 *
 * All addresses and sizes are in bytes. All of it is in process context, and without
 * the mmap lock where nothing else is said.
 */
#ifndef PETMEM_ON_DEMAND_H
#define PETMEM_ON_DEMAND_H

#include <linux/types.h>

struct petmem_process;

/**
 * petmem_alloc_vspace() - reserve a range of virtual pages, first fit
 *
 * Where 2 MiB pages may be used and it has room for one, it begins at a multiple of
 * 2 MiB, as long as there is such a hole.
 *
 * @process: for whom
 * @size: at least 1; rounded up to whole pages
 * @align: power of two
 * @guard: put a page behind it that cannot be touched
 * @addr: set to the beginning of the range
 *
 * Return: 0; -ENOMEM when there is no such hole in the region, no kernel memory, or the
 * process or its user has as many allocations as they may have; -EAGAIN when another
 * thread unmapped the region just now.
 */
int petmem_alloc_vspace(struct petmem_process *process, u64 size, u64 align,
			bool guard, u64 *addr);

/**
 * petmem_free_vspace() - free a range and the memory behind it
 * @process: whose
 * @addr: the beginning of an allocated range
 *
 * Return: 0; -EINVAL when no allocated range begins there; -ENOMEM when relatives
 * share what has to be taken apart for it, and there is no page or kernel memory, which
 * a range that was never touched does not take; -EINTR.
 */
int petmem_free_vspace(struct petmem_process *process, u64 addr);

/**
 * petmem_query_vspace() - find the range that holds an address
 * @process: whose
 * @addr: any address; set to the beginning of the range
 * @size: set to its size
 *
 * Return: 0; -ENOENT when @addr is in no allocated range.
 */
int petmem_query_vspace(struct petmem_process *process, u64 *addr, u64 *size);

/**
 * petmem_dump_vspace() - print the memory map into the kernel log
 * @process: whose
 *
 * Return: 0; -EAGAIN, with nothing printed, when the user's processes have written too
 * much into the log (petmem_account_may_log()); -ENOMEM.
 */
int petmem_dump_vspace(struct petmem_process *process);

/**
 * petmem_handle_pagefault() - put memory behind the page of a faulting address
 * @process: who
 * @addr: the faulting address
 * @error_code: PETMEM_FAULT_*, as the processor gave it
 *
 * Return: 0: repeat the access; -EFAULT: the address is in no allocated range;
 * -EACCES: this access is not allowed there; -ENOMEM: the pool is empty; -EAGAIN: a page
 * table has to be unshared first, with petmem_cow_unshare().
 * Context: the mmap lock of the process is held for reading.
 */
int petmem_handle_pagefault(struct petmem_process *process, u64 addr,
			    u32 error_code);

/**
 * petmem_handle_pagefaults() - the same for each page of a range
 * @process: who
 * @addr: the first address; set to where the fault was that failed, or to @end
 * @end: address behind the last; @addr faults in any case
 * @error_code: PETMEM_FAULT_*
 *
 * Return: as petmem_handle_pagefault(), of the first that fails.
 * Context: the same.
 */
int petmem_handle_pagefaults(struct petmem_process *process, u64 *addr, u64 end,
			     u32 error_code);

/**
 * petmem_set_fault_around() - choose how many pages one fault may map
 * @process: whose faults
 * @pages: a power of two, at most those of one page table
 */
void petmem_set_fault_around(struct petmem_process *process, u32 pages);

/**
 * petmem_set_large_pages() - choose whether 2 MiB pages may be used
 * @process: for whose faults and allocations from now on
 * @wanted: they may, where there are any
 */
void petmem_set_large_pages(struct petmem_process *process, bool wanted);

/**
 * petmem_populate_vspace() - fault a range in, for writing
 * @process: whose
 * @addr: in an allocated range
 * @size: in bytes; not beyond the end of that range
 *
 * Return: 0; -EFAULT when it does not lie in one allocated range; -ENOMEM, with some
 * of it done, when the pool is empty; -EINTR, the same.
 */
int petmem_populate_vspace(struct petmem_process *process, u64 addr, u64 size);

/**
 * petmem_access_vspace() - read or write a process's memory from outside
 * @process: whose
 * @addr: where
 * @buffer: the kernel's memory to copy to, or from
 * @size: in bytes
 * @write: into the process's memory
 *
 * Return: how many bytes were copied, which may be fewer; when it is none, an error as
 * from petmem_handle_pagefault(), but for -EAGAIN.
 * Context: the mmap lock of the process is held for reading.
 */
int petmem_access_vspace(struct petmem_process *process, u64 addr, void *buffer,
			 int size, bool write);

#endif /* PETMEM_ON_DEMAND_H */
