// SPDX-License-Identifier: GPL-2.0
/* threads.c - one address space on several CPUs. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest.h"

enum { THREADS = 8, MODEL_THREADS = 4 };

static void run_threads(size_t count, void *(*body)(void *argument))
{
	pthread_t thread[THREADS];

	for (size_t i = 0; i < count; i++)
		CHECK(pthread_create(&thread[i], NULL, body, (void *)i) == 0);
	for (size_t i = 0; i < count; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
}

/*
 * ---- One thread frees while the other reads ----
 *
 * The reader makes no system call, so that only the module's own invalidation clears
 * its CPU's TLB. A read after pet_free() has returned must fault.
 */
static volatile char *shared_page;
static atomic_int reading, freed, stale;
static __thread sigjmp_buf reader_escape;

static void leave_reader(int signal)
{
	(void)signal;
	siglongjmp(reader_escape, 1);
}

static void *read_until_fault(void *argument)
{
	if (!run_on_cpu(1))
		return argument;
	if (sigsetjmp(reader_escape, 1))
		return argument;
	for (;;) {
		bool was_freed = atomic_load(&freed);

		(void)*shared_page;
		atomic_store(&reading, 1);
		if (was_freed) {
			atomic_store(&stale, 1);
			return argument;
		}
	}
}

static void free_while_reading(void)
{
	pthread_t reader;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_case("one CPU only");
	CHECK(signal(SIGSEGV, leave_reader) != SIG_ERR);
	CHECK(init_petmem() == 0);
	CHECK(run_on_cpu(0));
	for (unsigned int round = 0; round < rounds(100); round++) {
		shared_page = must_malloc(PAGE);
		*shared_page = 1;
		atomic_store(&reading, 0);
		atomic_store(&freed, 0);
		CHECK(pthread_create(&reader, NULL, read_until_fault, NULL) ==
		      0);
		while (!atomic_load(&reading))
			;
		pet_free((void *)shared_page);
		atomic_store(&freed, 1);
		CHECK(pthread_join(reader, NULL) == 0);
		CHECK(!atomic_load(&stale));
	}
}

/*
 * ---- Copies beside a thread that sleeps ----
 *
 * A processor whose only thread sleeps is not interrupted for a copy of a page. The thread
 * sees the copies when it wakes up, although it had read the old pages.
 */
enum { COPIED_PAGES = 256 };

static char *copied;

/* The number of calls of functions that processor 1 was interrupted for. */
static unsigned long function_calls(void)
{
	FILE *file = fopen("/proc/interrupts", "r");
	unsigned long calls = 0;
	char line[1024];

	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) &&
	       sscanf(line, " CAL: %*u %lu", &calls) != 1)
		;
	CHECK(fclose(file) == 0);
	return calls;
}

static bool all_have(char value)
{
	for (size_t i = 0; i < COPIED_PAGES; i++)
		if (copied[i * PAGE] != value)
			return false;
	return true;
}

static void *sleep_between(void *gate)
{
	CHECK(run_on_cpu(1));
	CHECK(all_have(1));
	atomic_store(&reading, 1);
	await(gate);
	CHECK(all_have(2));
	return NULL;
}

static void keep_old(void *gate)
{
	await(gate);
	CHECK(all_have(1));
}

/* Since 5.13 a module can see which processors these are: see compat.h. */
static bool kernel_tells_lazy(void)
{
	unsigned int major, minor;
	struct utsname name;

	CHECK(uname(&name) == 0);
	CHECK(sscanf(name.release, "%u.%u", &major, &minor) == 2);
	return major > 5 || (major == 5 && minor >= 13);
}

static void copies_beside_sleeper(void)
{
	struct gate wake, end;
	unsigned long calls;
	pthread_t sleeper;
	pid_t child;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_case("one CPU only");
	connect_petmem();
	CHECK(run_on_cpu(0));
	wake = new_gate();
	end = new_gate();
	copied = must_malloc((size_t)COPIED_PAGES * PAGE);
	for (size_t i = 0; i < COPIED_PAGES; i++)
		copied[i * PAGE] = 1;
	child = spawn(keep_old, &end);
	CHECK(pthread_create(&sleeper, NULL, sleep_between, &wake) == 0);
	while (!atomic_load(&reading))
		;
	calls = function_calls();
	for (size_t i = 0; i < COPIED_PAGES; i++)
		copied[i * PAGE] = 2;
	calls = function_calls() - calls;
	pass(&wake);
	CHECK(pthread_join(sleeper, NULL) == 0);
	pass(&end);
	join(child);
	CHECK(calls < COPIED_PAGES / 4 || !kernel_tells_lazy());
}

/*
 * The process moves to another CPU and frees there. Back on the first, no old
 * translation may be left.
 */
static void free_after_moving(void)
{
	char *p;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_case("one CPU only");
	connect_petmem();
	for (unsigned int round = 0; round < rounds(100); round++) {
		CHECK(run_on_cpu(0));
		p = must_malloc(PAGE);
		*p = 1;
		CHECK(run_on_cpu(1));
		CHECK(*p == 1);
		pet_free(p);
		CHECK(run_on_cpu(0));
		CHECK(faults(p, READ));
	}
}

/* ---- 8 threads touch the same fresh pages ---- */

enum { FRESH_PAGES = 600 };

static pthread_barrier_t barrier;
static uint64_t *fresh;

static void *touch_fresh(void *argument)
{
	size_t self = (size_t)argument;

	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < FRESH_PAGES; i++)
		fresh[i * PAGE / sizeof(*fresh) + self] = self + 1;
	return NULL;
}

static void same_fresh_pages(void)
{
	struct petmem_status before = pool_status();

	CHECK(init_petmem() == 0);
	CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
	for (unsigned int round = 0; round < rounds(10); round++) {
		fresh = must_malloc(FRESH_PAGES * PAGE);
		run_threads(THREADS, touch_fresh);
		for (size_t i = 0; i < FRESH_PAGES; i++)
			for (size_t j = 0; j < THREADS; j++)
				CHECK(fresh[i * PAGE / sizeof(*fresh) + j] ==
				      j + 1);
		CHECK(pool_status().data_pages ==
		      before.data_pages + FRESH_PAGES);
		pet_free(fresh);
		CHECK(pool_status().data_pages == before.data_pages);
	}
}

/* ---- 8 threads write to the same pages of a relative ---- */

enum { OLD = 77, OLD_SLOT = THREADS };

/* The relative sees what it saw in the fork, and nothing else. */
static void keep_shared(void *gate)
{
	await(gate);
	for (size_t i = 0; i < FRESH_PAGES; i++)
		for (size_t j = 0; j <= OLD_SLOT; j++)
			CHECK(fresh[i * PAGE / sizeof(*fresh) + j] ==
			      (j == OLD_SLOT ? OLD : 0));
}

/* However many threads copy a page at the same time, it is copied once, and no write is lost. */
static void same_shared_pages(void)
{
	struct petmem_status before = pool_status();

	CHECK(init_petmem() == 0);
	CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
	for (unsigned int round = 0; round < rounds(10); round++) {
		struct gate end = new_gate();
		pid_t relative;

		fresh = must_malloc(FRESH_PAGES * PAGE);
		for (size_t i = 0; i < FRESH_PAGES; i++)
			fresh[i * PAGE / sizeof(*fresh) + OLD_SLOT] = OLD;
		relative = spawn(keep_shared, &end);
		run_threads(THREADS, touch_fresh);
		for (size_t i = 0; i < FRESH_PAGES; i++)
			for (size_t j = 0; j <= OLD_SLOT; j++)
				CHECK(fresh[i * PAGE / sizeof(*fresh) + j] ==
				      (j == OLD_SLOT ? OLD : j + 1));
		CHECK(pool_status().data_pages ==
		      before.data_pages + 2 * FRESH_PAGES);
		pass(&end);
		join(relative);
		pet_free(fresh);
		CHECK(pool_status().data_pages == before.data_pages);
	}
}

/* ---- Two threads touch the last page ---- */

static char *_Atomic last_page;
static atomic_uint arrived;

/* Both begin as close together as they can: a barrier would wake one after the other. */
static void *touch_last(void *argument)
{
	atomic_fetch_add(&arrived, 1);
	while (atomic_load(&arrived) < 2)
		;
	CHECK(!faults(atomic_load(&last_page), WRITE));
	return argument;
}

/* One of them gets it for both, also while the other has taken it and not yet entered it. */
static void same_last_page(void)
{
	char *neighbour, *hole;

	/* The page has its place beside another one, so its tables exist. */
	connect_petmem();
	neighbour = must_malloc(PAGE);
	*neighbour = 1;
	hole = must_malloc(PAGE);
	leave_free(1);
	pet_free(hole);
	for (unsigned int round = 0; round < rounds(200); round++) {
		atomic_store(&arrived, 0);
		atomic_store(&last_page, (char *)must_malloc(PAGE));
		run_threads(2, touch_last);
		CHECK(pool_status().free_pages == 0);
		pet_free(atomic_load(&last_page));
		CHECK(pool_status().free_pages == 1);
	}
}

/* ---- Threads at random, each with a model of its own memory ---- */

struct owned {
	char *start;
	size_t pages;
	uint64_t seed;
};

enum { OWNED_MAX = 16, STEPS = 1500 };

static void check_and_free(struct owned *owned)
{
	char *last = owned->start + (owned->pages - 1) * PAGE;

	CHECK(holds(owned->start, PAGE, owned->seed));
	CHECK(holds(last, PAGE, owned->seed));
	pet_free(owned->start);
	owned->start = NULL;
}

static void allocate_and_fill(struct owned *owned, size_t pages, uint64_t seed)
{
	owned->start = must_malloc(pages * PAGE);
	owned->pages = pages;
	owned->seed = seed;
	CHECK(is_zero(owned->start, PAGE));
	fill(owned->start, PAGE, seed);
	fill(owned->start + (pages - 1) * PAGE, PAGE, seed);
}

static void *at_random(void *argument)
{
	uint64_t self = (size_t)argument, state = self;
	struct owned owned[OWNED_MAX] = { 0 };

	for (uint64_t step = 0; step < rounds(STEPS); step++) {
		size_t i = random_below(&state, OWNED_MAX);

		if (owned[i].start)
			check_and_free(&owned[i]);
		else
			allocate_and_fill(&owned[i],
					  1 + random_below(&state, 600),
					  self * STEPS + step);
	}
	for (size_t i = 0; i < OWNED_MAX; i++)
		if (owned[i].start)
			check_and_free(&owned[i]);
	return NULL;
}

static void random_threads(void)
{
	connect_petmem();
	run_threads(MODEL_THREADS, at_random);
	CHECK(pet_malloc(PETMEM_REGION_SIZE) == REGION);
}

/* ---- Freeing memory that others touch: a fault or a zero, nothing else ---- */

static char *_Atomic contested;
static atomic_bool over;

static void *touch_contested(void *argument)
{
	while (!atomic_load(&over)) {
		char *p = atomic_load(&contested);

		for (size_t i = 0; i < 64; i++)
			(void)faults(p + i * PAGE, WRITE);
	}
	return argument;
}

static void *free_contested(void)
{
	for (unsigned int round = 0; round < rounds(300); round++) {
		char *p = atomic_load(&contested);

		pet_free(p);
		CHECK(pet_malloc(64 * PAGE) == p);
		CHECK(is_zero(p, 64 * PAGE));
	}
	atomic_store(&over, true);
	return NULL;
}

static void *contest(void *argument)
{
	return argument ? touch_contested(argument) : free_contested();
}

static void free_while_touching(void)
{
	connect_petmem();
	atomic_store(&contested, (char *)must_malloc(64 * PAGE));
	run_threads(4, contest);
}

static const struct guest_case cases[] = {
	{ "one thread frees while another reads", free_while_reading },
	{ "copies beside a thread that sleeps", copies_beside_sleeper },
	{ "a page freed on another CPU", free_after_moving },
	{ "8 threads touch the same fresh pages", same_fresh_pages },
	{ "8 threads write to the same pages of a relative",
	  same_shared_pages },
	{ "two threads touch the last page", same_last_page },
	{ "4 threads at random, against models", random_threads },
	{ "one thread frees while 3 touch", free_while_touching },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
