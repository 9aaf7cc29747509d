// SPDX-License-Identifier: GPL-2.0
/*
 * process.c - the binding of an address space to petmem: its birth, and its end.
 *
 * State belongs to the mm. It is made when a thread of the mm first uses the device,
 * and found again in a hash table by current->mm. Two things tie it to the mm:
 *
 * The reservation VMA covers the region, so that Linux never puts anything of its own
 * there. It is a shared mapping of the device without access, and VM_IO | VM_PFNMAP,
 * by which Linux's own walkers leave it alone. Nobody can split it (may_split),
 * move it (get_unmapped_area, mremap) or give it permissions (no VM_MAY*).
 *
 * The mmu notifier tells when the region ends. Its release() runs at the beginning
 * of exit_mmap(), for exit, kill and exec alike, and its invalidate_range_start()
 * with MMU_NOTIFY_UNMAP before munmap() takes tables apart: both before Linux looks
 * into a table of ours. The file's own release comes too late for that.
 */
#include "process.h"

#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "compat.h"
#include "petmem.h"
#include "pgtables.h"

#define PROCESS_HASH_BITS 8

static DEFINE_HASHTABLE(processes, PROCESS_HASH_BITS);
static DEFINE_SPINLOCK(processes_lock);
static atomic_t bound = ATOMIC_INIT(0); /* between bind and end of mm */

static atomic_t allocated = ATOMIC_INIT(0); /* struct petmem_process alive */
static DECLARE_WAIT_QUEUE_HEAD(all_freed);

/*
 * No reference is taken: the entry of an mm goes away at the end of the mm, and the
 * caller is running on it.
 */
static struct petmem_process *lookup(struct mm_struct *mm)
{
	struct petmem_process *process;

	rcu_read_lock();
	hash_for_each_possible_rcu(processes, process, node, (unsigned long)mm)
		if (petmem_process_mm(process) == mm) {
			rcu_read_unlock();
			return process;
		}
	rcu_read_unlock();
	return NULL;
}

/*
 * Give all pages back and forget all allocations. Where nothing is reserved, the slot
 * may hold mappings and tables of Linux's own.
 */
static void empty_region(struct petmem_process *process)
{
	lockdep_assert_held(&process->lock);

	if (!process->reserved)
		return;
	petmem_pgtables_unmap(petmem_process_mm(process), PETMEM_REGION_START,
			      PETMEM_REGION_END);
	petmem_memmap_reset(&process->map);
	process->reserved = false;
}

static struct mmu_notifier *notifier_alloc(struct mm_struct *mm)
{
	struct petmem_process *process = kzalloc(sizeof(*process), GFP_KERNEL);

	if (!process)
		return ERR_PTR(-ENOMEM);
	if (petmem_memmap_init(&process->map, PETMEM_REGION_START,
			       PETMEM_REGION_SIZE)) {
		kfree(process);
		return ERR_PTR(-ENOMEM);
	}
	mutex_init(&process->lock);
	atomic_inc(&allocated);
	return &process->notifier;
}

static void notifier_free(struct mmu_notifier *notifier)
{
	struct petmem_process *process =
		container_of(notifier, struct petmem_process, notifier);

	petmem_memmap_destroy(&process->map);
	/* lookup() in another mm may still step over it. */
	kfree_rcu(process, rcu);
	if (atomic_dec_and_test(&allocated))
		wake_up(&all_freed);
}

static int notifier_invalidate(struct mmu_notifier *notifier,
			       const struct mmu_notifier_range *range)
{
	struct petmem_process *process =
		container_of(notifier, struct petmem_process, notifier);

	if (range->event != MMU_NOTIFY_UNMAP ||
	    range->end <= PETMEM_REGION_START ||
	    range->start >= PETMEM_REGION_END)
		return 0;
	if (!mmu_notifier_range_blockable(range))
		return -EAGAIN;
	mutex_lock(&process->lock);
	empty_region(process);
	mutex_unlock(&process->lock);
	return 0;
}

/*
 * The end of the mm. It runs under the notifiers' SRCU read lock, and the put queues
 * the freeing behind that: so the module's reference can go here already, and
 * petmem_process_exit() waits for the rest.
 */
static void notifier_release(struct mmu_notifier *notifier,
			     struct mm_struct *mm)
{
	struct petmem_process *process =
		container_of(notifier, struct petmem_process, notifier);

	mutex_lock(&process->lock);
	empty_region(process);
	mutex_unlock(&process->lock);

	spin_lock(&processes_lock);
	hash_del_rcu(&process->node);
	spin_unlock(&processes_lock);
	atomic_dec(&bound);

	mmu_notifier_put(notifier);
	module_put(THIS_MODULE);
}

static const struct mmu_notifier_ops notifier_ops = {
	.alloc_notifier = notifier_alloc,
	.free_notifier = notifier_free,
	.invalidate_range_start = notifier_invalidate,
	.release = notifier_release,
};

/* Find the state of an mm, or make it. */
static struct petmem_process *bind(struct mm_struct *mm)
{
	struct petmem_process *process = lookup(mm);
	struct mmu_notifier *notifier;

	mmap_assert_write_locked(mm);
	if (process)
		return process;
	notifier = mmu_notifier_get_locked(&notifier_ops, mm);
	if (IS_ERR(notifier))
		return ERR_CAST(notifier);
	process = container_of(notifier, struct petmem_process, notifier);

	/* A process that unmaps the region and closes the device stays bound. */
	__module_get(THIS_MODULE);
	atomic_inc(&bound);
	spin_lock(&processes_lock);
	hash_add_rcu(processes, &process->node, (unsigned long)mm);
	spin_unlock(&processes_lock);
	return process;
}

/* The reservation VMA is there, or about to be: let the region be used. */
static int reserve(struct mm_struct *mm)
{
	struct petmem_process *process = bind(mm);
	int err = 0;

	if (IS_ERR(process))
		return PTR_ERR(process);
	mutex_lock(&process->lock);
	/* A table in the slot, though no mapping was there, would be Linux's. */
	if (!process->reserved && !petmem_pgtables_slot_is_empty(mm))
		err = -EBUSY;
	else
		process->reserved = true;
	mutex_unlock(&process->lock);
	return err;
}

/*
 * fork copies the VMA, and would copy the page tables but for VM_WIPEONFORK, which
 * madvise(MADV_KEEPONFORK) can take away. dup_mmap() in kernel/fork.c looks at the
 * flag after it has called this; 5.10 did so before, and then the child's copies of
 * the entries have to go, before it can run.
 */
static void reservation_open(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WIPEONFORK)
		return;
	vm_flags_set(vma, VM_WIPEONFORK);
	zap_special_vma_range(vma, vma->vm_start, vma->vm_end - vma->vm_start);
}

static int reservation_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int reservation_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct reservation_ops = {
	.open = reservation_open,
	.may_split = reservation_may_split,
	.mremap = reservation_mremap,
};

int petmem_process_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_start != PETMEM_REGION_START ||
	    vma->vm_end != PETMEM_REGION_END || vma->vm_pgoff ||
	    !(vma->vm_flags & VM_SHARED) ||
	    (vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC)))
		return -EINVAL;
	vm_flags_clear(vma, VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
				  VM_WIPEONFORK);
	vma->vm_ops = &reservation_ops;
	return reserve(vma->vm_mm);
}

unsigned long petmem_process_get_unmapped_area(struct file *file,
					       unsigned long addr,
					       unsigned long len,
					       unsigned long pgoff,
					       unsigned long flags)
{
	if (!(flags & MAP_FIXED) || addr != PETMEM_REGION_START ||
	    len != PETMEM_REGION_SIZE)
		return -EINVAL;
	return addr;
}

/* A child of fork has its parent's reservation already, and no state yet. */
static int adopt_reservation(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	int err = -EEXIST;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma = find_vma(mm, PETMEM_REGION_START);
	if (vma && vma->vm_ops == &reservation_ops)
		err = reserve(mm);
	mmap_write_unlock(mm);
	return err;
}

static int make_reservation(struct file *file)
{
	unsigned long addr =
		vm_mmap(file, PETMEM_REGION_START, PETMEM_REGION_SIZE,
			PROT_NONE, MAP_SHARED | MAP_FIXED_NOREPLACE, 0);

	return IS_ERR_VALUE(addr) ? (int)addr : 0;
}

struct petmem_process *petmem_process_find(void)
{
	return lookup(current->mm);
}

struct petmem_process *petmem_process_reserve(struct file *file)
{
	struct petmem_process *process = lookup(current->mm);
	int err;

	if (process && READ_ONCE(process->reserved))
		return process;
	err = make_reservation(file);
	if (err == -EEXIST)
		err = adopt_reservation(current->mm);
	return err ? ERR_PTR(err) : lookup(current->mm);
}

u64 petmem_process_count(void)
{
	return atomic_read(&bound);
}

/*
 * The device is gone, and no address space is bound. What may be left are states on
 * their way through SRCU: wait for the last, and then for the callback that freed it
 * to return.
 */
void petmem_process_exit(void)
{
	wait_event(all_freed, !atomic_read(&allocated));
	mmu_notifier_synchronize();
}
