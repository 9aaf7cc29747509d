/* SPDX-License-Identifier: GPL-2.0 */
/*
 * on_demand.h - demand paging: virtual memory now, physical memory when touched.
 *
 * All addresses and sizes are in bytes. Unless it says otherwise, each function is called
 * in process context and without the mmap lock.
 */
#ifndef PETMEM_ON_DEMAND_H
#define PETMEM_ON_DEMAND_H

#include <linux/types.h>

struct petmem_fault_context;
struct petmem_process;

/**
 * petmem_alloc_vspace() - allocate a range of virtual pages, first fit
 * @process: the process
 * @size: at least 1; rounded up to whole pages
 * @align: power of two
 * @guard: add a last page that cannot be touched
 * @addr: set to the beginning of the range
 *
 * If 2 MiB pages may be used and the range has room for one, it begins at a multiple of
 * 2 MiB, provided that there is such a hole.
 *
 * Return: 0; -ENOMEM when no hole is large enough, there is no kernel memory, or the process
 * or its user has too many allocations; -EAGAIN when another thread unmapped the region
 * just now.
 */
int petmem_alloc_vspace(struct petmem_process *process, u64 size, u64 align,
			bool guard, u64 *addr);

/**
 * petmem_free_vspace() - free a range and its memory
 * @process: the process
 * @addr: the beginning of an allocated range
 *
 * Return: 0; -EINVAL when no allocated range begins there; -ENOMEM when page tables or the
 * memory map have to be unshared, and there is no page or no kernel memory (a range that
 * was never touched takes no page); -EINTR.
 */
int petmem_free_vspace(struct petmem_process *process, u64 addr);

/**
 * petmem_query_vspace() - find the range that holds an address
 * @process: the process
 * @addr: any address; set to the beginning of the range
 * @size: set to its size
 *
 * Return: 0; -ENOENT when @addr is in no allocated range.
 */
int petmem_query_vspace(struct petmem_process *process, u64 *addr, u64 *size);

/**
 * petmem_find_usable() - find the range of an address that may be touched
 * @process: the process
 * @addr: any address
 * @start: set to the beginning of the range
 * @end: set to its end, without the guard page
 *
 * As long as the process's mmap lock or VMA lock is held for reading, the range stays
 * allocated.
 *
 * Return: false when the address is in no allocated range, or in the guard page of one.
 * Context: process context.
 */
bool petmem_find_usable(struct petmem_process *process, u64 addr, u64 *start,
			u64 *end);

/**
 * petmem_resolve_fault() - the work of petmem_handle_pagefault()
 * @fault: .process, .addr and .error_code are set; the function sets the rest
 *
 * Return: as petmem_handle_pagefault() without @may_wait.
 * Context: as for petmem_handle_pagefault().
 */
int petmem_resolve_fault(struct petmem_fault_context *fault);

/**
 * petmem_handle_pagefault() - map the page of a faulting address
 * @process: the process
 * @addr: the faulting address
 * @error_code: PETMEM_FAULT_*, from the processor
 * @may_wait: the caller can wait for other faults
 * @next: NULL, or set on success to the end of the mapped page
 *
 * Return: 0: repeat the access; -EFAULT: the address is in no allocated range; -EACCES: the
 * access is not allowed there; -ENOMEM: the pool is empty or a limit is reached; -EAGAIN: a
 * page table has to be unshared first; -EBUSY, with @may_wait: as -ENOMEM, but other faults
 * may have mapped the page, or have pages that they will give back. After both of the last,
 * call petmem_prepare_repeat() and repeat the fault, after -EBUSY without @may_wait.
 * Context: may sleep; the region is mapped, and the process's mmap lock or VMA lock is held
 * for reading.
 */
int petmem_handle_pagefault(struct petmem_process *process, u64 addr,
			    u32 error_code, bool may_wait, u64 *next);

/**
 * petmem_prepare_repeat() - do what has to be done before a fault is repeated
 * @process: the process
 * @addr: the faulting address
 * @err: what petmem_handle_pagefault() returned: -EAGAIN or -EBUSY
 *
 * Return: 0; -EINTR; an error of petmem_cow_unshare().
 * Context: may sleep; the mmap lock is not held.
 */
int petmem_prepare_repeat(struct petmem_process *process, u64 addr, int err);

/**
 * petmem_handle_pagefaults() - map the pages of a range, taking the locks for it
 * @process: the caller's process
 * @addr: any address
 * @end: address after the last page, a multiple of the page size
 * @error_code: PETMEM_FAULT_*, the same for all pages
 *
 * Return: as petmem_handle_pagefault(), for the first fault that fails, except for -EAGAIN
 * and -EBUSY; -EINTR.
 */
int petmem_handle_pagefaults(struct petmem_process *process, u64 addr, u64 end,
			     u32 error_code);

/**
 * petmem_set_fault_around() - choose how many pages one fault may map
 * @process: the process
 * @pages: a power of two, at most the entries of one page table
 */
void petmem_set_fault_around(struct petmem_process *process, u32 pages);

/**
 * petmem_set_large_pages() - choose whether 2 MiB pages may be used
 * @process: the process; its later faults and allocations follow the choice
 * @wanted: true: use them, if the kernel has them
 */
void petmem_set_large_pages(struct petmem_process *process, bool wanted);

#endif /* PETMEM_ON_DEMAND_H */
