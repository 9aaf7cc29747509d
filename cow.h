/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cow.h - copy-on-write: fork shares everything, and the first write unshares it.
 */
#ifndef PETMEM_COW_H
#define PETMEM_COW_H

#include <linux/types.h>

#include "memmap.h"

struct petmem_fault_context;
struct petmem_process;
struct vm_area_struct;

/**
 * petmem_cow_fork() - share all memory of a process with its new child
 * @parent: the process that forks
 * @vma: the reservation in the child's address space, which fork is creating
 *
 * The cost does not depend on the amount of memory. But with native faults, and since Linux
 * 6.13 with faults by signal as well, the leaves that were written since the last fork are
 * visited.
 *
 * Return: false when there is no kernel memory for the child's state, there are too many
 * relatives, or a fatal signal came: then the child has no memory.
 * Context: may sleep; the mmap locks of both are held for writing, and since 6.4 the lock of
 * the parent's VMA (dup_mmap()).
 */
bool petmem_cow_fork(struct petmem_process *parent, struct vm_area_struct *vma);

/**
 * petmem_cow_notifies() - are virtual machines and devices told of forks and copies?
 * @process: the process that forks or copies
 *
 * If so, a fork releases the family's lock while they are told, and the faults of the process
 * are handled one at a time.
 *
 * Context: as for petmem_process_has_listeners().
 */
bool petmem_cow_notifies(const struct petmem_process *process);

/**
 * petmem_cow_break() - make a mapped page writable
 * @fault: the fault of an owner of the page; .leaf is updated
 *
 * The last owner keeps the page; otherwise it is copied. A 2 MiB page is split when the pool
 * has no 2 MiB page for the copy.
 *
 * Return: 0; with nothing changed: -ENOMEM when the pool has not enough pages, -EAGAIN
 * when a table has to be unshared first, -EHWPOISON when the page has failed and would
 * have to be copied, -EEXIST when another fault was faster.
 * Context: may sleep; the mmap lock or the VMA's lock is held for reading, and if
 * petmem_cow_notifies(), the process's lock.
 */
int petmem_cow_break(struct petmem_fault_context *fault);

/**
 * petmem_cow_unshare() - unshare the page tables on the path to an address
 * @process: the process that gets tables of its own
 * @addr: any address of the region
 *
 * Takes the mmap lock and the VMA's lock for writing, which keeps Linux's walkers of this mm
 * out of the tables that are replaced.
 *
 * Return: 0; -ENOMEM when the pool has not enough pages; -EFAULT when the region is not
 * reserved any more; -EINTR.
 * Context: may sleep; the mmap lock is not held.
 */
int petmem_cow_unshare(struct petmem_process *process, u64 addr);

/**
 * petmem_cow_unshare_now() - the same for a fault that cannot be repeated
 * @process: the process that gets tables of its own
 * @addr: any address of the region
 *
 * Keeps the replaced tables until the process's mmap lock and VMA lock are next held for
 * writing.
 *
 * Return: as petmem_cow_unshare(), except for -EINTR; -ENOMEM also when there is no kernel
 * memory.
 * Context: may sleep; the mmap lock or the VMA's lock is held for reading.
 */
int petmem_cow_unshare_now(struct petmem_process *process, u64 addr);

/* Resources that a change of a memory map may need. */
struct petmem_map_change {
	struct petmem_memmap *copy; /* NULL if nobody shares the map */
	struct petmem_memmap_spares spares;
	u64 reservation; /* the number of the map that this was prepared for */
};

/**
 * petmem_cow_prepare_change() - take the resources that a change of a memory map may need
 * @process: owner of the map
 * @change: filled in
 * @nr_spares: nodes that the change itself may need
 *
 * A map that relatives share is copied, without the family's lock: nobody changes a map that
 * has more than one owner.
 *
 * Return: 0; -ENOMEM; -EAGAIN when the region is not reserved.
 * Context: may sleep; the process's lock is held, the family's is not.
 */
int petmem_cow_prepare_change(struct petmem_process *process,
			      struct petmem_map_change *change, u64 nr_spares);

/**
 * petmem_cow_own_map() - unshare the memory map of a process
 * @process: owner of the map; ranges of it that were found before are not valid afterwards
 * @change: prepared
 *
 * Return: false when another thread has unmapped the region since the preparation. The
 * process may have another map now, for which nothing was prepared.
 * Context: the process's lock has been held since the preparation, and the family's lock is
 * held.
 */
bool petmem_cow_own_map(struct petmem_process *process,
			struct petmem_map_change *change);

/**
 * petmem_cow_finish_change() - free the resources that were not needed
 * @process: owner of the map
 * @change: prepared
 *
 * Context: may sleep; the family's lock is not held.
 */
void petmem_cow_finish_change(struct petmem_process *process,
			      struct petmem_map_change *change);

#endif /* PETMEM_COW_H */
