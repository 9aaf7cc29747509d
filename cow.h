/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cow.h - copy-on-write: fork shares everything, and the first write parts it.
 */
#ifndef PETMEM_COW_H
#define PETMEM_COW_H

#include <linux/types.h>

#include "memmap.h"

struct petmem_process;
struct vm_area_struct;

/**
 * petmem_cow_fork() - give a child all that its parent has
 * @parent: who forks
 * @vma: the reservation in the child's address space, which fork is making
 *
 * Costs the same for any amount of memory, but for native faults, and since Linux 6.13
 * for all, where the leaves that were written since the last fork are visited.
 *
 * Return: false when there is no kernel memory for the child's state, there are too many
 * relatives, or a fatal signal came: the child has nothing then.
 * Context: may sleep; the mmap locks of both are held for writing, and the parent's VMA's
 * (dup_mmap() since 6.4).
 */
bool petmem_cow_fork(struct petmem_process *parent, struct vm_area_struct *vma);

/**
 * petmem_cow_notifies() - are virtual machines and devices told of forks and copies?
 * @process: whose
 *
 * The family's lock is let go meanwhile, in the middle of petmem_cow_break() too.
 *
 * Context: the mmap lock is held, but for native faults, which may have the VMA's.
 */
bool petmem_cow_notifies(const struct petmem_process *process);

/**
 * petmem_cow_break() - make a page that is mapped writable
 * @process: whose
 * @addr: page-aligned
 *
 * The last owner keeps the page; otherwise it is copied. A 2 MiB page is split when there
 * is no other for the copy.
 *
 * Return: 0; with nothing changed: -ENOMEM when the pool has not enough pages, -EAGAIN
 * when a table has to be unshared first, -EHWPOISON when the page would have to be copied
 * and has failed.
 * Context: may sleep; the mmap lock, the process's lock and the family's are held,
 * the last of which is let go meanwhile.
 */
int petmem_cow_break(struct petmem_process *process, u64 addr);

/**
 * petmem_cow_unshare() - unshare the page tables on the path to an address
 * @process: whose
 * @addr: any address of the region
 *
 * Return: 0; -ENOMEM when the pool has not enough pages; -EFAULT when the region is not
 * reserved any more.
 * Context: may sleep; the mmap lock is held for writing, and the VMA's too.
 */
int petmem_cow_unshare(struct petmem_process *process, u64 addr);

/**
 * petmem_cow_unshare_now() - the same for a fault that cannot be repeated
 * @process: whose
 * @addr: any address of the region
 *
 * Keeps what is replaced until the process's locks are next held for writing.
 *
 * Return: as petmem_cow_unshare(); -ENOMEM also without kernel memory.
 * Context: may sleep; the mmap lock, or the VMA's, is held for reading.
 */
int petmem_cow_unshare_now(struct petmem_process *process, u64 addr);

/* What a change of a memory map may need. */
struct petmem_map_change {
	struct petmem_memmap *copy; /* NULL: nobody shares the map */
	struct petmem_memmap_spares spares;
	u64 reservation; /* of the map that it was prepared for */
};

/**
 * petmem_cow_prepare_change() - take what a change of the memory map may need
 * @process: whose map
 * @change: what to prepare
 * @nr_spares: nodes that the change itself may need
 *
 * A map that relatives share is copied for it, without the family's lock: nobody changes
 * a map that has more than one owner.
 *
 * Return: 0; -ENOMEM; -EAGAIN when the region is not reserved.
 * Context: may sleep; the process's lock is held, the family's is not.
 */
int petmem_cow_prepare_change(struct petmem_process *process,
			      struct petmem_map_change *change, u64 nr_spares);

/**
 * petmem_cow_own_map() - have a memory map that nobody shares
 * @process: whose map; ranges of it that were found before are not its any more
 * @change: prepared
 *
 * Return: false when another thread has unmapped the region since the preparation, which
 * is for another map then than the one that may be there now.
 * Context: the process's lock has been held since the preparation, and the family's is
 * held.
 */
bool petmem_cow_own_map(struct petmem_process *process,
			struct petmem_map_change *change);

/**
 * petmem_cow_finish_change() - free what was not needed
 * @process: whose map
 * @change: prepared
 *
 * Context: may sleep; the family's lock is not held.
 */
void petmem_cow_finish_change(struct petmem_process *process,
			      struct petmem_map_change *change);

#endif /* PETMEM_COW_H */
