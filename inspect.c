// SPDX-License-Identifier: GPL-2.0
/*
 * inspect.c - look at processes and page tables, and change nothing.
 *
 * The tables are read as the processor reads them, from the top and by the bits of the
 * entries alone. So the result does not depend on the book-keeping of pgtables.c.
 *
 * Looking at another process takes CAP_SYS_ADMIN. The process's own user may see its
 * numbers, but no addresses. The rule of ptrace would be finer. But mm_access() and
 * ptrace_may_access() are not exported, and no exported function tells a descriptor of
 * /proc/PID/mem from others.
 *
 * Allocations, frees, forks and some faults of the process and of its relatives wait for the
 * family's lock. So a look takes this lock for one part at a time: at most two tables of 512
 * entries. Between two parts, the process may do anything: unmap the region and reserve it
 * anew, fork, exec, exit. Only this stays:
 *
 *   - its struct petmem_process, and .family, which never changes. exit_mmap() calls
 *     notifier_release(), and it does not run while get_subject() has a reference to the
 *     users of the mm. An exec only takes the mm from its threads.
 *
 * Each part reads everything else again, under the lock of the process's family:
 *
 *   - process->map and its ranges. petmem_cow_own_map(), petmem_memmap_alloc() and
 *     petmem_memmap_free() change them under this lock. leave_region() takes the map away
 *     under it before petmem_memmap_delete() frees anything.
 *   - the slot of the mm. petmem_pgtables_attach(), _detach() and _share() write it under
 *     this lock. It is 0 while a fork has detached the region. A look follows an entry only
 *     to a page of the pool.
 *   - the tables below the slot. An entry that leads to one is a reference, and the members
 *     of the family take entries of tables away only under this lock.
 *   - the pages. Faults enter and replace them without this lock, and a page that was
 *     replaced may be free, or not in the pool any more. So each entry is read once, no page
 *     is read, and the record of a page is looked at in an RCU read-side critical section.
 */
#include "inspect.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/irqflags.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/uidgid.h>

#include "account.h"
#include "compat.h"
#include "entry.h"
#include "giant_page.h"
#include "large_page.h"
#include "memmap.h"
#include "page.h"
#include "process.h"
#include "report.h"
#include "slot.h"

/* The bits of an entry that are not part of the address. */
#define ENTRY_FLAGS (~(u64)PTE_PFN_MASK)

/* The level of the first table: the levels of entry.h go on upwards. */
static int top_level(void)
{
	return PETMEM_LEVELS + pgtable_l5_enabled();
}

static bool is_page(u64 entry, int level)
{
	return level == PETMEM_PTE ||
	       (level < PETMEM_LEVELS && is_large(entry));
}

static u64 read_entry(u64 *table, u64 addr, int level)
{
	return READ_ONCE(*entry_of(table, addr, level));
}

/* ---- The process to look at ---- */

/* A process to look at. mmput() gives the mm back. */
struct subject {
	struct mm_struct *mm;
	struct petmem_process *process; /* NULL if it does not use petmem */
};

/* Find a task and take a reference to it; 0 is the caller. */
static struct task_struct *get_task(u32 number)
{
	struct task_struct *task;
	struct pid *pid;

	if (!number) {
		get_task_struct(current);
		return current;
	}
	pid = find_get_pid(number);
	task = get_pid_task(pid, PIDTYPE_PID);
	put_pid(pid);
	return task;
}

/* The part of ptrace's rule that is about users: __ptrace_may_access() in kernel/ptrace.c. */
static bool is_same_user(struct task_struct *task)
{
	const struct cred *cred;
	kuid_t uid = current_uid();
	bool same;

	rcu_read_lock();
	cred = __task_cred(task);
	same = uid_eq(uid, cred->uid) && uid_eq(uid, cred->euid) &&
	       uid_eq(uid, cred->suid);
	rcu_read_unlock();
	return same;
}

static bool is_admin(struct task_struct *unused)
{
	return capable(CAP_SYS_ADMIN);
}

static bool is_same_user_or_admin(struct task_struct *task)
{
	return is_same_user(task) || is_admin(task);
}

/*
 * The process is looked up before its credentials are checked. A program that has bound its
 * mm is running, so its exec has already changed the credentials: they are those of the
 * program, or later ones.
 */
static int get_subject(u32 number, bool (*may_look)(struct task_struct *task),
		       struct subject *subject)
{
	struct task_struct *task = get_task(number);
	int err = 0;

	if (!task)
		return -ESRCH;
	subject->mm = get_task_mm(task);
	if (!subject->mm) {
		err = -ESRCH;
		goto out_put_task;
	}
	subject->process = petmem_process_find(subject->mm);
	if (subject->mm != current->mm && !may_look(task)) {
		mmput(subject->mm);
		err = -EPERM;
	}
out_put_task:
	put_task_struct(task);
	return err;
}

/* ---- In parts ---- */

/* Called between two parts of a look, without a lock. Returns 0 or -EINTR. */
static int end_part(void)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	return 0;
}

/* ---- A process ---- */

/* The number of pages below an entry of a PMD table. */
static u64 mapped_by_pmd(u64 entry)
{
	const struct petmem_page *table;

	if (!is_present(entry))
		return 0;
	if (is_page(entry, PETMEM_PMD))
		return ENTRIES;
	table = petmem_pool_find(frame_of(entry));
	return table ? READ_ONCE(table->live) : 0;
}

static u64 mapped_by_table(u64 entry)
{
	u64 count = 0;
	size_t i;

	for (i = 0; i < ENTRIES; i++)
		count += mapped_by_pmd(READ_ONCE(table_of(entry)[i]));
	return count;
}

/*
 * Count the pages from *@addr to the end of the next PMD table, and move *@addr there.
 * Tables that are not in the pool are empty.
 */
static u64 mapped_by_next(u64 slot, u64 *addr)
{
	u64 count = 0, entry;

	if (!petmem_pool_find(frame_of(slot))) {
		*addr = PETMEM_REGION_END;
		return 0;
	}
	while (*addr < PETMEM_REGION_END) {
		entry = read_entry(table_of(slot), *addr, PETMEM_PUD);
		*addr += PUD_SIZE;
		if (is_page(entry, PETMEM_PUD))
			count += ENTRIES * ENTRIES;
		else if (petmem_pool_find(frame_of(entry)))
			return count + mapped_by_table(entry);
	}
	return count;
}

/* Returns 0 or -EINTR. */
static int count_mapped(struct petmem_process *process, u64 *count)
{
	struct mutex *lock = &process->family->lock;
	u64 addr = PETMEM_REGION_START;
	bool reserved;
	int err;

	do {
		mutex_lock(lock);
		reserved = process->map;
		if (reserved)
			*count += mapped_by_next(
				petmem_pgtables_slot(
					petmem_process_mm(process)),
				&addr);
		mutex_unlock(lock);
		err = end_part();
	} while (!err && reserved && addr < PETMEM_REGION_END);
	return err;
}

static void describe_process(struct petmem_process *process,
			     struct petmem_process_info *info)
{
	const struct petmem_family *family = process->family;

	mutex_lock(&process->family->lock);
	info->flags = process->native ? PETMEM_PROCESS_NATIVE : 0;
	info->uid = petmem_account_uid(&family->account);
	info->relatives = family->members;
	info->family_pages = atomic64_read(&family->account.pages);
	info->faults = atomic64_read(&process->faults);
	info->copies = atomic64_read(&process->copies);
	if (process->map)
		info->allocations = process->map->nr_allocated;
	mutex_unlock(&process->family->lock);
}

int petmem_inspect_process(struct petmem_process_info *info)
{
	struct petmem_process_info result = { .pid = info->pid };
	struct subject subject;
	int err;

	if (info->flags)
		return -EINVAL;
	err = get_subject(info->pid, is_same_user_or_admin, &subject);
	if (err)
		return err;
	err = -ENOENT;
	if (subject.process) {
		describe_process(subject.process, &result);
		err = count_mapped(subject.process, &result.mapped_pages);
	}
	mmput(subject.mm);
	if (!err)
		*info = result;
	return err;
}

/* ---- One address ---- */

/* The number of entries that lead to a large page of petmem's. */
static u32 refs_of_large(u64 entry, int level)
{
	if (level == PETMEM_PMD)
		return petmem_large_refs(frame_of(entry));
	entry = petmem_giant_bypassed(entry);
	return petmem_page_refs(petmem_pool_page(frame_of(entry)));
}

static void describe_target(struct petmem_walk_level *level, u64 entry,
			    int number, bool ours)
{
	const struct petmem_page *page =
		ours ? petmem_pool_find(frame_of(entry)) : NULL;

	level->refs = page ? petmem_page_refs(page) : 0;
	if (page && number > PETMEM_PTE && is_page(entry, number))
		level->refs = refs_of_large(entry, number);
	if (is_page(entry, number))
		level->kind = PETMEM_WALK_PAGE;
	else
		level->kind = ours && !page && number <= PETMEM_LEVELS
				      ? PETMEM_WALK_EMPTY
				      : PETMEM_WALK_TABLE;
}

/*
 * Linux frees a table only after every processor has answered an interrupt, or after an RCU
 * grace period. So tables stay while interrupts are off, as for get_user_pages_fast(), and so
 * do the records of petmem's pages. Below a mapping tables also stay while the mmap lock of
 * @mm is held.
 */
static void walk_tables(struct mm_struct *mm, struct petmem_walk *walk)
{
	bool covered = walk->flags & PETMEM_WALK_IN_MAPPING;
	bool ours = walk->flags & PETMEM_WALK_IN_PETMEM;
	u64 *table = (u64 *)mm->pgd;
	int number = top_level();
	unsigned long irqs;

	local_irq_save(irqs);
	for (; number >= PETMEM_PTE; number--) {
		struct petmem_walk_level *level = &walk->level[walk->nr++];
		u64 entry = read_entry(table, walk->addr, number);

		level->index = entry_of(table, walk->addr, number) - table;
		level->shift = ilog2(level_size(number));
		level->entry = entry;
		level->kind = entry ? PETMEM_WALK_ABSENT : PETMEM_WALK_NONE;
		if (!is_present(entry))
			break;
		describe_target(level, entry, number, ours);
		if (!covered)
			level->kind = PETMEM_WALK_UNKNOWN;
		if (level->kind == PETMEM_WALK_PAGE || !covered)
			break;
		table = table_of(entry);
	}
	local_irq_restore(irqs);
}

static void add_user_copy(struct mm_struct *mm, struct petmem_walk *walk)
{
	pgd_t *copy = petmem_user_pgd(pgd_offset(mm, walk->addr));

	if (copy)
		walk->level[0].user_entry = READ_ONCE(copy->pgd);
}

static void hide_addresses(struct petmem_walk *walk)
{
	unsigned int i;

	walk->root = 0;
	for (i = 0; i < walk->nr; i++) {
		struct petmem_walk_level *level = &walk->level[i];

		/* An entry that is not present may have address bits anywhere. */
		level->entry &=
			level->kind == PETMEM_WALK_ABSENT ? 0 : ENTRY_FLAGS;
		level->user_entry &= ENTRY_FLAGS;
	}
}

/* The mmap lock of @mm keeps petmem_process_reserve() from binding it meanwhile. */
static void walk_locked(struct mm_struct *mm, struct petmem_walk *walk)
{
	struct petmem_process *process = petmem_process_find(mm);
	const struct vm_area_struct *vma = find_vma(mm, walk->addr);

	walk->root = __pa(mm->pgd);
	if (vma && vma->vm_start <= walk->addr)
		walk->flags |= PETMEM_WALK_IN_MAPPING;
	if (!process) {
		walk_tables(mm, walk);
	} else {
		mutex_lock(&process->family->lock);
		if (process->map && walk->addr >= PETMEM_REGION_START &&
		    walk->addr < PETMEM_REGION_END)
			walk->flags |= PETMEM_WALK_IN_PETMEM;
		walk_tables(mm, walk);
		mutex_unlock(&process->family->lock);
	}
	add_user_copy(mm, walk);
}

int petmem_inspect_walk(struct petmem_walk *walk)
{
	struct petmem_walk result = { .addr = walk->addr, .pid = walk->pid };
	struct subject subject;
	int err;

	if (walk->flags || walk->reserved || walk->addr >= TASK_SIZE_MAX)
		return -EINVAL;
	err = get_subject(walk->pid, is_admin, &subject);
	if (err)
		return err;
	err = mmap_read_lock_killable(subject.mm);
	if (err)
		goto out_put_mm;
	walk_locked(subject.mm, &result);
	mmap_read_unlock(subject.mm);
	if (!capable(CAP_SYS_ADMIN))
		hide_addresses(&result);
	*walk = result;
out_put_mm:
	mmput(subject.mm);
	return err;
}

/* ---- How the region is used ---- */

/* What is at one address, and an address up to which it is the same. */
struct look {
	u32 kind;
	u64 end;
};

/*
 * Does another entry lead to the same page, or to a part of it? In a 1 GiB page, only the
 * 2 MiB around the address are checked.
 */
static bool is_shared(u64 entry, u64 addr, int level)
{
	uintptr_t page_addr = frame_of(entry);

	if (level == PETMEM_PTE)
		return petmem_page_is_shared(page_addr);
	if (level == PETMEM_PMD)
		return petmem_large_is_shared(page_addr);
	return refs_of_large(entry, level) > 1 ||
	       petmem_large_is_shared(page_addr +
				      (addr & ~PUD_MASK & PMD_MASK));
}

static u32 kind_of(int level, bool shared)
{
	if (level == PETMEM_PTE)
		return shared ? PETMEM_SPAN_SHARED : PETMEM_SPAN_PAGES;
	if (level == PETMEM_PMD)
		return shared ? PETMEM_SPAN_LARGE_SHARED : PETMEM_SPAN_LARGE;
	return shared ? PETMEM_SPAN_GIANT_SHARED : PETMEM_SPAN_GIANT;
}

/*
 * Memory is shared if a table on the path, or the page itself, has a second reference.
 */
static struct look look_at(u64 slot, u64 addr)
{
	bool shared = false;
	u64 entry = slot;
	int level;

	for (level = PETMEM_LEVELS; level >= PETMEM_PTE; level--) {
		const struct petmem_page *page;

		if (level < PETMEM_LEVELS)
			entry = read_entry(table_of(entry), addr, level);
		page = petmem_pool_find(frame_of(entry));
		if (!is_present(entry) || !page)
			return (struct look){ PETMEM_SPAN_UNTOUCHED,
					      span_end(addr, level) };
		if (is_page(entry, level)) {
			shared |= is_shared(entry, addr, level);
			break;
		}
		shared |= petmem_page_refs(page) > 1;
	}
	return (struct look){ kind_of(level, shared),
			      span_end(addr, min_t(int, level, PETMEM_PMD)) };
}

/*
 * Go on as long as the kind is the same: at most to the end of the PTE table, or to the end
 * of the span of one entry of an upper table.
 */
static struct look look_along(u64 slot, u64 addr, u64 end)
{
	struct look look = look_at(slot, addr), next = look;

	end = min(end, max(look.end, span_end(addr, PETMEM_PMD)));
	while (next.kind == look.kind && next.end < end) {
		look = next;
		next = look_at(slot, look.end);
	}
	if (next.kind == look.kind)
		look.end = end;
	return look;
}

/* Describe the span that begins at part->addr and lies in one part. */
static void describe_part(struct petmem_process *process,
			  struct petmem_span *part)
{
	const struct petmem_range *range =
		petmem_memmap_find(process->map, part->addr);
	u64 end = range->start + range->size;
	struct look look;

	lockdep_assert_held(&process->family->lock);

	part->range_start = range->start;
	part->range_size = range->size;
	part->size = end - part->addr;
	part->kind = PETMEM_SPAN_HOLE;
	if (!range->allocated)
		return;
	if (part->addr >= petmem_range_usable_end(range)) {
		part->kind = PETMEM_SPAN_GUARD;
		return;
	}
	rcu_read_lock();
	look = look_along(petmem_pgtables_slot(petmem_process_mm(process)),
			  part->addr, petmem_range_usable_end(range));
	rcu_read_unlock();
	part->kind = look.kind;
	part->size = look.end - part->addr;
}

/* Returns 0, or -ENOENT when the region is not reserved. */
static int look_at_part(struct petmem_process *process,
			struct petmem_span *part)
{
	int err = -ENOENT;

	mutex_lock(&process->family->lock);
	if (process->map) {
		describe_part(process, part);
		err = 0;
	}
	mutex_unlock(&process->family->lock);
	return err;
}

static bool is_giant(const struct petmem_span *span)
{
	return span->kind == PETMEM_SPAN_GIANT ||
	       span->kind == PETMEM_SPAN_GIANT_SHARED;
}

/* A 1 GiB page is shared if any part of it is. No span has parts of two such pages. */
static bool add_part(struct petmem_span *span, const struct petmem_span *part)
{
	bool one_giant = is_giant(span) && is_giant(part);

	if (part->range_start != span->range_start ||
	    part->range_size != span->range_size ||
	    (part->kind != span->kind && !one_giant))
		return false;
	span->kind = max(span->kind, part->kind);
	span->size += part->size;
	return true;
}

/* Returns 0, -ENOENT or -EINTR. */
static int look_in_parts(struct petmem_process *process,
			 struct petmem_span *span)
{
	u64 end = span_end(span->addr, PETMEM_PUD);
	struct petmem_span part;
	int err = look_at_part(process, span);

	while (!err && span->addr + span->size < end) {
		err = end_part();
		part = (struct petmem_span){ .addr = span->addr + span->size };
		if (!err &&
		    (look_at_part(process, &part) || !add_part(span, &part)))
			break;
	}
	return err;
}

int petmem_inspect_span(struct petmem_span *span)
{
	struct petmem_span result = { .addr = span->addr, .pid = span->pid };
	struct subject subject;
	int err;

	if (span->kind || !PAGE_ALIGNED(span->addr) ||
	    span->addr < PETMEM_REGION_START || span->addr >= PETMEM_REGION_END)
		return -EINVAL;
	err = get_subject(span->pid, is_admin, &subject);
	if (err)
		return err;
	err = subject.process ? look_in_parts(subject.process, &result)
			      : -ENOENT;
	mmput(subject.mm);
	if (!err)
		*span = result;
	return err;
}

/* ---- Physical memory ---- */

int petmem_inspect_run(struct petmem_run *run)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (run->kind || run->order || !PAGE_ALIGNED(run->addr))
		return -EINVAL;
	return petmem_pool_run(run);
}
