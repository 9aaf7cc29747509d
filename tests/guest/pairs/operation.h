/* SPDX-License-Identifier: GPL-2.0 */
/*
 * operation.h - the operations that run against each other, one a line of the table in
 * operations.c, and the sides that run them.
 */
#ifndef PAIRS_OPERATION_H
#define PAIRS_OPERATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../guest.h"
#include "scene.h"

#define SIDES 2
#define HELD 4

/*
 * One of the two flows of control of a scenario: a thread of one process beside the other
 * side, or the only thread of a relative by fork.
 */
struct side {
	unsigned int number; /* 0 or 1 */
	uint64_t random;
	pid_t process; /* of the other side; the same process for threads */
	pid_t thread; /* of the other side */
	bool lenient; /* memory may be gone or missing, because of an operation */
	uint64_t held[HELD]; /* allocations of its own; 0: none */
	uint64_t refreed; /* the small pages after refree(); 0: the scene's */
	uint64_t last[SLOTS]; /* the words that it wrote last */
	atomic_uint *shared; /* with its children */
};

struct operation {
	const char *name;
	void (*run)(struct side *side);
	unsigned int rounds; /* that take some hundredths of a second on 6.12 */
	unsigned int flags;
};

#define NEEDS_ROOT (1U << 0)
#define DESTROYS \
	(1U << 1) /* takes memory from the other side, or from children */
#define EMPTIES (1U << 2) /* takes all that the pool or a limit leaves */

extern const struct operation operations[];
extern const size_t operations_count;

/* A descriptor of the device, open in every process. */
extern int device;

/* The fault mode of the memory, as a flag of MODE. */
uint32_t mode_flag(void);

/* A number below @limit. */
uint64_t draw(struct side *side, uint64_t limit);

/* End the scenario unless @condition holds, or memory may be missing. */
#define CHECK_STRICT(side, condition) CHECK((condition) || (side)->lenient)

/* Fork. The child has only this thread, and has to end by _exit(). */
pid_t fork_side(void);

/* Wait for a child, whatever signals come. Returns its status. */
int end_of(pid_t child);

/* The commands of petmem.h */
void run_alloc(struct side *side);
void run_fill(struct side *side);
void run_refree(struct side *side);
void run_fault(struct side *side);
void run_touch(struct side *side);
void run_populate(struct side *side);
void run_giant(struct side *side);
void run_mode(struct side *side);
void run_unmap(struct side *side);
void run_walk(struct side *side);
void run_dump(struct side *side);
void run_invlpg(struct side *side);
void run_status(struct side *side);
void run_donate(struct side *side);

/* Processes */
void run_fork(struct side *side);
void run_child(struct side *side);
void run_relative(struct side *side);
void run_exec(struct side *side);
void run_death(struct side *side);
void run_stranger(struct side *side);
void run_signals(struct side *side);
void run_ptrace(struct side *side);

/* Files of /proc */
void run_smaps(struct side *side);
void run_numa_maps(struct side *side);
void run_pagemap(struct side *side);
void run_clear_refs(struct side *side);
void run_mem(struct side *side);
void run_scan(struct side *side);

/* Linux's memory system calls */
void run_mbind(struct side *side);
void run_migrate(struct side *side);
void run_move(struct side *side);
void run_madvise(struct side *side);
void run_uffd(struct side *side);
void run_protect(struct side *side);
void run_readv(struct side *side);
void run_copy(struct side *side);

#endif /* PAIRS_OPERATION_H */
