/* SPDX-License-Identifier: GPL-2.0 */
/*
 * program.h - a hostile program: its state and its steps.
 *
 * A program is one process with all its threads and children. Each of these flows of
 * control takes its own steps. A step is one action of the table in actions.c, with
 * arguments that are drawn. A fault in a step ends only the step, unless it is a first
 * touch of petmem memory, which is resolved as the harness does it.
 */
#ifndef FUZZ_PROGRAM_H
#define FUZZ_PROGRAM_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../../petmem.h"
#include "random.h"

#define PAGE ((size_t)PETMEM_PAGE_SIZE)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A thread or a child of a program, from its first step to its last. */
struct flow {
	uint64_t seed;
	unsigned int step;
	unsigned int depth; /* of forks and threads above it */
	struct random random; /* of this step */
	pid_t thread; /* its thread id: only this thread uses the rest */
	uint64_t last_address; /* among the arguments of this step */
	volatile sig_atomic_t guarded; /* a fault goes to @escape */
	sigjmp_buf escape;
	uint64_t resolved; /* the address that faulted last */
	unsigned int resolved_times;
};

struct action;

struct allocation {
	uint64_t start;
	uint64_t size;
};

#define ALLOCATIONS 24
#define DESCRIPTORS 32
#define RELATIVES 4

/* Shared by the flows of one address space. */
struct program {
	uint64_t seed; /* of the first flow */
	uint32_t owner; /* in the tag of each word that the program writes */
	volatile int device;
	struct allocation allocations[ALLOCATIONS];
	int descriptors[DESCRIPTORS]; /* -1: none */
	volatile pid_t
		relatives[RELATIVES]; /* by fork; 0: none. They may be gone */
	_Atomic unsigned int threads; /* beside the first */
};

extern struct program program;

/* Ordinary memory: pages to write, pages to read, and a page of neither. */
#define SCRATCH ((char *)0x200000000000)
#define SCRATCH_WRITABLE (32 * PAGE)
#define SCRATCH_READABLE (4 * PAGE)
#define SCRATCH_SIZE (SCRATCH_WRITABLE + SCRATCH_READABLE + PAGE)

/* The steps to take, for finding those of a program that a finding needs. */
struct choice {
	unsigned int first;
	unsigned int last;
	const char *only; /* names of actions between blanks; NULL: all */
	bool verbose; /* say each step before it is taken */
};

extern struct choice choice;

/* Run the program of a seed, to its end. */
_Noreturn void program_run(uint64_t seed);

/* Go on with a program after exec, with a new flow. */
_Noreturn void program_run_after_exec(uint64_t seed, uint64_t flow_seed);

/* A signal interrupts the program this often. */
#define ALARM_INTERVAL_US 30000

/* The most threads or forks above a flow. */
#define DEPTH_MAX 3

/* The calling thread, or only thread of a child, becomes a flow of its own. */
void flow_begin(struct flow *flow, const struct flow *parent, uint64_t seed);

/* The same, and take this many steps. */
void flow_run(const struct flow *parent, uint64_t seed, unsigned int steps);

/* Take one action. A fault in it ends only the action. */
void flow_take(struct flow *flow, const struct action *action);

/* fork(). In the child a fault ends the child. */
pid_t flow_fork(struct flow *flow);

/* A number below @limit, which is not 0; true once in @times calls. */
uint64_t draw(struct flow *flow, uint64_t limit);
bool one_in(struct flow *flow, unsigned int times);

/* Make a petmem page present, if it can be. */
bool resolve_fault(uint64_t address, uint32_t error_code);

#endif /* FUZZ_PROGRAM_H */
