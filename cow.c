// SPDX-License-Identifier: GPL-2.0
/*
 * cow.c - copy-on-write.
 *
 *   fork:   the child's slot points to the parent's PUD table, and neither slot is
 *           writable. Nothing is copied, and no page of the parent is visited.
 *   write:  a fault, because an entry on the path is not writable. From the top down, a
 *           table or page with one owner is made writable again, and a shared one is
 *           copied: at most three tables, and the page. If the pool has no room for the
 *           copy of a 2 MiB page, only the written 4 KiB are copied.
 *
 * pgtables.h says how owners are counted. The memory map is shared and unshared in the
 * same way, but as a whole.
 */
#include "cow.h"

#include <linux/mm.h>
#include <linux/slab.h>

#include "charge.h"
#include "compat.h"
#include "fault.h"
#include "gather.h"
#include "petmem.h"
#include "process.h"
#include "slot.h"
#include "trace.h"
#include "unshare.h"

/*
 * Some parts of Linux look only at the last entry on a path to see whether a page may be
 * written: the fault handler, if faults are native, and the virtual machines of newer
 * kernels. A virtual machine can be created after the fork.
 */
static bool goes_by_leaves(const struct petmem_process *process)
{
	return READ_ONCE(process->native) || petmem_kvm_follows_entries();
}

bool petmem_cow_notifies(const struct petmem_process *process)
{
	return petmem_process_has_listeners(process) && goes_by_leaves(process);
}

/*
 * Virtual machines and devices that may write to the parent's memory have to drop their
 * translations. The only way to tell them is a notification while the region is detached
 * from the parent's page tables. With native faults the parent's threads do not notice:
 * dup_mmap() holds the parent's mmap lock for writing, and they wait for it. With faults by
 * signal, one of their system calls may fail, but only where a virtual machine or a device
 * has to be told.
 *
 * The family's lock is released meanwhile, because the time grows with the number of pages
 * that the parent has written.
 */
static u64 take_out(struct petmem_process *process)
{
	struct mm_struct *mm = petmem_process_mm(process);
	bool notify = petmem_cow_notifies(process);
	u64 slot;

	if (!goes_by_leaves(process))
		return petmem_pgtables_slot(mm);
	slot = notify ? petmem_pgtables_detach(mm) : petmem_pgtables_slot(mm);
	mutex_unlock(&process->family->lock);
	if (notify)
		petmem_process_notify(process, PETMEM_REGION_START,
				      PETMEM_REGION_END);
	petmem_pgtables_protect(slot);
	mutex_lock(&process->family->lock);
	return slot;
}

bool petmem_cow_fork(struct petmem_process *parent, struct vm_area_struct *vma)
{
	struct mm_struct *child_mm = vma->vm_mm;
	struct mm_struct *parent_mm = petmem_process_mm(parent);
	struct petmem_process *child;
	bool shared;
	u64 slot;

	if (!READ_ONCE(parent->map) || petmem_pgtables_prepare(child_mm))
		return false;
	child = petmem_process_bind_child(child_mm, parent);
	if (IS_ERR(child))
		return false;

	petmem_process_put_retired(parent);
	mutex_lock(&parent->lock);
	mutex_lock(&parent->family->lock);
	slot = take_out(parent);
	shared = !petmem_pgtables_share(parent_mm, child_mm, slot);
	if (shared) {
		petmem_process_inherit(child, parent, vma);
		trace_petmem_fork(parent->family->members, parent->native);
	}
	mutex_unlock(&parent->family->lock);
	mutex_unlock(&parent->lock);
	return shared;
}

/*
 * Copy a page. Our reference keeps it. If another thread makes it writable meanwhile, its
 * leaf changes, and the copy is not used.
 */
static int copy_page_of(uintptr_t from, uintptr_t to, enum petmem_level level)
{
	u64 offset;
	int err;

	for (offset = 0; offset < level_size(level); offset += PAGE_SIZE) {
		err = petmem_copy_page(to + offset, from + offset);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/*
 * Enter a copy. Virtual machines and devices are told to drop their translations while the
 * page tables have none. With faults by signal, a system call of another thread that uses
 * the page then would fail. So this is done only where they have to be told. The process's
 * lock is held, so no other fault finds the page missing.
 */
static int replace_and_notify(struct petmem_process *process,
			      struct petmem_leaf *leaf, u64 addr, uintptr_t new)
{
	int err = petmem_leaf_take(leaf, petmem_process_mm(process), addr);

	lockdep_assert_held(&process->lock);

	if (err)
		return err;
	petmem_process_notify(process, span_start(addr, leaf->level),
			      span_end(addr, leaf->level));
	return petmem_leaf_set(leaf, new);
}

/* Replace a shared page by a copy. */
static int copy_and_replace(struct petmem_fault_context *fault, uintptr_t new)
{
	struct petmem_process *process = fault->process;
	struct petmem_account *account = &process->family->account;
	struct petmem_leaf *leaf = &fault->leaf;
	uintptr_t old = petmem_leaf_get(leaf);
	int err;

	if (!old)
		return -EEXIST;
	err = copy_page_of(old, new, leaf->level);
	if (!err)
		err = petmem_cow_notifies(process)
			      ? replace_and_notify(process, leaf, fault->addr,
						   new)
			      : petmem_leaf_replace(leaf,
						    petmem_process_mm(process),
						    fault->addr, new);
	/* The reference for the copy, and that of the leaf. */
	petmem_put_charged(account, old, leaf->level);
	if (err)
		return err;
	petmem_put_charged(account, old, leaf->level);
	petmem_count_copy(process);
	return 0;
}

/* Make the 2 MiB or the 4 KiB of an address writable. */
static int break_page(struct petmem_fault_context *fault,
		      enum petmem_level level)
{
	struct petmem_account *account = &fault->process->family->account;
	uintptr_t new = 0;
	int err = 0;

	if (petmem_leaf_is_shared(&fault->leaf, fault->addr, level)) {
		new = petmem_alloc_charged(account, PETMEM_PAGE_DATA, level);
		if (!new)
			return -ENOMEM;
	}
	if (!petmem_leaf_is_private(&fault->leaf, level))
		err = petmem_fault_make_private(fault, level);
	if (!err)
		err = new ? copy_and_replace(fault, new)
			  : petmem_leaf_allow_write(&fault->leaf);
	if (!err)
		trace_petmem_cow(fault->addr, new);
	else if (new)
		petmem_put_charged(account, new, level);
	return err;
}

int petmem_cow_break(struct petmem_fault_context *fault)
{
	int err = -ENOMEM;

	if (fault->leaf.level != PETMEM_PTE)
		err = break_page(fault, PETMEM_PMD);
	/* There may be room for 4 KiB of a 2 MiB page, or only these may be readable. */
	if (err == -ENOMEM || err == -EHWPOISON)
		err = break_page(fault, PETMEM_PTE);
	return err;
}

/* The region may be gone: another thread can unmap it before the locks are taken. */
static int unshare_path(struct petmem_process *process, u64 addr,
			struct petmem_gather *replaced)
{
	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	if (!process->map)
		return -EFAULT;
	return petmem_pgtables_unshare(petmem_process_mm(process),
				       &process->family->account, addr,
				       replaced);
}

int petmem_cow_unshare(struct petmem_process *process, u64 addr)
{
	struct petmem_gather replaced;
	int err;

	if (petmem_process_lock_region(process))
		return -EINTR;
	petmem_gather_few(&replaced);
	mutex_lock(&process->lock);
	mutex_lock(&process->family->lock);
	err = unshare_path(process, addr, &replaced);
	mutex_unlock(&process->family->lock);
	mutex_unlock(&process->lock);
	petmem_process_put(process, &replaced);
	petmem_process_put_retired(process);
	petmem_process_unlock_region(process);
	return err;
}

int petmem_cow_unshare_now(struct petmem_process *process, u64 addr)
{
	struct petmem_gather *replaced = kmalloc(sizeof(*replaced), GFP_KERNEL);
	int err;

	if (!replaced)
		return -ENOMEM;
	petmem_gather_few(replaced);
	mutex_lock(&process->lock);
	mutex_lock(&process->family->lock);
	err = unshare_path(process, addr, replaced);
	if (replaced->nr) {
		petmem_process_retire(process, replaced);
		replaced = NULL;
	}
	mutex_unlock(&process->family->lock);
	mutex_unlock(&process->lock);
	kfree(replaced);
	return err;
}

/*
 * Take a reference to a shared map. While it is held, the map does not change, even without
 * a lock: a process changes only a map that it owns alone. NULL if the map is not shared.
 */
static struct petmem_memmap *get_shared_map(struct petmem_process *process)
{
	struct petmem_memmap *map = process->map;

	lockdep_assert_held(&process->family->lock);

	if (map->refs == 1)
		return NULL;
	map->refs++;
	return map;
}

static void put_map(struct petmem_process *process, struct petmem_memmap *map)
{
	struct petmem_memmap *unused;

	mutex_lock(&process->family->lock);
	unused = petmem_process_leave_map(process, map);
	mutex_unlock(&process->family->lock);
	petmem_memmap_delete(unused);
}

/* Copy a map that relatives share, and charge the allocations of the copy. */
static struct petmem_memmap *copy_map(struct petmem_process *process,
				      const struct petmem_memmap *map)
{
	struct petmem_account *account = &process->family->account;
	struct petmem_memmap *copy;

	if (petmem_charge_allocations(account, map->nr_allocated))
		return NULL;
	copy = petmem_memmap_duplicate(map);
	if (!copy)
		petmem_uncharge_allocations(account, map->nr_allocated);
	return copy;
}

int petmem_cow_prepare_change(struct petmem_process *process,
			      struct petmem_map_change *change, u64 nr_spares)
{
	struct petmem_memmap *shared = NULL;
	int err = 0;

	lockdep_assert_held(&process->lock);

	mutex_lock(&process->family->lock);
	if (process->map) {
		shared = get_shared_map(process);
		change->reservation = process->reservation;
		/* The nodes that an unshared map keeps are for us alone. */
		if (!shared)
			nr_spares -= min(nr_spares, process->map->nr_kept);
	} else {
		err = -EAGAIN;
	}
	mutex_unlock(&process->family->lock);

	change->copy = NULL;
	if (shared) {
		change->copy = copy_map(process, shared);
		put_map(process, shared);
		if (!change->copy)
			err = -ENOMEM;
	}
	if (!err)
		err = petmem_memmap_get_spares(&change->spares, nr_spares);
	if (err && change->copy)
		put_map(process, change->copy);
	return err;
}

/*
 * Relatives may have left since the preparation; then the copy is not needed. No new
 * relative can have come, because fork waits for the process's lock.
 */
bool petmem_cow_own_map(struct petmem_process *process,
			struct petmem_map_change *change)
{
	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	if (!process->map || process->reservation != change->reservation)
		return false;
	if (process->map->refs == 1)
		return true;
	process->map->refs--;
	write_lock(&process->map_lock);
	process->map = change->copy;
	write_unlock(&process->map_lock);
	change->copy = NULL;
	return true;
}

void petmem_cow_finish_change(struct petmem_process *process,
			      struct petmem_map_change *change)
{
	if (change->copy)
		put_map(process, change->copy);
	petmem_memmap_put_spares(&change->spares);
}
