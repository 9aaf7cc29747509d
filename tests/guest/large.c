// SPDX-License-Identifier: GPL-2.0
/* large.c - 2 MiB pages: where they are used, and that they are like other memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define LARGE (2 * MIB)
#define LARGE_PAGES ((size_t)512)

/* Tables on the path to a 4 KiB page; a 2 MiB page has no PTE table. */
enum { TABLES = 3 };

enum { SEED = 1, OTHER_SEED = 2, NEW_SEED = 3 };

/* The earlier counts that grew_by() compares with. */
static struct petmem_status before;

static void mark(void)
{
	before = pool_status();
}

static bool grew_by(long tables, long data, long large)
{
	struct petmem_status now = pool_status();
	long new_tables = now.table_pages - before.table_pages;
	long new_data = now.data_pages - before.data_pages;
	long new_large = now.large_pages - before.large_pages;

	if (new_tables == tables && new_data == data && new_large == large)
		return true;
	printf("# tables %ld, data %ld, large %ld\n", new_tables, new_data,
	       new_large);
	return false;
}

static bool is_aligned(const void *address, size_t alignment)
{
	return (uintptr_t)address % alignment == 0;
}

/* @count pages of 2 MiB, written with @seed. */
static char *new_large(size_t count, uint64_t seed)
{
	char *memory = must_malloc(count * LARGE);
	size_t had = pool_status().large_pages;

	CHECK(is_aligned(memory, LARGE));
	fill(memory, count * LARGE, seed);
	CHECK(pool_status().large_pages == had + count);
	return memory;
}

/* Leave @left pages free, and no 2 MiB page. */
static void leave_small(size_t left)
{
	struct petmem_status status = pool_status();
	size_t whole = (status.free_pages - left) / LARGE_PAGES - 1;

	CHECK(pet_populate(must_malloc(whole * LARGE), whole * LARGE) == 0);
	CHECK(pet_large_pages(0) == 0);
	leave_free(left);
	CHECK(pet_large_pages(1) == 0);
}

/* ---- Where they are used ---- */

static void first_touch(void)
{
	char *memory;

	connect_petmem();
	mark();
	memory = must_malloc(2 * LARGE);
	CHECK(is_aligned(memory, LARGE));
	memory[LARGE / 2] = 1;
	CHECK(grew_by(TABLES - 1, LARGE_PAGES, 1));
	memory[LARGE / 2] = 0;
	CHECK(is_zero(memory, LARGE));
	CHECK(grew_by(TABLES - 1, LARGE_PAGES, 1));
	/* A page that was used before is zero, too. */
	fill(memory, 2 * LARGE, SEED);
	CHECK(grew_by(TABLES - 1, 2 * LARGE_PAGES, 2));
	CHECK(holds(memory, 2 * LARGE, SEED));
	pet_free(memory);
	CHECK(grew_by(0, 0, 0));
	memory = must_malloc(2 * LARGE);
	CHECK(is_zero(memory, 2 * LARGE));
	CHECK(grew_by(TABLES - 1, 2 * LARGE_PAGES, 2));
}

static void alignment(void)
{
	char *memory;

	connect_petmem();
	CHECK(must_malloc(PAGE) == REGION);
	CHECK(is_aligned(must_malloc(LARGE), LARGE));
	CHECK(is_aligned(must_malloc(3 * MIB + 5), LARGE));
	CHECK(must_malloc(LARGE - PAGE) == REGION + PAGE);
	memory = pet_aligned_alloc(16 * MIB, LARGE);
	CHECK(memory != NULL && is_aligned(memory, 16 * MIB));
	/* The hole at the end of the region is not aligned. */
	CHECK(must_malloc(PETMEM_REGION_SIZE - (memory - REGION) - 2 * LARGE) ==
	      memory + LARGE);
	memory = must_malloc(LARGE - PAGE);
	must_malloc(PAGE);
	CHECK(pet_large_pages(0) == 0);
	pet_free(memory);
	CHECK(must_malloc(PAGE) == memory);
}

/* An allocation that begins and ends between multiples of 2 MiB. */
static void head_and_tail(void)
{
	enum { HEAD_AND_TAIL_PAGES = 2 * LARGE_PAGES };
	char *memory;

	connect_petmem();
	CHECK(pet_large_pages(0) == 0);
	must_malloc(PAGE);
	memory = must_malloc(3 * LARGE - 2 * PAGE);
	CHECK(memory == REGION + PAGE);
	CHECK(pet_large_pages(1) == 0);
	mark();
	memory[0] = 1;
	CHECK(grew_by(TABLES, 1, 0));
	REGION[3 * LARGE - 2 * PAGE] = 1;
	CHECK(grew_by(TABLES + 1, 2, 0));
	REGION[LARGE] = 1;
	CHECK(grew_by(TABLES + 1, 2 + LARGE_PAGES, 1));
	CHECK(pet_populate(memory, 3 * LARGE - 2 * PAGE) == 0);
	CHECK(grew_by(TABLES + 1, LARGE_PAGES + HEAD_AND_TAIL_PAGES - 2, 1));
	CHECK(faults(REGION + 3 * LARGE - PAGE, READ));
	pet_free(memory);
	CHECK(grew_by(0, 0, 0));
}

static void guarded(void)
{
	char *memory;

	connect_petmem();
	pet_guard(1);
	memory = must_malloc(LARGE);
	mark();
	memory[LARGE - 1] = 1;
	CHECK(grew_by(TABLES - 1, LARGE_PAGES, 1));
	CHECK(faults(memory + LARGE, WRITE));
	/* With its guard this is 2 MiB, which a 2 MiB page could cover. */
	memory = must_malloc(LARGE - PAGE);
	mark();
	memory[0] = 1;
	CHECK(grew_by(1, 1, 0));
	CHECK(faults(memory + LARGE - PAGE, WRITE));
}

static void switched_off(void)
{
	char *memory;

	CHECK(setenv("PETMEM_LARGE_PAGES", "0", 1) == 0);
	connect_petmem();
	mark();
	must_malloc(PAGE);
	memory = must_malloc(4 * LARGE);
	CHECK(memory == REGION + PAGE);
	memory += LARGE;
	memory[0] = 1;
	CHECK(grew_by(TABLES, 1, 0));
	CHECK(pet_fault_around(4) == 0);
	memory[LARGE] = 1;
	CHECK(grew_by(TABLES + 1, 1 + 4, 0));
}

static void bad_switch(void)
{
	CHECK(setenv("PETMEM_LARGE_PAGES", "yes", 1) == 0);
	CHECK(init_petmem() == -1 && errno == EINVAL);
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	CHECK(init_petmem() == 0);
}

static void touch_small(void *argument)
{
	char *memory = argument;

	memory[0] = 1;
	CHECK(grew_by(TABLES, 1, 0));
}

static void switched_off_for_children(void)
{
	char *memory;

	connect_petmem();
	CHECK(pet_large_pages(0) == 0);
	memory = must_malloc(2 * LARGE);
	CHECK(memory == REGION);
	mark();
	join(spawn(touch_small, memory));
}

static void populate(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(3 * LARGE);
	mark();
	CHECK(pet_populate(memory + LARGE - PAGE, 2 * PAGE) == 0);
	CHECK(grew_by(TABLES - 1, 2 * LARGE_PAGES, 2));
	CHECK(pet_populate(memory, 3 * LARGE) == 0);
	CHECK(grew_by(TABLES - 1, 3 * LARGE_PAGES, 3));
	CHECK(is_zero(memory, 3 * LARGE));
}

/* ---- A pool without 2 MiB pages ---- */

/* Take every other page, so that no 2 MiB page is left. */
static void fragmented_pool(void)
{
	enum { HALF = 2 * LARGE_PAGES };
	char *kept, *freed, *memory;

	connect_petmem();
	CHECK(pet_large_pages(0) == 0);
	kept = must_malloc(HALF * PAGE);
	freed = must_malloc(HALF * PAGE);
	/* Touch pages in turns: with the tables, all that are left. */
	leave_free(2 * HALF + 4);
	for (size_t i = 0; i < HALF; i++) {
		kept[i * PAGE] = 1;
		freed[i * PAGE] = 1;
	}
	pet_free(freed);
	CHECK(pool_status().free_pages >= HALF);
	CHECK(pet_large_pages(1) == 0);

	memory = must_malloc(LARGE);
	CHECK(is_aligned(memory, LARGE));
	mark();
	for (size_t i = 0; i < LARGE_PAGES; i++)
		memory[i * PAGE] = 1;
	CHECK(grew_by(1, LARGE_PAGES, 0));
	/* A 2 MiB page may become free later: the existing table stays. */
	CHECK(kept[PAGE] == 1);
}

/* Touch 2 MiB after 2 MiB until the pool has none. @argument: set to their number. */
static void count_large(void *argument)
{
	size_t *count = argument;
	char *memory = must_malloc(pool_status().total_pages * PAGE);

	for (size_t i = 0; !faults(memory + i * LARGE, WRITE); i++)
		;
	*count = pool_status().large_pages;
}

/* Pages in the list of another processor are not missing for a 2 MiB page. */
static void listed_elsewhere(void)
{
	size_t *count = shared_memory(sizeof(*count)), before;
	char *memory;

	/*
	 * The children's tables come from the list of processor 0, whose pages are
	 * all in one block of 2 MiB as long as only processor 1 frees others.
	 */
	if (!run_on_cpu(1) || !run_on_cpu(0))
		skip_case("takes two CPUs");
	connect_petmem();
	set_clearing(false);
	join(spawn(count_large, count));
	before = *count;
	CHECK(before > 0);

	CHECK(pet_large_pages(0) == 0);
	memory = must_malloc(LARGE);
	run_on_cpu(1);
	memset(memory, 1, LARGE);
	pet_free(memory);
	run_on_cpu(0);
	CHECK(pet_large_pages(1) == 0);
	join(spawn(count_large, count));
	CHECK(*count == before);
	set_clearing(true);
}

/* The pool has one 2 MiB page, and nothing else. */
static void one_left(void)
{
	char *large, *memory;

	connect_petmem();
	large = new_large(1, SEED);
	leave_small(0);
	pet_free(large);
	CHECK(pool_status().free_pages == LARGE_PAGES);
	memory = must_malloc(LARGE);
	mark();
	memory[0] = 1;
	CHECK(grew_by(0, LARGE_PAGES, 1));
	CHECK(pool_status().free_pages == 0);
}

/* The same, but mapping a page takes tables. */
static void one_left_without_tables(void)
{
	char *large, *far;

	connect_petmem();
	large = new_large(1, SEED);
	far = pet_aligned_alloc(2 * GIB, LARGE);
	CHECK(far != NULL);
	leave_small(0);
	pet_free(large);
	mark();
	far[0] = 1;
	CHECK(grew_by(TABLES - 1, 1, 0));
	for (size_t i = 0; i < LARGE_PAGES - (TABLES - 1); i++)
		far[i * PAGE] = 1;
	CHECK(pool_status().free_pages == 0);
	CHECK(faults(far + LARGE - PAGE, WRITE));
}

/* ---- Copy-on-write ---- */

static void read_and_write(void *argument)
{
	char *memory = argument;

	CHECK(holds(memory, 2 * LARGE, SEED));
	CHECK(grew_by(0, 0, 0));
	fill(memory + LARGE / 2, PAGE, OTHER_SEED);
	CHECK(grew_by(TABLES - 1, LARGE_PAGES, 1));
	CHECK(holds(memory, LARGE / 2, SEED));
	CHECK(holds(memory + LARGE / 2, PAGE, OTHER_SEED));
	fill(memory, 2 * LARGE, OTHER_SEED);
	CHECK(grew_by(TABLES - 1, 2 * LARGE_PAGES, 2));
	CHECK(holds(memory, 2 * LARGE, OTHER_SEED));
}

static void copies_large(void)
{
	char *memory;

	connect_petmem();
	memory = new_large(2, SEED);
	mark();
	join(spawn(read_and_write, memory));
	CHECK(grew_by(0, 0, 0));
	CHECK(holds(memory, 2 * LARGE, SEED));
	/* The last owner writes without a copy. */
	fill(memory, 2 * LARGE, NEW_SEED);
	CHECK(grew_by(0, 0, 0));
	CHECK(holds(memory, 2 * LARGE, NEW_SEED));
}

static struct gate to_child, to_parent;

static void open_gates(void)
{
	to_child = new_gate();
	to_parent = new_gate();
}

/* Does page @number hold the pattern that was written over all of a 2 MiB page? */
static bool page_holds(const char *large, size_t number, uint64_t seed)
{
	static char expected[LARGE];
	static uint64_t expected_seed;

	if (expected_seed != seed)
		fill(expected, LARGE, seed);
	expected_seed = seed;
	return memcmp(large + number * PAGE, expected + number * PAGE, PAGE) ==
	       0;
}

/* The same for all pages but @except; SIZE_MAX for none. */
static bool others_hold(const char *large, size_t except, uint64_t seed)
{
	for (size_t i = 0; i < LARGE_PAGES; i++)
		if (i != except && !page_holds(large, i, seed))
			return false;
	return true;
}

static void split_and_wait(void *argument)
{
	char *memory = argument;

	/* This takes three tables; one of them maps the pages of the large one. */
	fill(memory + 7 * PAGE, PAGE, OTHER_SEED);
	CHECK(grew_by(TABLES, 1, 0));
	CHECK(others_hold(memory, 7, SEED));
	pass(&to_parent);
	await(&to_child);
	CHECK(others_hold(memory, 7, SEED));
	CHECK(holds(memory + 7 * PAGE, PAGE, OTHER_SEED));
	fill(memory + 9 * PAGE, PAGE, OTHER_SEED);
	CHECK(holds(memory + 9 * PAGE, PAGE, OTHER_SEED));
}

/* Without 2 MiB for a copy, the child's page is split, and then the parent's. */
static void splits(void)
{
	char *memory;
	pid_t child;

	connect_petmem();
	open_gates();
	memory = new_large(1, SEED);
	leave_small(8);
	mark();
	child = spawn(split_and_wait, memory);
	await(&to_parent);
	CHECK(others_hold(memory, SIZE_MAX, SEED));
	/* The parent is the only owner of page 7: one table, no copy, no 2 MiB page. */
	fill(memory + 7 * PAGE, PAGE, NEW_SEED);
	CHECK(grew_by(TABLES + 1, 1, -1));
	fill(memory + 8 * PAGE, PAGE, NEW_SEED);
	CHECK(grew_by(TABLES + 1, 2, -1));
	pass(&to_child);
	join(child);
	/* The pages that the parent replaced had only the child as owner, and are gone. */
	CHECK(grew_by(1, 0, -1));
	CHECK(holds(memory + 7 * PAGE, PAGE, NEW_SEED));
	CHECK(holds(memory + 8 * PAGE, PAGE, NEW_SEED));
	for (size_t i = 9; i < LARGE_PAGES; i++)
		CHECK(page_holds(memory, i, SEED));
	fill(memory, LARGE, NEW_SEED);
	CHECK(grew_by(1, 0, -1));
	pet_free(memory);
}

static void split_once(void *argument)
{
	char *memory = argument;

	fill(memory, PAGE, OTHER_SEED);
	CHECK(grew_by(TABLES, 1, 0));
}

/* When a child that has split the page is gone, the parent's is as it was. */
static void whole_again(void)
{
	char *memory;

	connect_petmem();
	memory = new_large(1, SEED);
	leave_small(8);
	mark();
	join(spawn(split_once, memory));
	CHECK(grew_by(0, 0, 0));
	fill(memory, LARGE, NEW_SEED);
	CHECK(grew_by(0, 0, 0));
	CHECK(holds(memory, LARGE, NEW_SEED));
}

static void write_all_it_can(void *argument)
{
	char *memory = argument;
	size_t i = 0;

	/* This takes three tables, and the rest is for pages. */
	while (!faults(memory + i * PAGE, WRITE))
		fill(memory + i++ * PAGE, PAGE, OTHER_SEED);
	CHECK(i == 5);
	CHECK(!faults(memory + i * PAGE, READ));
	CHECK(page_holds(memory, i, SEED));
}

static void out_of_pages(void)
{
	char *memory;

	connect_petmem();
	memory = new_large(1, SEED);
	leave_small(TABLES + 5);
	mark();
	join(spawn(write_all_it_can, memory));
	CHECK(grew_by(0, 0, 0));
	CHECK(holds(memory, LARGE, SEED));
}

/* ---- Frees, and relatives that live longer ---- */

static void free_in_child(void *argument)
{
	pet_free(argument);
	CHECK(faults(argument, READ));
	pass(&to_parent);
	await(&to_child);
}

static void free_split_in_child(void *argument)
{
	char *memory = argument;

	memory[0] = 1;
	free_in_child(memory);
}

static void keeps(void *argument)
{
	char *memory = argument;

	await(&to_child);
	CHECK(holds(memory, LARGE, SEED));
	fill(memory, LARGE, OTHER_SEED);
	CHECK(holds(memory, LARGE, OTHER_SEED));
}

static void keeps_split(void *argument)
{
	char *memory = argument;

	fill(memory + 3 * PAGE, PAGE, OTHER_SEED);
	pass(&to_parent);
	await(&to_child);
	CHECK(others_hold(memory, 3, SEED));
	CHECK(holds(memory + 3 * PAGE, PAGE, OTHER_SEED));
	fill(memory, LARGE, OTHER_SEED);
}

static void frees(void)
{
	char *memory;
	pid_t child;

	connect_petmem();
	open_gates();
	memory = new_large(1, SEED);
	mark();
	child = spawn(free_in_child, memory);
	await(&to_parent);
	CHECK(holds(memory, LARGE, SEED));
	fill(memory, LARGE, SEED);
	pass(&to_child);
	join(child);
	CHECK(grew_by(0, 0, 0));
	child = spawn(keeps, memory);
	pet_free(memory);
	CHECK(faults(memory, READ));
	pass(&to_child);
	join(child);
	CHECK(grew_by(-(TABLES - 1), -LARGE_PAGES, -1));
}

static void frees_split(void)
{
	char *memory;
	pid_t child;

	connect_petmem();
	open_gates();
	memory = new_large(1, SEED);
	leave_small(8);
	mark();
	child = spawn(free_split_in_child, memory);
	await(&to_parent);
	CHECK(holds(memory, LARGE, SEED));
	pass(&to_child);
	join(child);
	CHECK(grew_by(0, 0, 0));
	child = spawn(keeps_split, memory);
	await(&to_parent);
	pet_free(memory);
	/* The original of the child's copy has no owner now. */
	CHECK(grew_by(TABLES, 0, -1));
	pass(&to_child);
	join(child);
	CHECK(grew_by(0, -LARGE_PAGES, -1));
}

static void outlive_parent(void *argument)
{
	char *memory = argument;
	pid_t parent = getppid();

	pass(&to_parent);
	while (getppid() == parent)
		usleep(1000);
	CHECK(holds(memory, LARGE, SEED));
	mark();
	fill(memory, LARGE, OTHER_SEED);
	CHECK(grew_by(0, 0, 0));
	CHECK(holds(memory, LARGE, OTHER_SEED));
}

static void parent_of_heir(void *argument)
{
	char *memory;

	(void)argument;
	connect_petmem();
	memory = new_large(1, SEED);
	if (fork() == 0) {
		outlive_parent(memory);
		_exit(EXIT_SUCCESS);
	}
	await(&to_parent);
}

static void outlives(void)
{
	int status;

	open_gates();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	join(spawn(parent_of_heir, NULL));
	CHECK(wait(&status) > 0 && status == 0);
}

/* ---- Every processor sees the same ---- */

static atomic_int stage;
static char *watched;

/* Keep a translation of the page in this processor, far from where it is written. */
static void *watch(void *unused)
{
	volatile char *far = watched + LARGE - PAGE;

	(void)unused;
	CHECK(run_on_cpu(1));
	CHECK(*far == 1);
	atomic_store(&stage, 1);
	while (atomic_load(&stage) != 2)
		(void)*far;
	CHECK(*far == 2);
	return NULL;
}

static void wait_and_look(void *argument)
{
	char *memory = argument;

	await(&to_child);
	CHECK(memory[0] == 1 && memory[LARGE - PAGE] == 1);
}

static void no_stale_translations(void)
{
	pthread_t watcher;
	pid_t child;

	if (!run_on_cpu(1) || !run_on_cpu(0))
		skip_case("takes two CPUs");
	connect_petmem();
	open_gates();
	watched = must_malloc(LARGE);
	watched[0] = 1;
	watched[LARGE - PAGE] = 1;
	child = spawn(wait_and_look, watched);
	CHECK(pthread_create(&watcher, NULL, watch, NULL) == 0);
	while (atomic_load(&stage) != 1)
		;
	watched[0] = 2;
	watched[LARGE - PAGE] = 2;
	atomic_store(&stage, 2);
	CHECK(pthread_join(watcher, NULL) == 0);
	pass(&to_child);
	join(child);
}

/* Read memory that another thread frees: the next touch maps a page of zeros. */
static void *watch_free(void *unused)
{
	volatile char *far = watched + LARGE - PAGE;

	(void)unused;
	CHECK(run_on_cpu(1));
	CHECK(*far == 1);
	atomic_store(&stage, 1);
	while (atomic_load(&stage) != 2)
		;
	CHECK(*far == 0);
	return NULL;
}

static void no_stale_translations_after_free(void)
{
	enum { COUNT = 8 };
	pthread_t watcher;
	char *memory;

	if (!run_on_cpu(1) || !run_on_cpu(0))
		skip_case("takes two CPUs");
	connect_petmem();
	memory = must_malloc(COUNT * LARGE);
	fill(memory, COUNT * LARGE, SEED);
	/* The last of several 2 MiB pages. The shootdown is for one address of each. */
	watched = memory + (COUNT - 1) * LARGE;
	watched[LARGE - PAGE] = 1;
	CHECK(pthread_create(&watcher, NULL, watch_free, NULL) == 0);
	while (atomic_load(&stage) != 1)
		;
	pet_free(memory);
	CHECK(must_malloc(COUNT * LARGE) == memory);
	atomic_store(&stage, 2);
	CHECK(pthread_join(watcher, NULL) == 0);
}

/* ---- The kernel's accesses ---- */

static int pipes[2];

static void system_calls(void)
{
	static char seen[PAGE];
	char *memory;

	connect_petmem();
	CHECK(pipe(pipes) == 0);
	memory = must_malloc(LARGE);
	fill(seen, PAGE, SEED);
	CHECK(write(pipes[1], seen, PAGE) == (ssize_t)PAGE);
	if (!is_native()) {
		CHECK(read(pipes[0], memory, PAGE) == -1 && errno == EFAULT);
		memory[0] = 1;
	}
	mark();
	/* This address is inside a 4 KiB page. */
	CHECK(read(pipes[0], memory + LARGE - PAGE - 9, PAGE) == (ssize_t)PAGE);
	CHECK(grew_by(is_native() ? TABLES - 1 : 0,
		      is_native() ? LARGE_PAGES : 0, is_native()));
	CHECK(holds(memory + LARGE - PAGE - 9, PAGE, SEED));
	CHECK(write(pipes[1], memory + LARGE - PAGE - 9, PAGE) ==
	      (ssize_t)PAGE);
	memset(seen, 0, PAGE);
	CHECK(read(pipes[0], seen, PAGE) == (ssize_t)PAGE);
	CHECK(holds(seen, PAGE, SEED));
}

static void shared_system_call(void *argument)
{
	char *memory = argument;
	static char incoming[PAGE];

	fill(incoming, PAGE, OTHER_SEED);
	CHECK(write(pipes[1], incoming, PAGE) == (ssize_t)PAGE);
	CHECK(read(pipes[0], memory, PAGE) == (ssize_t)PAGE);
	CHECK(holds(memory, PAGE, OTHER_SEED));
	CHECK(grew_by(TABLES - 1, LARGE_PAGES, 1));
	CHECK(others_hold(memory, 0, SEED));
}

/* With native faults, the kernel's own write makes the copy. */
static void shared_system_calls(void)
{
	char *memory;

	choose_mode(NATIVE);
	connect_petmem();
	CHECK(pipe(pipes) == 0);
	memory = new_large(1, SEED);
	mark();
	join(spawn(shared_system_call, memory));
	CHECK(holds(memory, LARGE, SEED));
}

static void pins(void)
{
	static char buffer[PAGE] __attribute__((aligned(512)));
	struct iovec local = { buffer, PAGE }, remote;
	int disk = open("/dev/ram0", O_RDWR | O_DIRECT | O_CLOEXEC);
	char *memory;

	connect_petmem();
	CHECK(pipe(pipes) == 0);
	memory = new_large(1, SEED);
	for (size_t at = 0; at < LARGE; at += LARGE - PAGE) {
		remote = (struct iovec){ memory + at, PAGE };
		CHECK(vmsplice(pipes[1], &remote, 1, 0) == -1 &&
		      errno == EFAULT);
		CHECK(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
			      -1 &&
		      errno == EFAULT);
		if (disk >= 0) {
			CHECK(read(disk, memory + at, PAGE) == -1 &&
			      errno == EFAULT);
			CHECK(write(disk, memory + at, PAGE) == -1 &&
			      errno == EFAULT);
		}
	}
	CHECK(holds(memory, LARGE, SEED));
}

static void read_all(const char *path)
{
	static char buffer[64 * 1024];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return; /* not in every kernel */
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	close(fd);
}

/* Linux walks the tables, finds no page of its own, and changes nothing. */
static void walkers(void)
{
	enum { PAGEMAP_ENTRY = 8, NODE_COUNT = 2 };
	uint64_t entries[NODE_COUNT];
	void *pages[NODE_COUNT];
	int nodes[NODE_COUNT];
	unsigned char core;
	char *memory;
	int pagemap;

	connect_petmem();
	memory = new_large(1, SEED);
	mark();
	read_all("/proc/self/smaps");
	read_all("/proc/self/smaps_rollup");
	read_all("/proc/self/numa_maps");
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pagemap >= 0)
		CHECK(pread(pagemap, entries, sizeof(entries),
			    (off_t)((uintptr_t)memory / PAGE) *
				    PAGEMAP_ENTRY) == sizeof(entries));
	mincore(memory, PAGE, &core);
	pages[0] = memory;
	pages[1] = memory + LARGE - PAGE;
	syscall(SYS_move_pages, 0, NODE_COUNT, pages, NULL, nodes, 0);
	madvise(memory, LARGE, MADV_HUGEPAGE);
	madvise(memory, LARGE, MADV_DONTNEED);
	madvise(memory, LARGE, MADV_COLD);
	madvise(memory, PAGE, MADV_PAGEOUT);
	mprotect(memory, PAGE, PROT_READ);
	mlock(memory, PAGE);
	munlock(memory, PAGE);
	CHECK(grew_by(0, 0, 0));
	CHECK(holds(memory, LARGE, SEED));
}

static void stop_and_check(void *argument)
{
	char *memory = argument;

	CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	raise(SIGSTOP);
	CHECK(holds(memory + LARGE / 2 - PAGE / 2, 2 * PAGE, OTHER_SEED));
	CHECK(others_hold(memory + LARGE, SIZE_MAX, SEED));
}

/* A debugger reads and writes memory that its child shares. */
static void debugger(void)
{
	static char buffer[2 * PAGE];
	char path[32], *memory;
	off_t place;
	pid_t child;
	int mem;

	connect_petmem();
	memory = new_large(2, SEED);
	fill(memory + LARGE, LARGE, SEED);
	mark();
	child = spawn(stop_and_check, memory);
	CHECK(WIFSTOPPED(status_of(child)));
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)child);
	mem = open(path, O_RDWR | O_CLOEXEC);
	CHECK(mem >= 0);
	place = (off_t)(uintptr_t)(memory + LARGE / 2 - PAGE / 2);
	CHECK(pread(mem, buffer, sizeof(buffer), place) == sizeof(buffer));
	CHECK(memcmp(buffer, memory + LARGE / 2 - PAGE / 2, sizeof(buffer)) ==
	      0);
	CHECK(grew_by(0, 0, 0));
	fill(buffer, sizeof(buffer), OTHER_SEED);
	CHECK(pwrite(mem, buffer, sizeof(buffer), place) == sizeof(buffer));
	CHECK(grew_by(TABLES - 1, LARGE_PAGES, 1));
	CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
	join(child);
	CHECK(page_holds(memory, LARGE_PAGES / 2, SEED));
}

/* ---- Kernels without 2 MiB entries ---- */

static void first_small_touch(void)
{
	char *memory;

	connect_petmem();
	mark();
	memory = must_malloc(2 * LARGE);
	memory[LARGE / 2] = 1;
	CHECK(grew_by(TABLES, 1, 0));
	fill(memory, 2 * LARGE, SEED);
	CHECK(grew_by(TABLES + 1, 2 * LARGE_PAGES, 0));
	CHECK(holds(memory, 2 * LARGE, SEED));
	pet_free(memory);
	CHECK(grew_by(0, 0, 0));
}

/* ---- */

static const struct guest_case cases_without[] = {
	{ "a kernel without them has 4 KiB pages", first_small_touch },
	{ "PETMEM_LARGE_PAGES=0", switched_off },
	{ "PETMEM_LARGE_PAGES is 0 or 1", bad_switch },
	{ "a child inherits the switch", switched_off_for_children },
};

static const struct guest_case cases[] = {
	{ "the first touch brings 2 MiB of zeros", first_touch },
	{ "allocations are placed where they fit", alignment },
	{ "parts that do not cover 2 MiB have 4 KiB pages", head_and_tail },
	{ "a guard is not mapped", guarded },
	{ "PETMEM_LARGE_PAGES=0", switched_off },
	{ "PETMEM_LARGE_PAGES is 0 or 1", bad_switch },
	{ "a child inherits the switch", switched_off_for_children },
	{ "populating", populate },
	{ "a fragmented pool gives 4 KiB pages", fragmented_pool },
	{ "with pages in the list of another processor", listed_elsewhere },
	{ "the last 2 MiB", one_left },
	{ "the last 2 MiB, and no page for a table", one_left_without_tables },
	{ "fork shares them, and a write copies one", copies_large },
	{ "without room for a copy it is split", splits },
	{ "after a child that has split it, it is whole", whole_again },
	{ "a write without pages fails, and nobody else", out_of_pages },
	{ "parent and child free them", frees },
	{ "parent and child free split ones", frees_split },
	{ "a child outlives its parent", outlives },
	{ "a copy is seen by every processor", no_stale_translations },
	{ "a free is seen by every processor",
	  no_stale_translations_after_free },
	{ "system calls", system_calls },
	{ "system calls write to shared ones", shared_system_calls },
	{ "nothing can pin them", pins },
	{ "Linux looks at them", walkers },
	{ "debuggers", debugger },
};

int main(void)
{
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	if (!kernel_has_large_pages())
		return run_cases(cases_without, COUNT_OF(cases_without));
	return run_cases(cases, COUNT_OF(cases));
}
