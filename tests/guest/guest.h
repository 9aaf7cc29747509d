/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest.h - what the guest's tests share.
 *
 * A test program is a list of cases. Each case runs in a process of its own, and
 * must leave the pool's page counts as they were. The results are TAP. There are no
 * 2 MiB pages where the environment does not ask for them (PETMEM_LARGE_PAGES).
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../petmem.h"
#include "../../user/harness.h"

#define PAGE ((size_t)PETMEM_PAGE_SIZE)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

#define REGION ((char *)PETMEM_REGION_START)

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Cases ---- */

struct guest_case {
	const char *name;
	void (*run)(void);
};

/* Run every case; the result is main()'s. */
int run_cases(const struct guest_case *cases, size_t count);

/* End the case, and fail it, unless @condition holds. For every process of it. */
#define CHECK(condition)                                           \
	do {                                                       \
		if (!(condition))                                  \
			fail_case(__FILE__, __LINE__, #condition); \
	} while (0)
_Noreturn void fail_case(const char *file, int line, const char *what);

/* End the case: it cannot be run here. Only in the case's first process. */
_Noreturn void skip_case(const char *reason);

/* Does Linux know entries of 2 MiB? Not without transparent huge pages. */
bool kernel_has_large_pages(void);

/*
 * How often to do what is done @all times, so that it is seen at many moments: ROUNDS
 * in the environment, in percent, makes that less where a kernel is slow.
 */
unsigned int rounds(unsigned int all);

/* Where vm/run puts the module. */
#define MODULE_FILE "/petmem/petmem.ko"

/* Open the kernel's log: what it says from now on is read. */
int open_log(void);

/* Count those of its messages since @log was opened, or read, that hold @text. */
size_t messages(int log, const char *text);

/* Of many cases that are alike, it is enough to try each every()-th: by ROUNDS, too. */
unsigned int every(void);

/* ---- Processes ---- */

/* Run @body in a child. It dies with its parent. */
pid_t spawn(void (*body)(void *argument), void *argument);

/* Wait for a child; the result is as from waitpid(). */
int status_of(pid_t child);

/* Wait for a child that has to end well. */
void join(pid_t child);

/* Does @body, run in a child, die by @signal? */
bool dies_by(int signal, void (*body)(void *argument), void *argument);

/*
 * What one process waits for and another passes, as often as it was passed: an order
 * between them. Whoever waits too long fails.
 */
struct gate {
	int ends[2];
};
struct gate new_gate(void);
void pass(const struct gate *gate);
void await(const struct gate *gate);

/* Zeroed memory that stays shared with children, for counters and flags. */
void *shared_memory(size_t size);

/* ---- Memory ---- */

/* The way of an address through a process's page tables; 0 is the caller's. */
void walk(pid_t pid, const void *addr, struct petmem_walk *way);

/* Install a SIGSEGV handler that serves faults(). */
void catch_faults(void);

/* init_petmem(), with that handler below it. */
void connect_petmem(void);

/*
 * Page faults come in as PETMEM_FAULTS in the environment says. A case that is about
 * one of the two ways chooses it before it connects; it is skipped where the kernel
 * has no native faults.
 */
enum door { SIGNAL, NATIVE };
void choose_door(enum door door);
bool is_native(void);

/*
 * Does the access fault, and petmem not resolve it? A write writes what is
 * there. For any thread, after catch_faults() or connect_petmem().
 */
enum access { READ, WRITE, FETCH };
bool faults(void *address, enum access access);

/* pet_malloc() that has to succeed. */
void *must_malloc(size_t size);

/* Fill memory with a pattern that depends on @seed, and check it. */
void fill(void *memory, size_t size, uint64_t seed);
bool holds(const void *memory, size_t size, uint64_t seed);
bool is_zero(const void *memory, size_t size);

/* ---- The device ---- */

/* A new descriptor of the device. */
int open_device(void);

struct petmem_status pool_status(void);

/*
 * Leave so many pages of the pool free: the case has the others until it ends, behind
 * the first allocation that it makes. Each of the first pages of that, but for the very
 * first, takes one page of the pool when it is touched, and no tables.
 */
#define SPARE_TOUCHES 4
void leave_free(size_t left);

/*
 * Map most of what the pool has left behind @memory by one call: where pages are to be
 * gone, and not to fault. Returns how many pages.
 */
size_t take_most(char *memory);

/* ---- Small things ---- */

/* Keep the calling thread on one of the CPUs. Returns false if there is none. */
bool run_on_cpu(int cpu);

/* A repeatable random number below @limit. */
uint64_t random_below(uint64_t *state, uint64_t limit);

/* Write @text into an existing file. Returns 0, or -1 with errno. */
int write_file(const char *path, const char *text);

#endif /* GUEST_H */
