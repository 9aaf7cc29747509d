// SPDX-License-Identifier: GPL-2.0
/*
 * cow.c - copy-on-write.
 *
 *   fork:   the child's slot points to the parent's PUD table, and neither slot is
 *           writable. Nothing is copied, and no page of the parent's is visited.
 *   write:  a fault, because something on the way is not writable. From the top down,
 *           what nobody else refers to is made writable again, and what is shared is
 *           copied: at most three tables, and the page. Of a 2 MiB page for whose
 *           copy there is no room only the 4 KiB that were written.
 *
 * How the tables keep count is in pgtables.h. The memory map is shared and parted in
 * the same way, but as a whole.
 */
#include "cow.h"

#include <linux/mm.h>
#include <linux/slab.h>

#include "pgtables.h"
#include "pool.h"
#include "process.h"
#include "petmem.h"
#include "reservation.h"
#include "trace.h"

/*
 * Virtual machines and devices that may write to the parent's memory are told to drop
 * their translations while the region is out of its page tables: that is the one way
 * to tell them. The mmap lock keeps the parent's threads from noticing, where they
 * fault natively. With signals, a system call of theirs would fail.
 */
static u64 take_out(struct petmem_process *process)
{
	struct mm_struct *mm = petmem_process_mm(process);
	u64 slot;

	if (!process->native)
		return petmem_pgtables_slot(mm);
	slot = petmem_pgtables_detach(mm);
	mutex_unlock(&process->family->lock);
	petmem_reservation_notify(process, PETMEM_REGION_START,
				  PETMEM_REGION_END);
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
	if (!child)
		return false;

	mutex_lock(&parent->lock);
	mutex_lock(&parent->family->lock);
	slot = take_out(parent);
	shared = !petmem_pgtables_share(parent_mm, child_mm, slot,
					parent->native);
	if (shared) {
		petmem_process_inherit(child, parent, vma);
		trace_petmem_fork(parent->family->members, parent->native);
	}
	mutex_unlock(&parent->family->lock);
	mutex_unlock(&parent->lock);
	return shared;
}

static void copy(const struct petmem_leaf *leaf, uintptr_t to, uintptr_t from)
{
	u64 offset;

	for (offset = 0; offset < petmem_leaf_size(leaf); offset += PAGE_SIZE) {
		copy_page(__va(to + offset), __va(from + offset));
		cond_resched();
	}
}

/*
 * With faults by signal no device has translations, and a system call of another
 * thread is not to miss the page: it stays, and its copy takes its place.
 */
static uintptr_t copy_in_place(const struct petmem_leaf *leaf,
			       struct mm_struct *mm, u64 addr, uintptr_t new)
{
	copy(leaf, new, petmem_leaf_page(leaf));
	return petmem_leaf_replace(leaf, mm, addr, new);
}

/*
 * Otherwise devices are told to drop their translations while there are none in the
 * page tables.
 */
static uintptr_t copy_and_notify(struct petmem_process *process,
				 const struct petmem_leaf *leaf, u64 addr,
				 uintptr_t new)
{
	u64 size = petmem_leaf_size(leaf);
	u64 start = addr & ~(size - 1);
	uintptr_t old =
		petmem_leaf_take(leaf, petmem_process_mm(process), addr);

	mutex_unlock(&process->family->lock);
	/* Nobody writes to it as long as it has our reference beside another's. */
	copy(leaf, new, old);
	petmem_reservation_notify(process, start, start + size);
	mutex_lock(&process->family->lock);
	petmem_leaf_set(leaf, new);
	return old;
}

/* Make one page writable, of a 2 MiB page all of it or one of 4 KiB. */
static int break_page(struct petmem_process *process, u64 addr, bool large)
{
	struct petmem_account *account = &process->family->account;
	struct mm_struct *mm = petmem_process_mm(process);
	struct petmem_leaf leaf;
	uintptr_t old, new = 0;

	if (petmem_pgtables_is_shared(mm, addr, large)) {
		new = petmem_alloc_charged(account, large);
		if (!new)
			return -ENOMEM;
	}
	if (petmem_pgtables_make_private(mm, addr, large, &leaf)) {
		if (new)
			petmem_put_charged(account, new, large);
		return -ENOMEM;
	}
	trace_petmem_cow(addr, new);
	if (!new) {
		petmem_leaf_allow_write(&leaf);
		return 0;
	}
	petmem_count_copy(process);
	old = process->native ? copy_and_notify(process, &leaf, addr, new)
			      : copy_in_place(&leaf, mm, addr, new);
	petmem_put_charged(account, old, large);
	return 0;
}

int petmem_cow_break(struct petmem_process *process, u64 addr)
{
	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	if (petmem_pgtables_find(petmem_process_mm(process), addr).large &&
	    !break_page(process, addr, true))
		return 0;
	return break_page(process, addr, false);
}

int petmem_cow_prepare_change(struct petmem_process *process,
			      struct petmem_map_change *change, u64 nr_spares)
{
	bool shared = false;

	lockdep_assert_held(&process->lock);

	mutex_lock(&process->family->lock);
	if (process->map && process->map->refs > 1) {
		shared = true;
		nr_spares += process->map->nr_ranges;
	} else if (process->map) {
		/* Nobody else takes from what it has kept. */
		nr_spares -= min(nr_spares, process->map->nr_kept);
	}
	mutex_unlock(&process->family->lock);

	change->copy = NULL;
	if (petmem_memmap_get_spares(&change->spares, nr_spares))
		return -ENOMEM;
	if (!shared)
		return 0;
	change->copy = kmalloc(sizeof(*change->copy), GFP_KERNEL_ACCOUNT);
	if (!change->copy) {
		petmem_memmap_put_spares(&change->spares);
		return -ENOMEM;
	}
	return 0;
}

/* Relatives may have left since the preparation, but fork waits for our lock. */
void petmem_cow_own_map(struct petmem_process *process,
			struct petmem_map_change *change)
{
	lockdep_assert_held(&process->lock);
	lockdep_assert_held(&process->family->lock);

	if (process->map->refs == 1)
		return;
	petmem_memmap_copy(change->copy, process->map, &change->spares);
	process->map->refs--;
	process->map = change->copy;
	change->copy = NULL;
}

void petmem_cow_finish_change(struct petmem_map_change *change)
{
	kfree(change->copy);
	petmem_memmap_put_spares(&change->spares);
}
