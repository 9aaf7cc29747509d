/* SPDX-License-Identifier: GPL-2.0 */
/*
 * inventory.h - what memory the pool has: add it, remove it, and mark pages as failed.
 */
#ifndef PETMEM_INVENTORY_H
#define PETMEM_INVENTORY_H

#include <linux/types.h>

/**
 * petmem_pool_add() - add memory that nobody else uses
 * @start: physical address, a multiple of the memory block size
 * @size: in bytes, a multiple of the memory block size, not 0
 * @node: NUMA node
 * @failed: a bit for each page, set for failed pages; from kvcalloc(); the pool takes it
 *	over if this succeeds
 *
 * Return: 0; -EEXIST when a part of it is in the pool already; -ENOMEM.
 * Context: may sleep.
 */
int petmem_pool_add(u64 start, u64 size, int node, unsigned long *failed);

/**
 * petmem_pool_remove() - remove memory from the pool
 * @start: as for petmem_pool_add()
 * @size: as for petmem_pool_add()
 *
 * Return: 0; -ENOENT when it was not added as one; -EBUSY when one of the pages is in use;
 * -EHWPOISON when no page is in use, but one has failed.
 * Context: may sleep.
 */
int petmem_pool_remove(u64 start, u64 size);

/**
 * petmem_pool_overlaps() - does the pool hold any of this memory?
 * @start: physical address
 * @size: not 0
 *
 * Context: may sleep.
 */
bool petmem_pool_overlaps(u64 start, u64 size);

/**
 * petmem_pool_fail() - mark a page as failed
 * @page_addr: any physical address, page-aligned
 *
 * A free page leaves the allocator at once. A page in use leaves it when it is given back.
 *
 * Return: true if the page is in the pool.
 * Context: may sleep.
 */
bool petmem_pool_fail(uintptr_t page_addr);

/**
 * petmem_pool_exit() - free the pool, when all memory has been removed
 *
 * Context: module exit.
 */
void petmem_pool_exit(void);

#endif /* PETMEM_INVENTORY_H */
