// SPDX-License-Identifier: GPL-2.0
/*
 * process.c - the binding of an address space to petmem: its birth, and its end.
 *
 * State belongs to the mm. It is created when a thread of the mm first reserves the region,
 * or when the parent forks. A hash table finds it by its mm. An mmu notifier ends it. The
 * notifier's callbacks all come before Linux looks into a table of ours: release() at the
 * beginning of exit_mmap(), for exit, kill and exec alike, and invalidate_range_start() with
 * MMU_NOTIFY_UNMAP before munmap() frees tables. The release of the file would come too
 * late.
 */
#include "process.h"

#include <linux/hashtable.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/llist.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/thread_info.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "memmap.h"
#include "petmem.h"
#include "gather.h"
#include "giant_table.h"
#include "slot.h"

#define PROCESS_HASH_BITS 8

/* More address spaces than Linux has process numbers for (PID_MAX_LIMIT). */
#define MANY_RELATIVES (1U << 22)

static unsigned int max_relatives = MANY_RELATIVES;
module_param(max_relatives, uint, 0644);
MODULE_PARM_DESC(
	max_relatives,
	"processes that may share memory by fork; a child beyond gets none");

static DEFINE_HASHTABLE(processes, PROCESS_HASH_BITS);
static DEFINE_SPINLOCK(processes_lock);
static atomic_t bound = ATOMIC_INIT(0); /* address spaces */
static atomic_t native = ATOMIC_INIT(0); /* those in native mode */

DEFINE_PER_CPU(struct petmem_events, petmem_events);

static atomic_t allocated = ATOMIC_INIT(0); /* states not freed */
static DECLARE_WAIT_QUEUE_HEAD(all_freed);

/*
 * States whose mm has ended wait here, and are then put all at once: after this time, or
 * when there are this many. Each keeps its mm_struct and Linux's top page table.
 */
#define DEAD_DELAY HZ
#define DEAD_MAX 64

static LLIST_HEAD(dead);
static atomic_t dead_count = ATOMIC_INIT(0);

/*
 * No reference is taken. The entry of an mm is removed at the end of the mm, and the caller
 * guarantees that the mm stays alive.
 */
struct petmem_process *petmem_process_find(struct mm_struct *mm)
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

/* ---- The end ---- */

struct petmem_memmap *petmem_process_leave_map(struct petmem_process *process,
					       struct petmem_memmap *map)
{
	lockdep_assert_held(&process->family->lock);

	if (--map->refs)
		return NULL;
	petmem_uncharge_allocations(&process->family->account,
				    map->nr_allocated);
	return map;
}

void petmem_process_put(struct petmem_process *process,
			struct petmem_gather *gather)
{
	bool more = gather->nr;
	u64 freed;

	while (more) {
		mutex_lock(&process->family->lock);
		more = petmem_gather_put(gather, &freed);
		petmem_uncharge(&process->family->account, freed);
		mutex_unlock(&process->family->lock);
		cond_resched();
	}
}

void petmem_process_retire(struct petmem_process *process,
			   struct petmem_gather *gather)
{
	lockdep_assert_held(&process->family->lock);

	gather->next = process->retired;
	WRITE_ONCE(process->retired, gather);
}

void petmem_process_put_retired(struct petmem_process *process)
{
	struct petmem_gather *gather, *next;

	if (!READ_ONCE(process->retired))
		return;
	mutex_lock(&process->family->lock);
	gather = process->retired;
	WRITE_ONCE(process->retired, NULL);
	mutex_unlock(&process->family->lock);
	for (; gather; gather = next) {
		next = gather->next;
		petmem_process_put(process, gather);
		kfree(gather);
	}
}

/*
 * Give up all allocations, and detach the region from the page tables. If the region is not
 * reserved, the slot is left alone: it may have mappings and tables of Linux's.
 *
 * Returns a memory map to be deleted, or NULL.
 */
static struct petmem_memmap *leave_region(struct petmem_process *process)
{
	struct petmem_memmap *map = process->map;

	lockdep_assert_held(&process->family->lock);

	if (!map)
		return NULL;
	process->detached = petmem_pgtables_detach(petmem_process_mm(process));
	write_lock(&process->map_lock);
	WRITE_ONCE(process->map, NULL);
	write_unlock(&process->map_lock);
	WRITE_ONCE(process->vma, NULL);
	if (process->native)
		atomic_dec(&native);
	return petmem_process_leave_map(process, map);
}

/* Nobody else can reach the detached region. */
static void drop_detached(struct petmem_process *process)
{
	struct petmem_gather gather;

	petmem_gather_slot(&gather, process->detached);
	process->detached = 0;
	petmem_process_put(process, &gather);
	petmem_process_put_retired(process);
}

static void family_put(struct petmem_family *family)
{
	if (family && refcount_dec_and_test(&family->refs))
		kfree(family);
}

static void notifier_free(struct mmu_notifier *notifier)
{
	struct petmem_process *process =
		container_of(notifier, struct petmem_process, notifier);

	family_put(process->family);
	/* petmem_process_find() for another mm may still pass through it. */
	kfree_rcu(process, rcu);
	if (atomic_dec_and_test(&allocated))
		wake_up(&all_freed);
}

/* The OOM reaper may not block, but it leaves a VM_PFNMAP mapping alone. */
static bool concerns_region(const struct mmu_notifier_range *range)
{
	return range->end > PETMEM_REGION_START &&
	       range->start < PETMEM_REGION_END &&
	       mmu_notifier_range_blockable(range);
}

/* Is it munmap() of the region? Nothing else unmaps it. */
static bool unmaps_region(const struct mmu_notifier_range *range)
{
	return range->event == MMU_NOTIFY_UNMAP && concerns_region(range);
}

/* Does Linux want a 1 GiB page split? compat.h says when. */
static bool wants_split(const struct mmu_notifier_range *range)
{
	return range->event == MMU_NOTIFY_CLEAR &&
	       range->end - range->start == PUD_SIZE && concerns_region(range);
}

static int notifier_start(struct mmu_notifier *notifier,
			  const struct mmu_notifier_range *range)
{
	struct petmem_process *process =
		container_of(notifier, struct petmem_process, notifier);
	struct petmem_memmap *unused = NULL;

	if (!unmaps_region(range) && !wants_split(range))
		return 0;
	mutex_lock(&process->family->lock);
	if (unmaps_region(range))
		unused = leave_region(process);
	else if (process->map)
		petmem_pgtables_split(petmem_process_mm(process), range->start,
				      range->end);
	mutex_unlock(&process->family->lock);
	petmem_memmap_delete(unused);
	return 0;
}

/* By now the other notifiers of the mm have removed the pages from their devices. */
static void notifier_end(struct mmu_notifier *notifier,
			 const struct mmu_notifier_range *range)
{
	struct petmem_process *process =
		container_of(notifier, struct petmem_process, notifier);

	if (unmaps_region(range))
		drop_detached(process);
}

/*
 * Each put makes SRCU begin a grace period of several ticks. After a put in release(), the
 * end of the mm would have to wait for it: mn_hlist_release() calls synchronize_srcu() next.
 * That takes only microseconds as long as no other grace period is in progress
 * (srcu_might_be_idle(); Linux 5.10 to 7.2).
 */
static void put_dead(struct work_struct *unused)
{
	struct petmem_process *process, *next;

	atomic_set(&dead_count, 0);
	llist_for_each_entry_safe(process, next, llist_del_all(&dead), dead)
		mmu_notifier_put(&process->notifier);
}

static DECLARE_DELAYED_WORK(put_dead_work, put_dead);

static void put_later(struct petmem_process *process)
{
	llist_add(&process->dead, &dead);
	if (atomic_inc_return(&dead_count) < DEAD_MAX)
		schedule_delayed_work(&put_dead_work, DEAD_DELAY);
	else
		put_dead(NULL);
}

/*
 * The end of the mm. This runs under the notifiers' SRCU read lock, and the put frees the
 * state only after that. So the module's reference can be dropped here, and
 * petmem_process_exit() waits for the rest.
 */
static void notifier_release(struct mmu_notifier *notifier,
			     struct mm_struct *mm)
{
	struct petmem_process *process =
		container_of(notifier, struct petmem_process, notifier);

	struct petmem_memmap *unused;

	mutex_lock(&process->family->lock);
	unused = leave_region(process);
	mutex_unlock(&process->family->lock);
	petmem_memmap_delete(unused);
	drop_detached(process);

	mutex_lock(&process->family->lock);
	if (!--process->family->members)
		petmem_account_close(&process->family->account);
	mutex_unlock(&process->family->lock);

	spin_lock(&processes_lock);
	hash_del_rcu(&process->node);
	spin_unlock(&processes_lock);
	atomic_dec(&bound);

	put_later(process);
	module_put(THIS_MODULE);
}

/* ---- The birth ---- */

static struct mmu_notifier *notifier_alloc(struct mm_struct *mm)
{
	struct petmem_process *process = kzalloc(sizeof(*process), GFP_KERNEL);

	if (!process)
		return ERR_PTR(-ENOMEM);
	mutex_init(&process->lock);
	rwlock_init(&process->map_lock);
	process->fault_around = 1;
	process->large_pages = petmem_has_large_pages();
	atomic_inc(&allocated);
	return &process->notifier;
}

static const struct mmu_notifier_ops notifier_ops = {
	.alloc_notifier = notifier_alloc,
	.free_notifier = notifier_free,
	.invalidate_range_start = notifier_start,
	.invalidate_range_end = notifier_end,
	.release = notifier_release,
};

static struct petmem_family *family_new(void)
{
	struct petmem_family *family = kzalloc(sizeof(*family), GFP_KERNEL);

	if (!family)
		return NULL;
	refcount_set(&family->refs, 1);
	mutex_init(&family->lock);
	if (petmem_account_open(&family->account)) {
		kfree(family);
		return NULL;
	}
	return family;
}

static struct petmem_family *family_get(struct petmem_family *family)
{
	refcount_inc(&family->refs);
	return family;
}

/* Returns false when the family has as many members as it may have. */
static bool family_join(struct petmem_family *family)
{
	bool room;

	mutex_lock(&family->lock);
	room = family->members < max(READ_ONCE(max_relatives), 1U);
	if (room)
		family->members++;
	mutex_unlock(&family->lock);
	return room;
}

/*
 * mmu_notifier_get_locked() fails with -EINTR while any signal is pending
 * (mm_take_all_locks() in mm/mmap.c, since 6.11 in mm/vma.c), and in the middle of a fork
 * nobody could try again. So pending signals are hidden from it. They are handled as soon as
 * the caller returns to user mode. If a signal that comes meanwhile makes it fail, it is
 * called again, unless the signal is fatal.
 */
static struct mmu_notifier *get_notifier(struct mm_struct *mm)
{
	bool signal = false, work = false;
	struct mmu_notifier *notifier;

	do {
		signal |= test_and_clear_thread_flag(TIF_SIGPENDING);
		work |= test_and_clear_thread_flag(TIF_NOTIFY_SIGNAL);
		notifier = mmu_notifier_get_locked(&notifier_ops, mm);
	} while (notifier == ERR_PTR(-EINTR) &&
		 !__fatal_signal_pending(current));
	if (signal)
		set_thread_flag(TIF_SIGPENDING);
	if (work)
		set_thread_flag(TIF_NOTIFY_SIGNAL);
	return notifier;
}

/* Create the state of an mm, in the family of @parent, or in a new family for NULL. */
static struct petmem_process *bind_mm(struct mm_struct *mm,
				      struct petmem_process *parent)
{
	struct petmem_process *process;
	struct mmu_notifier *notifier;

	mmap_assert_write_locked(mm);
	notifier = get_notifier(mm);
	if (IS_ERR(notifier))
		return ERR_CAST(notifier);
	process = container_of(notifier, struct petmem_process, notifier);
	process->first = notifier->hlist.pprev;
	process->family = parent ? family_get(parent->family) : family_new();
	if (!process->family || !family_join(process->family)) {
		mmu_notifier_put(notifier);
		return ERR_PTR(-ENOMEM);
	}

	/* A process stays bound even if it unmaps the region and closes the device. */
	__module_get(THIS_MODULE);
	atomic_inc(&bound);
	spin_lock(&processes_lock);
	hash_add_rcu(processes, &process->node, (unsigned long)mm);
	spin_unlock(&processes_lock);
	return process;
}

struct petmem_process *petmem_process_bind_child(struct mm_struct *mm,
						 struct petmem_process *parent)
{
	return bind_mm(mm, parent);
}

/* The region is reserved now. */
static void enter_region(struct petmem_process *process,
			 struct petmem_memmap *map, struct vm_area_struct *vma,
			 bool is_native)
{
	lockdep_assert_held(&process->family->lock);

	write_lock(&process->map_lock);
	WRITE_ONCE(process->map, map);
	write_unlock(&process->map_lock);
	process->reservation++;
	WRITE_ONCE(process->vma, vma);
	WRITE_ONCE(process->native, is_native);
	if (is_native)
		atomic_inc(&native);
}

void petmem_process_inherit(struct petmem_process *child,
			    struct petmem_process *parent,
			    struct vm_area_struct *vma)
{
	lockdep_assert_held(&child->family->lock);
	parent->map->refs++;
	child->fault_around = parent->fault_around;
	child->large_pages = parent->large_pages;
	enter_region(child, parent->map, vma, parent->native);
	this_cpu_inc(petmem_events.forks);
}

int petmem_process_reserve(struct vm_area_struct *vma, bool is_native)
{
	struct mm_struct *mm = vma->vm_mm;
	struct petmem_process *process = petmem_process_find(mm);
	struct petmem_memmap *map;
	int err = 0;

	if (!process)
		process = bind_mm(mm, NULL);
	if (IS_ERR(process))
		return PTR_ERR(process);
	if (petmem_pgtables_prepare(mm))
		return -ENOMEM;
	map = petmem_memmap_new(PETMEM_REGION_START, PETMEM_REGION_SIZE);
	if (!map)
		return -ENOMEM;

	mutex_lock(&process->family->lock);
	if (process->map)
		err = process->native == is_native ? 0 : -EBUSY;
	else if (petmem_has_sva(mm))
		err = -EOPNOTSUPP;
	else
		err = petmem_pgtables_attach(mm);
	if (!err && !process->map) {
		enter_region(process, map, vma, is_native);
		map = NULL;
	}
	mutex_unlock(&process->family->lock);
	petmem_memmap_delete(map);
	return err;
}

/* ---- The reservation's VMA ---- */

/*
 * The VMA stays the same as long as the region is reserved. Only a split or a merge would
 * replace it, and neither happens to a VMA like this.
 */
int petmem_process_lock_region(struct petmem_process *process)
{
	if (mmap_write_lock_killable(petmem_process_mm(process)))
		return -EINTR;
	if (process->vma)
		vma_start_write(process->vma);
	return 0;
}

/* Releasing the mmap lock releases the VMA's lock, too. */
void petmem_process_unlock_region(struct petmem_process *process)
{
	mmap_write_unlock(petmem_process_mm(process));
}

/* munmap() frees the VMA only after our notifier has run, so no other VMA has its address. */
bool petmem_process_is_mapped(const struct petmem_process *process)
{
	const struct vm_area_struct *vma = READ_ONCE(process->vma);

	return vma &&
	       find_vma(petmem_process_mm(process), PETMEM_REGION_START) == vma;
}

/*
 * The zap finds no entry to remove, but it calls all notifiers of the mm. Devices that walk
 * page tables themselves hear only of flushes. Linux flushes if it has removed an entry, or
 * if another thread is about to: then tlb_finish_mmu() in mm/mmu_gather.c flushes the whole
 * mm.
 */
void petmem_process_notify(struct petmem_process *process, u64 start, u64 end)
{
	struct mm_struct *mm = petmem_process_mm(process);
	bool has_sva = petmem_has_sva(mm);

	if (has_sva)
		inc_tlb_flush_pending(mm);
	zap_special_vma_range(process->vma, start, end - start);
	if (has_sva)
		dec_tlb_flush_pending(mm);
}

/* ---- Counts ---- */

struct petmem_events petmem_process_events(void)
{
	struct petmem_events sum = {};
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct petmem_events *events =
			per_cpu_ptr(&petmem_events, cpu);

		sum.faults += READ_ONCE(events->faults);
		sum.copies += READ_ONCE(events->copies);
		sum.forks += READ_ONCE(events->forks);
	}
	return sum;
}

struct petmem_process_counts petmem_process_count(void)
{
	return (struct petmem_process_counts){
		.bound = atomic_read(&bound),
		.native = atomic_read(&native),
	};
}

/*
 * The device is gone, and no address space is bound. Some states may not have been put yet,
 * or wait for SRCU. This waits for the last of them, and then until the callback that freed
 * it has returned.
 */
void petmem_process_exit(void)
{
	flush_delayed_work(&put_dead_work);
	wait_event(all_freed, !atomic_read(&allocated));
	mmu_notifier_synchronize();
}
