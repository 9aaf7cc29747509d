/* SPDX-License-Identifier: GPL-2.0 */
/*
 * process.h - petmem's state of an address space, and how long it lives.
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
 * Address spaces that are related by fork. They share page tables, pages and memory maps,
 * and so they share the lock for all of these. A process that never forked is a family of
 * one.
 */
struct petmem_family {
	refcount_t refs; /* from struct petmem_process */
	struct mutex
		lock; /* guards all below; tables, counts and maps of all members */
	u32 members; /* address spaces that are alive */
	struct petmem_account account; /* closed when no member is alive */
};

struct petmem_process {
	struct mmu_notifier notifier; /* .mm is the address space */
	struct hlist_node node; /* for the table of processes */
	struct llist_node dead; /* for the list of ended processes */
	struct rcu_head rcu;
	struct petmem_family *family; /* never changes */
	struct hlist_node **first; /* the head of the mm's list of notifiers */

	/*
	 * Serialises allocations, frees and forks of a process, also while they release the
	 * family's lock in the middle. No mmu notifier takes it. Faults take it only if a
	 * virtual machine or a device listens to the mm.
	 */
	struct mutex lock;

	/*
	 * Guards @map and the ranges of a map that nobody shares: faults read them under
	 * this lock alone. To change them, the family's lock is held as well.
	 */
	rwlock_t map_lock;

	atomic64_t faults; /* handled faults, including those that failed */
	atomic64_t copies; /* pages copied because a relative shared them */

	/* Settings, read and written at any time. */
	u32 fault_around; /* pages that one fault may map: a power of two */
	bool large_pages; /* 2 MiB pages may be used */

	/*
	 * Guarded by the family's lock. @native is written with the mmap lock held for
	 * writing as well. Without the family's lock, @native may be read as a hint. While
	 * the region is mapped, the mmap lock or the VMA's lock is enough to read @vma.
	 */
	struct petmem_memmap *map; /* NULL if the region is not reserved */
	struct vm_area_struct
		*vma; /* the reservation; valid as long as there is a map */
	bool native; /* the fault mode: native, or by signal */
	u64 reservation; /* number of the reservation: one more for each new map */
	struct petmem_gather *retired; /* petmem_process_retire() */
	u64 detached; /* the slot of a region that is being unmapped, until its pages are dropped */
};

static inline struct mm_struct *
petmem_process_mm(const struct petmem_process *process)
{
	return process->notifier.mm;
}

/**
 * petmem_process_find() - find the state of an address space
 * @mm: the address space
 *
 * Return: the state, valid as long as @mm has users, which the caller makes sure of; NULL
 * if @mm is not bound.
 * Context: process context.
 */
struct petmem_process *petmem_process_find(struct mm_struct *mm);

/**
 * petmem_process_reserve() - prepare the region of an address space for use
 * @vma: the mapping that reserves it
 * @native: the fault mode
 *
 * Binds the address space first, if it is not bound. Does nothing if the region is reserved
 * already.
 *
 * Return: 0; -EBUSY when it is reserved in the other mode, or a page table of Linux's is in
 * its place; -EOPNOTSUPP when a device walks the page tables of the address
 * space; -ENOMEM; -EINTR when a fatal signal came.
 * Context: the mmap lock is held for writing.
 */
int petmem_process_reserve(struct vm_area_struct *vma, bool native);

/**
 * petmem_process_bind_child() - bind an address space that fork is creating
 * @mm: the child's address space
 * @parent: a member of the family that the child joins
 *
 * Return: the child's state, with nothing reserved yet; an ERR_PTR(): -ENOMEM when there
 * is no kernel memory, or there are too many relatives; -EINTR when a fatal signal came.
 * Context: the mmap lock of @mm is held for writing.
 */
struct petmem_process *petmem_process_bind_child(struct mm_struct *mm,
						 struct petmem_process *parent);

/**
 * petmem_process_inherit() - give a child its parent's memory map
 * @child: has no reserved region yet
 * @parent: has a reserved region
 * @vma: the reservation of the child
 *
 * Context: the family's lock is held, and the page tables are shared.
 */
void petmem_process_inherit(struct petmem_process *child,
			    struct petmem_process *parent,
			    struct vm_area_struct *vma);

/**
 * petmem_process_leave_map() - drop a process's reference to a memory map
 * @process: the process
 * @map: the map
 *
 * Return: the map, if that was the last reference; the caller deletes it without a lock,
 * with petmem_memmap_delete(). Otherwise NULL.
 * Context: the family's lock is held.
 */
struct petmem_memmap *petmem_process_leave_map(struct petmem_process *process,
					       struct petmem_memmap *map);

/**
 * petmem_process_put() - drop references that were taken out of page tables
 * @process: owner of the tables
 * @gather: empty afterwards
 *
 * Context: may sleep; the family's lock is not held. It is taken for short times only.
 */
void petmem_process_put(struct petmem_process *process,
			struct petmem_gather *gather);

/**
 * petmem_process_retire() - keep references to replaced tables
 * @process: owner of the tables
 * @gather: from kmalloc(); freed with the references
 *
 * For a fault that has to replace a table but holds its locks only for reading. See the rule
 * in pgtables.h. A process retires at most as many tables as it had at its last fork.
 *
 * Context: the family's lock is held.
 */
void petmem_process_retire(struct petmem_process *process,
			   struct petmem_gather *gather);

/**
 * petmem_process_put_retired() - drop the references to retired tables
 * @process: owner of the tables
 *
 * Context: may sleep; the process's mmap lock and VMA lock are held for writing, or its mm
 * is at its end; the family's lock is not held.
 */
void petmem_process_put_retired(struct petmem_process *process);

/**
 * petmem_process_has_listeners() - does a virtual machine or a device listen to the mm?
 * @process: owner of the mm
 *
 * Return: true if the mm has an mmu notifier that is not petmem's.
 * Context: the mmap lock or the lock of the region's VMA is held. Registering a notifier takes
 * both for writing (mm_take_all_locks() in mm/mmap.c, since 6.11 in mm/vma.c; VMAs have a
 * lock since 6.4).
 */
static inline bool
petmem_process_has_listeners(const struct petmem_process *process)
{
	const struct hlist_node *node = &process->notifier.hlist;

	/* A new notifier goes to the head of the list (__mmu_notifier_register()). */
	return READ_ONCE(node->pprev) != process->first ||
	       READ_ONCE(node->next);
}

/**
 * petmem_process_lock_region() - keep Linux's walkers out of the region
 * @process: the process
 *
 * Takes the process's mmap lock, and the lock of the reservation's VMA, for writing.
 *
 * Return: 0; -EINTR when a fatal signal came, with no lock held.
 * Context: may sleep; the mmap lock is not held.
 */
int petmem_process_lock_region(struct petmem_process *process);

/**
 * petmem_process_unlock_region() - undo petmem_process_lock_region()
 * @process: the process
 */
void petmem_process_unlock_region(struct petmem_process *process);

/**
 * petmem_process_is_mapped() - has no munmap() of the region begun?
 * @process: the process; its region is or was reserved
 *
 * munmap() first removes the VMA from the mm, then lets readers of the mmap lock in, and
 * calls our notifier while they run. A reader that still finds the VMA keeps munmap()
 * waiting.
 *
 * Context: the process's mmap lock is held.
 */
bool petmem_process_is_mapped(const struct petmem_process *process);

/**
 * petmem_process_notify() - tell other mmu notifiers that translations are gone
 * @process: the process; its region is reserved
 * @start: first address
 * @end: address after the last
 *
 * Virtual machines and devices that use a process's addresses keep translations of their
 * own. When this returns, they have dropped those of the range.
 *
 * Context: may sleep; the process's mmap lock or the VMA's lock is held, but no lock of
 * petmem's that an mmu notifier takes. Nothing is mapped in the range.
 */
void petmem_process_notify(struct petmem_process *process, u64 start, u64 end);

/* Events in all processes since the module was loaded. */
struct petmem_events {
	u64 faults;
	u64 copies;
	u64 forks;
};

DECLARE_PER_CPU(struct petmem_events, petmem_events);

static inline void petmem_count_fault(struct petmem_process *process)
{
	atomic64_inc(&process->faults);
	this_cpu_inc(petmem_events.faults);
}

static inline void petmem_count_copy(struct petmem_process *process)
{
	atomic64_inc(&process->copies);
	this_cpu_inc(petmem_events.copies);
}

/* The sums over all processors. */
struct petmem_events petmem_process_events(void);

/* The number of bound address spaces, and of those with native faults. */
struct petmem_process_counts {
	u64 bound;
	u64 native;
};

struct petmem_process_counts petmem_process_count(void);

/**
 * petmem_process_exit() - wait until no code of this file runs any more
 *
 * Context: module exit; may sleep.
 */
void petmem_process_exit(void);

#endif /* PETMEM_PROCESS_H */
