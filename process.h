/* SPDX-License-Identifier: GPL-2.0 */
/*
 * process.h - what petmem keeps for an address space, and how long.
 */
#ifndef PETMEM_PROCESS_H
#define PETMEM_PROCESS_H

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include "account.h"

struct petmem_gather;
struct petmem_memmap;

/*
 * Address spaces that came out of each other by fork. They share page tables, pages
 * and memory maps, and so the lock for all of these. One that never forked is a
 * family of one.
 */
struct petmem_family {
	refcount_t refs; /* struct petmem_process that have it */
	struct mutex
		lock; /* all below; tables, counts and maps of all members */
	u32 members; /* address spaces that live */
	struct petmem_account account; /* their pages; closed when none lives */
};

struct petmem_process {
	struct mmu_notifier notifier; /* .mm is the address space */
	struct hlist_node node; /* in the table of processes */
	struct llist_node dead; /* in the list of those whose mm has ended */
	struct rcu_head rcu;
	struct petmem_family *family; /* never changes */
	struct hlist_node **first; /* the head of the mm's list of notifiers */

	/*
	 * One operation at a time, also where the family's lock is let go in the
	 * middle. No mmu notifier takes it.
	 */
	struct mutex lock;

	/*
	 * Guarded by the family's lock. @native is written with the mmap lock held for
	 * writing as well. Without the family's lock, @map and @native may be read as
	 * hints.
	 */
	struct petmem_memmap *map; /* NULL: the region is not reserved */
	struct vm_area_struct
		*vma; /* the reservation, as long as there is a map */
	bool native; /* Linux calls us for a fault; otherwise a signal is sent */
	u32 fault_around; /* pages that one fault may map: a power of two */
	bool large_pages; /* 2 MiB pages may be used */
	u64 faults; /* that were handled, whatever came of them */
	u64 copies; /* of pages, because a relative had them too */
	u64 reservation; /* which one it is: counts up with each new map */
	struct petmem_gather *retired; /* petmem_process_retire() */
	u64 detached; /* the slot of a region that is being unmapped, until it is dropped */
};

static inline struct mm_struct *
petmem_process_mm(const struct petmem_process *process)
{
	return process->notifier.mm;
}

/**
 * petmem_process_find() - what is kept for an address space, if it is bound
 * @mm: the address space
 *
 * Return: it stays valid as long as @mm has users, which the caller sees to; NULL.
 * Context: process context.
 */
struct petmem_process *petmem_process_find(struct mm_struct *mm);

/**
 * petmem_process_reserve() - let the region of an address space be used
 * @vma: the mapping that reserves it
 * @native: how faults come in
 *
 * Binds the address space first, if it is not bound. Does nothing where the region is
 * reserved already.
 *
 * Return: 0; -EBUSY when it is reserved in the other way, or there is a page table of
 * Linux's in its place; -EOPNOTSUPP when a device walks the page tables of the address
 * space; -ENOMEM; -EINTR when a fatal signal came.
 * Context: the mmap lock is held for writing.
 */
int petmem_process_reserve(struct vm_area_struct *vma, bool native);

/**
 * petmem_process_bind_child() - bind an address space that fork is making
 * @mm: the child's
 * @parent: whose family it comes into
 *
 * Return: the child's state, with nothing reserved yet; an ERR_PTR(): -ENOMEM when there
 * is no memory, or there are too many relatives; -EINTR when a fatal signal came.
 * Context: the mmap lock of @mm is held for writing.
 */
struct petmem_process *petmem_process_bind_child(struct mm_struct *mm,
						 struct petmem_process *parent);

/**
 * petmem_process_inherit() - give a child its parent's memory map
 * @child: has nothing reserved yet
 * @parent: has
 * @vma: the reservation of the child
 *
 * Context: the family's lock is held, and the page tables are shared.
 */
void petmem_process_inherit(struct petmem_process *child,
			    struct petmem_process *parent,
			    struct vm_area_struct *vma);

/**
 * petmem_process_leave_map() - a process has no reference to a memory map any more
 * @process: whose
 * @map: the map
 *
 * Return: the map, to be deleted with petmem_memmap_delete() without a lock, when that
 * was the last reference; NULL.
 * Context: the family's lock is held.
 */
struct petmem_memmap *petmem_process_leave_map(struct petmem_process *process,
					       struct petmem_memmap *map);

/**
 * petmem_process_put() - drop references that were taken out of page tables
 * @process: whose tables
 * @gather: empty afterwards
 *
 * Context: may sleep; the family's lock is not held, so that it can be held for short
 * times only.
 */
void petmem_process_put(struct petmem_process *process,
			struct petmem_gather *gather);

/**
 * petmem_process_retire() - keep references to replaced tables
 * @process: whose tables
 * @gather: of kmalloc(); freed with the references
 *
 * For a fault that can replace a table but holds its locks for reading only. See the
 * rule in pgtables.h. There are no more of them than the process had tables when it
 * last forked.
 *
 * Context: the family's lock is held.
 */
void petmem_process_retire(struct petmem_process *process,
			   struct petmem_gather *gather);

/**
 * petmem_process_put_retired() - drop what was retired
 * @process: whose tables
 *
 * Context: may sleep; the mmap lock and the VMA's are held for writing, or it is the
 * end of the mm; the family's lock is not held.
 */
void petmem_process_put_retired(struct petmem_process *process);

/**
 * petmem_process_has_listeners() - does a virtual machine or a device hear of the mm, too?
 * @process: whose mm
 *
 * Return: whether the mm has an mmu notifier that is not petmem's.
 * Context: the mmap lock is held. Registering a notifier takes it for writing.
 */
bool petmem_process_has_listeners(const struct petmem_process *process);

/* Of all processes since the module was loaded. */
struct petmem_events {
	u64 faults;
	u64 copies;
	u64 forks;
};

DECLARE_PER_CPU(struct petmem_events, petmem_events);

/* Context of both: the family's lock is held. */
static inline void petmem_count_fault(struct petmem_process *process)
{
	process->faults++;
	this_cpu_inc(petmem_events.faults);
}

static inline void petmem_count_copy(struct petmem_process *process)
{
	process->copies++;
	this_cpu_inc(petmem_events.copies);
}

/* Their sums over all processors. */
struct petmem_events petmem_process_events(void);

/* How many address spaces are bound, and in how many of them faults are native. */
struct petmem_process_counts {
	u64 bound;
	u64 native;
};

struct petmem_process_counts petmem_process_count(void);

/**
 * petmem_process_exit() - wait until nothing of this file runs any more
 *
 * Context: module exit; may sleep.
 */
void petmem_process_exit(void);

#endif /* PETMEM_PROCESS_H */
