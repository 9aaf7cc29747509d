// SPDX-License-Identifier: GPL-2.0
/*
 * proc.c - processes: making, running, waiting, ending.
 *
 * Each CPU has a scheduler with a stack of its own. It takes the first process
 * from the run queue and switches to that process's kernel stack; the process
 * gives the CPU back by switching to the scheduler's stack. Both switch with
 * procs_lock held, and the side that they switch to unlocks it. So no other CPU can
 * pick up a process whose stack is still in use here.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "x86.h"
#include "proc.h"
#include "vm.h"
#include "mmap.h"
#include "file.h"
#include "defs.h"

struct cpu cpus[NCPU];
int ncpu = 1;

/* Guards the table, the run queue and the first part of each struct proc. */
static struct spinlock procs_lock = SPINLOCK("procs");
static struct proc procs[NPROC];
static struct proc *first_ready, *last_ready;	/* the run queue */
static struct proc *init;			/* adopts orphans */
static struct proc *shell;	/* the last child that init made, if it lives */
static int last_pid;

struct proc *this_proc(void)
{
	struct proc *p;

	irq_push();
	p = this_cpu()->proc;
	irq_pop();
	return p;
}

/* ---- running ---- */

/* Put @p at the end of the run queue. Context: procs_lock is held. */
static void make_ready(struct proc *p)
{
	p->state = PROC_READY;
	p->next_ready = NULL;
	if (first_ready)
		last_ready->next_ready = p;
	else
		first_ready = p;
	last_ready = p;
}

/* The first of the run queue, or NULL. Context: procs_lock is held. */
static struct proc *take_ready(void)
{
	struct proc *p = first_ready;

	if (p)
		first_ready = p->next_ready;
	return p;
}

/* What each CPU does for ever: run whoever is ready. */
void schedule(void)
{
	struct cpu *cpu = this_cpu();
	struct proc *p;

	for (;;) {
		spin_lock(&procs_lock);
		p = take_ready();
		if (!p) {
			spin_unlock(&procs_lock);
			wait_for_interrupt();
			continue;
		}
		p->state = PROC_RUNNING;
		cpu->proc = p;
		seg_set_kstack(p->kstack + PGSIZE);
		vm_use(p->dir);
		switch_stack(&cpu->scheduler_sp, p->sp);
		/* It is back. It may end on another CPU: forget its memory. */
		vm_use(NULL);
		cpu->proc = NULL;
		spin_unlock(&procs_lock);
	}
}

/*
 * Give the CPU to the scheduler; returns when the process runs again, perhaps
 * on another CPU. Context: procs_lock is held and no other spin lock is; the
 * caller has set the new state.
 */
static void switch_away(void)
{
	struct proc *p = this_proc();
	int were_on = this_cpu()->irqs_were_on;

	if (!spin_held(&procs_lock) || this_cpu()->irq_depth != 1)
		panic("switch_away: locks");
	switch_stack(&p->sp, this_cpu()->scheduler_sp);
	this_cpu()->irqs_were_on = were_on;
}

/* Let the others have a turn. */
void yield(void)
{
	spin_lock(&procs_lock);
	make_ready(this_proc());
	switch_away();
	spin_unlock(&procs_lock);
}

/* ---- waiting ---- */

/* Sleep until somebody wakes @what. Context: procs_lock is held. */
static void block_on(const void *what)
{
	struct proc *p = this_proc();

	p->sleeping_on = what;
	p->state = PROC_ASLEEP;
	switch_away();
	p->sleeping_on = NULL;
}

/*
 * Unlock @lock, sleep until somebody wakes @what, lock it again. The caller
 * tests its condition again: it may have been another's turn, or kill().
 * procs_lock is taken before @lock is given up, and wake_all() needs it; so a
 * wake-up between the caller's test and its sleep cannot be lost.
 */
void sleep_on(const void *what, struct spinlock *lock)
{
	spin_lock(&procs_lock);
	spin_unlock(lock);
	block_on(what);
	spin_unlock(&procs_lock);
	spin_lock(lock);
}

/* Context: procs_lock is held. */
static void wake_sleepers(const void *what)
{
	struct proc *p;

	for (p = procs; p < &procs[NPROC]; p++)
		if (p->state == PROC_ASLEEP && p->sleeping_on == what)
			make_ready(p);
}

/* Wake everyone who sleeps on @what. */
void wake_all(const void *what)
{
	spin_lock(&procs_lock);
	wake_sleepers(what);
	spin_unlock(&procs_lock);
}

/* ---- making ---- */

/* Where a new process starts to run in the kernel. */
static void child_start(void)
{
	spin_unlock(&procs_lock);
	trap_leave(this_proc()->tf);
}

/* The first process becomes /init, which is a program like any other. */
static void first_start(void)
{
	const char *const argv[] = { "init" };
	struct proc *p = this_proc();

	spin_unlock(&procs_lock);
	fs_init();
	fs_clean();
	tx_begin();
	p->cwd = path_find("/");
	tx_end();
	if (exec("/init", argv, 1) < 0)
		panic("cannot run /init");
	trap_leave(p->tf);
}

/*
 * A free entry of the table as PROC_NEW, with a kernel stack ready to run
 * @start, and no user memory. NULL: no entry or no memory.
 */
static struct proc *new_proc(void (*start)(void))
{
	char *kstack = kalloc();
	struct proc *p;

	if (!kstack)
		return NULL;
	spin_lock(&procs_lock);
	for (p = procs; p < &procs[NPROC]; p++)
		if (p->state == PROC_FREE)
			break;
	if (p == &procs[NPROC]) {
		spin_unlock(&procs_lock);
		kfree(kstack);
		return NULL;
	}
	memset(p, 0, sizeof(*p));
	p->state = PROC_NEW;
	p->pid = ++last_pid;
	spin_unlock(&procs_lock);

	p->kstack = kstack;
	p->tf = (struct trapframe *)(kstack + PGSIZE) - 1;
	p->sp = (uint *)p->tf - 6;	/* what switch_stack() takes off */
	memset(p->sp, 0, 6 * sizeof(*p->sp));
	p->sp[4] = (uint)start;
	return p;
}

/* Forget a child that has not run or has ended. Context: procs_lock is held. */
static void free_proc(struct proc *p)
{
	kfree(p->kstack);
	if (p == shell)
		shell = NULL;
	p->kstack = NULL;
	p->parent = NULL;
	p->pid = 0;
	p->state = PROC_FREE;
}

void proc_init(void)
{
	struct proc *p = new_proc(first_start);

	if (!p)
		panic("no memory for the first process");
	p->tf->cs = SEL_UCODE;
	p->tf->ds = p->tf->es = p->tf->ss = SEL_UDATA;
	p->tf->eflags = EFLAGS_FIXED | EFLAGS_IF;
	init = p;
	spin_lock(&procs_lock);
	make_ready(p);
	spin_unlock(&procs_lock);
}

/* A copy of the calling process; returns the child's pid, or -1. */
int fork(void)
{
	struct proc *p = this_proc(), *child = new_proc(child_start);
	int i, pid;

	if (!child)
		return -1;
	map_hide_shared();
	child->dir = vm_fork(p->dir);
	if (!child->dir) {
		spin_lock(&procs_lock);
		free_proc(child);
		spin_unlock(&procs_lock);
		return -1;
	}
	child->heap_start = p->heap_start;
	child->brk = p->brk;
	*child->tf = *p->tf;
	child->tf->eax = 0;		/* what fork() returns in the child */
	for (i = 0; i < NOFILE; i++)
		if (p->files[i])
			child->files[i] = file_dup(p->files[i]);
	child->cwd = inode_dup(p->cwd);
	map_inherit(child);
	strlcpy(child->name, p->name, sizeof(child->name));

	pid = child->pid;
	spin_lock(&procs_lock);
	child->parent = p;
	child->killed = p->killed;	/* a killer of p has not seen the child */
	if (p == init)
		shell = child;
	make_ready(child);
	spin_unlock(&procs_lock);
	return pid;
}

/* ---- memory ---- */

/*
 * Move the break by @n bytes; returns the old one, or -1. It stays between
 * where exec() put it and the kernel, or the first mapping below that.
 */
int move_break(int n)
{
	struct proc *p = this_proc();
	uint old = p->brk, new = old + n;

	if (n > 0) {
		if (new < old || new > map_floor())
			return -1;
#ifndef LAZY_SBRK
		if (vm_grow(p->dir, PAGE_UP(old), PAGE_UP(new), PTE_W) < 0)
			return -1;
#endif
	} else if (n < 0) {
		if (new > old || new < p->heap_start)
			return -1;
		vm_shrink(p->dir, PAGE_UP(new), PAGE_UP(old));
	}
	p->brk = new;
	return old;
}

#ifdef LAZY_SBRK

/* Give the page of @va if sbrk() has promised it: in the heap, and not there. */
static int give_heap(uint va)
{
	struct proc *p = this_proc();
	uint page = PAGE_DOWN(va);

	if (va < p->heap_start || page >= p->brk || vm_page(p->dir, page))
		return VM_NO_ACCESS;
	if (vm_grow(p->dir, page, page + PGSIZE, PTE_W) < 0)
		return VM_NO_MEMORY;
	return VM_OK;
}

#else

/* sbrk() promises nothing: it has given all pages at once. */
static int give_heap(uint va)
{
	(void)va;
	return VM_NO_ACCESS;
}

#endif

/*
 * Give the calling process the page of @va for @access, if sbrk() or mmap() has
 * promised it. VM_OK: it is there now. VM_NO_ACCESS: it was not promised.
 * VM_NO_MEMORY: there is no page for it. Context: no lock is held.
 */
int give_promised(uint va, int access)
{
	int result = give_heap(va);

	return result == VM_NO_ACCESS ? give_mapped(va, access) : result;
}

/* ---- ending ---- */

/*
 * Give the user memory back. Relatives that share pages need them now, not
 * when the parent gets round to wait().
 */
static void leave_memory(struct proc *p)
{
	pde_t *dir = p->dir;

	p->dir = NULL;		/* the scheduler must not use it again */
	vm_use(NULL);
	vm_destroy(dir);
}

static void close_files(struct proc *p)
{
	int i;

	for (i = 0; i < NOFILE; i++) {
		if (p->files[i])
			file_close(p->files[i]);
		p->files[i] = NULL;
	}
	tx_begin();
	inode_put(p->cwd);
	tx_end();
	p->cwd = NULL;
}

/* init becomes the parent of @p's children. Context: procs_lock is held. */
static void give_children_away(struct proc *p)
{
	struct proc *child;

	for (child = procs; child < &procs[NPROC]; child++) {
		if (child->parent != p)
			continue;
		child->parent = init;
		if (child->state == PROC_ZOMBIE)
			wake_sleepers(init);
	}
}

/* End the calling process. It stays as a zombie until its parent waits. */
void exit(void)
{
	struct proc *p = this_proc();

	if (p == init)
		panic("init has ended");
	close_files(p);
	map_drop_all();
	leave_memory(p);

	spin_lock(&procs_lock);
	give_children_away(p);
	p->state = PROC_ZOMBIE;
	wake_sleepers(p->parent);
	switch_away();
	panic("a zombie runs");
}

/*
 * A zombie among @p's children, or NULL; *@any says whether there are children
 * at all. Context: procs_lock is held.
 */
static struct proc *find_zombie(struct proc *p, int *any)
{
	struct proc *child;

	*any = 0;
	for (child = procs; child < &procs[NPROC]; child++) {
		if (child->parent != p)
			continue;
		*any = 1;
		if (child->state == PROC_ZOMBIE)
			return child;
	}
	return NULL;
}

/* Wait until a child has ended; returns its pid, or -1 if there is no child. */
int wait(void)
{
	struct proc *p = this_proc(), *child;
	int any, pid = -1;

	spin_lock(&procs_lock);
	while (!(child = find_zombie(p, &any)) && any && !p->killed)
		block_on(p);
	if (child) {
		pid = child->pid;
		free_proc(child);
	}
	spin_unlock(&procs_lock);
	return pid;
}

/* Make @p end soon. Context: procs_lock is held. */
static void make_end(struct proc *p)
{
	p->killed = 1;
	if (p->state == PROC_ASLEEP)
		make_ready(p);
}

/*
 * Make process @pid end soon; returns 0, or -1 if there is none. Nobody kills
 * init: the system needs it.
 */
int kill(int pid)
{
	struct proc *p;
	int result = -1;

	spin_lock(&procs_lock);
	for (p = procs; p < &procs[NPROC]; p++) {
		if (p->state == PROC_FREE || p->pid != pid || p == init)
			continue;
		make_end(p);
		result = 0;
	}
	spin_unlock(&procs_lock);
	return result;
}

/* Is @p a child of @other, or a child's child...? Context: procs_lock is held. */
static int descends_from(const struct proc *p, const struct proc *other)
{
	while (p && p != other)
		p = p->parent;
	return p == other;
}

/*
 * Kill what runs in the foreground: all that descends from the shell. What the
 * shell has left behind ("&") has init as its parent and goes on. If there is
 * no shell, because memory is short, kill everything: then there can be one.
 */
void kill_foreground(void)
{
	struct proc *p, *top;

	spin_lock(&procs_lock);
	top = shell ? shell : init;
	for (p = procs; p < &procs[NPROC]; p++)
		if (p->state != PROC_FREE && p != top && descends_from(p, top))
			make_end(p);
	spin_unlock(&procs_lock);
}

/* The calling process has done something wrong: end it on the way out. */
void kill_self(void)
{
	spin_lock(&procs_lock);
	this_proc()->killed = 1;
	spin_unlock(&procs_lock);
}

/* Has the calling process been killed? */
int killed(void)
{
	struct proc *p = this_proc();
	int was_killed;

	spin_lock(&procs_lock);
	was_killed = p->killed;
	spin_unlock(&procs_lock);
	return was_killed;
}

/*
 * There is no page for the calling process: end it, nobody else. The system
 * needs init, so init is not ended: it waits a tick, in which others may give
 * memory back. Returns whether the caller is to try again. Context: no lock is
 * held.
 */
int out_of_memory(void)
{
	struct proc *p = this_proc();

	if (p == init) {
		sleep_ticks(1);
		return 1;
	}
	kprintf("%s[%d]: out of memory on cpu %d: killed\n", p->name, p->pid,
		cpu_id());
	kill_self();
	return 0;
}

/*
 * Print all processes, for the console's ^P: where each was in user mode when it
 * last entered the kernel, and how far its memory goes.
 */
void proc_list(void)
{
	static const char *const states[] = {
		[PROC_NEW] = "new",	   [PROC_READY] = "ready",
		[PROC_RUNNING] = "running", [PROC_ASLEEP] = "asleep",
		[PROC_ZOMBIE] = "zombie",
	};
	struct proc *p;

	spin_lock(&procs_lock);
	for (p = procs; p < &procs[NPROC]; p++)
		if (p->state != PROC_FREE)
			kprintf("%d %s parent %d break 0x%x at 0x%x %s\n",
				p->pid, states[p->state],
				p->parent ? p->parent->pid : 0, p->brk,
				p->tf ? p->tf->eip : 0, p->name);
	spin_unlock(&procs_lock);
	kprintf("%d pages free\n", kpages_left());
}
