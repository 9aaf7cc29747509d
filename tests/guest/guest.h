/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest.h - helpers that the guest's tests share.
 *
 * A test program is a list of cases. Each case runs in a process of its own, and
 * must leave the pool's page counts as they were. The results are TAP. 2 MiB pages
 * are off unless the environment asks for them (PETMEM_LARGE_PAGES).
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

/* End and fail the case unless @condition holds. Any process of the case may use it. */
#define CHECK(condition)                                           \
	do {                                                       \
		if (!(condition))                                  \
			fail_case(__FILE__, __LINE__, #condition); \
	} while (0)
_Noreturn void fail_case(const char *file, int line, const char *what);

/* End the case as one that cannot run here. For the case's first process only. */
_Noreturn void skip_case(const char *reason);

/* Can this kernel have 2 MiB entries? It needs transparent huge pages for that. */
bool kernel_has_large_pages(void);

/*
 * The number of rounds for a step that is repeated @all times to hit rare moments.
 * ROUNDS in the environment, in percent, lowers it where a kernel is slow.
 */
unsigned int rounds(unsigned int all);

/* The path of the module in vm/run's guests. */
#define MODULE_FILE "/petmem/petmem.ko"

/* Open the kernel's log, to read its messages from now on. */
int open_log(void);

/* Count the messages with @text since @log was opened or last read. */
size_t messages(int log, const char *text);

/* Try only each every()-th of many similar cases. ROUNDS decides this, too. */
unsigned int every(void);

/* ---- Processes ---- */

/* Run @body in a child. It dies with its parent. */
pid_t spawn(void (*body)(void *argument), void *argument);

/* Wait for a child; the result is as from waitpid(). */
int status_of(pid_t child);

/* Wait for a child that has to succeed. */
void join(pid_t child);

/* The body of a child that lives until it is killed. */
void wait_to_be_killed(void *unused);

/* Does @body, run in a child, die by @signal? */
bool dies_by(int signal, void (*body)(void *argument), void *argument);

/*
 * A gate orders two processes: await() returns once for each pass(). A process that
 * waits too long fails.
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

/* Walk the page tables of a process (0: the caller) to @addr. */
void walk(pid_t pid, const void *addr, struct petmem_walk *way);

/* Install a SIGSEGV handler, which faults() needs. */
void catch_faults(void);

/* init_petmem(), with that handler below it. */
void connect_petmem(void);

/*
 * PETMEM_FAULTS in the environment sets the fault mode. A case about one of the two
 * modes chooses it before it connects; it is skipped where the kernel has no native
 * faults.
 */
enum fault_mode { SIGNAL, NATIVE };
void choose_mode(enum fault_mode mode);
bool is_native(void);

/*
 * Does the access fault without petmem resolving it? A write stores the value that is
 * there already. Any thread may call this after catch_faults() or connect_petmem().
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
 * Leave @left pages of the pool free. The case keeps the others until it ends, in an
 * allocation that this makes. Each of the pages 1 to SPARE_TOUCHES of that allocation
 * takes one page of the pool when it is touched, and no tables.
 */
#define SPARE_TOUCHES 4
void leave_free(size_t left);

/*
 * Map most of the pool's free pages at @memory by one call, for a case that needs them
 * gone without faults. Returns the number of pages.
 */
size_t take_most(char *memory);

/* ---- Small things ---- */

/* Bind the calling thread to a CPU. Returns false if there is no such CPU. */
bool run_on_cpu(int cpu);

/* A repeatable random number below @limit. */
uint64_t random_below(uint64_t *state, uint64_t limit);

/* Write @text into an existing file. Returns 0, or -1 with errno. */
int write_file(const char *path, const char *text);

/*
 * Let the module clear free pages ahead of time, or not. Its thread also empties the lists of
 * the processors, which hides whether anybody else does.
 */
void set_clearing(bool on);

#endif /* GUEST_H */
