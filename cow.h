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
 * Costs the same for any amount of memory, but for native faults, where the leaves
 * that were written since the last fork are visited.
 *
 * Return: false when there is no kernel memory for the child's state, or there are too
 * many relatives: it has nothing then.
 * Context: may sleep; the mmap locks of both are held for writing.
 */
bool petmem_cow_fork(struct petmem_process *parent, struct vm_area_struct *vma);

/**
 * petmem_cow_break() - make a page that is mapped writable
 * @process: whose
 * @addr: page-aligned
 *
 * The last owner keeps the page; otherwise it is copied. A 2 MiB page is split when there
 * is no other for the copy.
 *
 * Return: 0; -ENOMEM, with nothing changed, when the pool has not enough pages.
 * Context: may sleep; the mmap lock, the process's lock and the family's are held,
 * the last of which is let go meanwhile.
 */
int petmem_cow_break(struct petmem_process *process, u64 addr);

/* What a change of a memory map may need. */
struct petmem_map_change {
	struct petmem_memmap *copy;
	struct petmem_memmap_spares spares;
};

/**
 * petmem_cow_prepare_change() - take what a change of the memory map may need
 * @process: whose map
 * @change: what to prepare
 * @nr_spares: nodes that the change itself may need
 *
 * Return: 0, -ENOMEM.
 * Context: may sleep; the process's lock is held, the family's is not.
 */
int petmem_cow_prepare_change(struct petmem_process *process,
			      struct petmem_map_change *change, u64 nr_spares);

/**
 * petmem_cow_own_map() - have a memory map that nobody shares
 * @process: whose map; ranges of it that were found before are not its any more
 * @change: prepared
 *
 * Context: the process's lock has been held since the preparation, and so is the
 * family's; the region is reserved.
 */
void petmem_cow_own_map(struct petmem_process *process,
			struct petmem_map_change *change);

/**
 * petmem_cow_finish_change() - free what was not needed
 * @change: prepared
 */
void petmem_cow_finish_change(struct petmem_map_change *change);

#endif /* PETMEM_COW_H */
