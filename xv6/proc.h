/* SPDX-License-Identifier: GPL-2.0 */
/*
 * proc.h - processors and processes.
 */
#ifndef PROC_H
#define PROC_H

#include "spinlock.h"

/* Used by its own processor only, with interrupts off; but for the first two. */
struct cpu {
	uchar apic_id;		/* its name for the interrupt controllers */
	int running;		/* it has started, and takes interrupts */
	struct proc *proc;	/* what it runs; NULL: it is looking for work */
	uint *scheduler_sp;	/* where the scheduler's stack was left */
	int irq_depth;		/* irq_push() calls without irq_pop() */
	int irqs_were_on;	/* before the first of them */
	struct tss tss;
};

enum proc_state {
	PROC_FREE,	/* this entry of the table is not in use */
	PROC_NEW,	/* being made */
	PROC_READY,	/* in the run queue */
	PROC_RUNNING,
	PROC_ASLEEP,	/* until wake_all(sleeping_on) or kill() */
	PROC_ZOMBIE,	/* has ended; its parent has not asked yet */
};

#ifdef USE_MMAP

/* Pages [start, end) of a process, which show a file (mmap.c). */
struct mapping {
	uint start, end;	/* page-aligned; both 0: not in use */
	uint offset;		/* in the file, of the byte at start; page-aligned */
	uint writable;		/* PTE_W or 0 */
	struct inode *inode;
	struct shared_file *shared;	/* NULL: it is private */
};

#endif

struct proc {
	/* Guarded by procs_lock. */
	enum proc_state state;
	int pid;
	int killed;		/* must end before it next runs in user mode */
	const void *sleeping_on;
	struct proc *parent;
	struct proc *next_ready;
	uint *sp;		/* where its kernel stack was left */

	/* Used by the process itself, or by its parent while it is PROC_NEW. */
	char *kstack;		/* one page; wait() frees it */
	struct trapframe *tf;	/* at the top of kstack: user registers */
	pde_t *dir;		/* page directory; NULL: has no user memory */
	uint heap_start;	/* the break never goes below this */
	uint brk;		/* end of the user memory */
	struct file *files[NOFILE];
#ifdef USE_MMAP
	struct mapping mappings[NMAP];
#endif
	struct inode *cwd;
	char name[16];		/* for messages */
};

extern struct cpu cpus[NCPU];
extern int ncpu;

int cpu_id(void);
struct cpu *this_cpu(void);
struct proc *this_proc(void);

#endif
