/* SPDX-License-Identifier: GPL-2.0 */
/*
 * process.h - what petmem keeps for an address space, and how long.
 */
#ifndef PETMEM_PROCESS_H
#define PETMEM_PROCESS_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "memmap.h"

struct petmem_process {
	struct mmu_notifier notifier; /* .mm is the address space */
	struct hlist_node node; /* in the table of processes */
	struct rcu_head rcu;

	struct mutex lock; /* guards all below, and the region's page tables */
	bool reserved; /* the region is ours: its VMA exists */
	struct petmem_memmap map;
};

static inline struct mm_struct *
petmem_process_mm(const struct petmem_process *process)
{
	return process->notifier.mm;
}

/**
 * petmem_process_find() - the caller's own address space, if it is bound to petmem
 *
 * Return: it stays valid as long as the caller has this mm; NULL.
 * Context: process context.
 */
struct petmem_process *petmem_process_find(void);

/**
 * petmem_process_reserve() - bind the caller's address space, and reserve the region
 * @file: an open /dev/petmem
 *
 * Does nothing where both is done already.
 *
 * Return: it stays valid as long as the caller has this mm. -EEXIST when something
 * else is in the region, -EBUSY when there is a page table of Linux's, -ENOMEM, -EINTR.
 * Context: process context, mmap lock not held.
 */
struct petmem_process *petmem_process_reserve(struct file *file);

/**
 * petmem_process_mmap() - the mmap operation of /dev/petmem
 * @file: the open device
 * @vma: must be the whole region, shared, without any access
 *
 * Return: 0, -EINVAL, -EBUSY, -ENOMEM.
 * Context: the mmap lock is held for writing.
 */
int petmem_process_mmap(struct file *file, struct vm_area_struct *vma);

/**
 * petmem_process_get_unmapped_area() - where a mapping of /dev/petmem may lie
 * @file: the open device
 * @addr: where it is wanted
 * @len: in bytes
 * @pgoff: in pages
 * @flags: MAP_*
 *
 * At one place only. mremap() asks too, before it moves anything.
 *
 * Return: the place, or -EINVAL.
 * Context: the mmap lock is held for writing.
 */
unsigned long petmem_process_get_unmapped_area(struct file *file,
					       unsigned long addr,
					       unsigned long len,
					       unsigned long pgoff,
					       unsigned long flags);

/**
 * petmem_process_count() - number of address spaces that are bound
 */
u64 petmem_process_count(void);

/**
 * petmem_process_exit() - wait until nothing of this file runs any more
 *
 * Context: module exit; may sleep.
 */
void petmem_process_exit(void);

#endif /* PETMEM_PROCESS_H */
