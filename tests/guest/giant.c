// SPDX-License-Identifier: GPL-2.0
/*
 * giant.c - 1 GiB pages: where they are used, and that they are like other memory.
 *
 * This needs a pool with two whole aligned GiB and some more, as in tests/check. Writing
 * and comparing all of a page takes long under emulation, so most cases look at a word of
 * each 4 KiB.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "placement.h"

#define LARGE (2 * MIB)
#define LARGE_PAGES ((size_t)512)
#define GIANT_LARGES ((size_t)512)
#define GIANT_PAGES (LARGE_PAGES * GIANT_LARGES)

/* Tables that a 1 GiB page takes: a PUD table, and the PMD table behind it. */
enum { TABLES = 2 };

enum { SEED = 1, OTHER_SEED = 2, NEW_SEED = 3 };

/* ---- Are 1 GiB pages possible here? ---- */

static size_t whole_gigabytes(void)
{
	struct petmem_block block = { .index = 0 };
	uint64_t from = 0, to = 0;
	int device = open_device();
	size_t whole = 0;

	for (; ioctl(device, PETMEM_IOC_BLOCK, &block) == 0; block.index++) {
		if (block.start != to)
			from = (block.start + GIB - 1) & ~(GIB - 1);
		to = block.start + block.size;
		for (; to >= from + GIB; from += GIB)
			whole++;
	}
	CHECK(errno == ENOENT);
	close(device);
	return whole;
}

static bool processor_has_them(void)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	CHECK(file != NULL);
	while (!found && getline(&line, &size, file) > 0)
		found = strstr(line, " pdpe1gb") != NULL;
	free(line);
	fclose(file);
	return found;
}

static void connect_giant(void)
{
	if (!processor_has_them())
		skip_case("the processor has no 1 GiB pages");
	if (whole_gigabytes() < 2)
		skip_case("takes a pool with two whole GiB");
	connect_petmem();
}

/* ---- Counts compared with earlier ones ---- */

static struct petmem_status before;

static void mark(void)
{
	before = pool_status();
}

static bool grew_by(long tables, long larges, long giants)
{
	struct petmem_status now = pool_status();
	long new_tables = now.table_pages - before.table_pages;
	long new_data = now.data_pages - before.data_pages;
	long new_larges = now.large_pages - before.large_pages;
	long new_giants = now.giant_pages - before.giant_pages;

	if (new_tables == tables && new_larges == larges &&
	    new_data == larges * (long)LARGE_PAGES && new_giants == giants)
		return true;
	printf("# tables %ld, data %ld, large %ld, giant %ld\n", new_tables,
	       new_data, new_larges, new_giants);
	return false;
}

/* ---- Their contents: a word in each page ---- */

static uint64_t *word_of(char *memory, size_t page)
{
	return (uint64_t *)(memory + page * PAGE) + page % LARGE_PAGES;
}

static uint64_t word(uint64_t seed, size_t page)
{
	return (seed << 32) + page;
}

static void write_pages(char *memory, size_t first, size_t count, uint64_t seed)
{
	for (size_t page = first; page < first + count; page++)
		*word_of(memory, page) = word(seed, page);
}

/* Check every STEP-th page. STEP is odd, so that each place in 2 MiB has its turn. */
static bool pages_hold(char *memory, size_t first, size_t end, uint64_t seed)
{
	enum { STEP = 31 };

	for (size_t page = first; page < end; page += STEP)
		if (*word_of(memory, page) != word(seed, page))
			return false;
	return *word_of(memory, end - 1) == word(seed, end - 1);
}

/* Check one word about every STEP bytes. */
static bool are_zero(const char *memory)
{
	enum { STEP = 512 };

	for (size_t at = 0; at < GIB; at += STEP + sizeof(uint64_t))
		if (*(const uint64_t *)(memory + at) != 0)
			return false;
	return true;
}

static bool holds_seed(char *memory, uint64_t seed)
{
	return pages_hold(memory, 0, GIANT_PAGES, seed);
}

/* The same for all 2 MiB but number @except. */
static bool others_hold(char *memory, size_t except, uint64_t seed)
{
	return (!except || pages_hold(memory, 0, except * LARGE_PAGES, seed)) &&
	       pages_hold(memory, (except + 1) * LARGE_PAGES, GIANT_PAGES,
			  seed);
}

static void write_large(char *memory, size_t number, uint64_t seed)
{
	write_pages(memory, number * LARGE_PAGES, LARGE_PAGES, seed);
}

static bool large_holds(char *memory, size_t number, uint64_t seed)
{
	return pages_hold(memory, number * LARGE_PAGES,
			  (number + 1) * LARGE_PAGES, seed);
}

static bool is_aligned(const void *address)
{
	return (uintptr_t)address % GIB == 0;
}

/* A 1 GiB page, written with @seed. */
static char *new_giant(uint64_t seed)
{
	char *memory = must_malloc(GIB);
	struct petmem_status was = pool_status();

	CHECK(is_aligned(memory));
	CHECK(pet_populate(memory, GIB) == 0);
	CHECK(pool_status().giant_pages == was.giant_pages + 1);
	write_pages(memory, 0, GIANT_PAGES, seed);
	return memory;
}

/* ---- Where they are used ---- */

static void mapped_ahead(void)
{
	char *memory;

	connect_giant();
	mark();
	/* Write both GiB of the pool: the page that is checked later is a used one. */
	memory = must_malloc(2 * GIB);
	CHECK(is_aligned(memory));
	CHECK(pet_populate(memory, 2 * GIB) == 0);
	CHECK(grew_by(TABLES + 1, 2 * GIANT_LARGES, 2));
	write_pages(memory, 0, 2 * GIANT_PAGES, SEED);
	CHECK(pages_hold(memory, 0, 2 * GIANT_PAGES, SEED));
	CHECK(grew_by(TABLES + 1, 2 * GIANT_LARGES, 2));
	pet_free(memory);
	CHECK(faults(memory, READ) && faults(memory + 2 * GIB - 1, READ));
	CHECK(grew_by(0, 0, 0));
	memory = must_malloc(GIB);
	CHECK(pet_populate(memory, GIB) == 0);
	CHECK(are_zero(memory));
	CHECK(grew_by(TABLES, GIANT_LARGES, 1));
}

static void by_environment(void)
{
	char *memory;

	CHECK(setenv("PETMEM_POPULATE", "1", 1) == 0);
	connect_giant();
	must_malloc(PAGE);
	mark();
	memory = must_malloc(GIB + LARGE);
	CHECK(is_aligned(memory));
	/* The PUD table was there; the rest has a PMD table of its own. */
	CHECK(grew_by(2, GIANT_LARGES + 1, 1));
	memory[GIB + LARGE - 1] = 1;
	pet_free(memory);
	CHECK(grew_by(0, 0, 0));
}

static void not_by_a_fault(void)
{
	char *memory;

	connect_giant();
	memory = must_malloc(GIB);
	mark();
	memory[GIB / 2] = 1;
	CHECK(grew_by(TABLES, 1, 0));
	/* None is used where something is mapped already, either. */
	CHECK(pet_populate(memory, GIB) == 0);
	CHECK(grew_by(TABLES, GIANT_LARGES, 0));
	CHECK(memory[GIB / 2] == 1);
}

static void only_whole_ones(void)
{
	char *memory;

	connect_giant();
	CHECK(is_aligned(must_malloc(GIB - LARGE)));
	/* The hole before it is too small. */
	memory = must_malloc(GIB);
	CHECK(is_aligned(memory));
	mark();
	CHECK(pet_populate(memory, GIB - PAGE) == 0);
	CHECK(grew_by(TABLES, GIANT_LARGES, 0));
	pet_free(memory);
	mark();
	CHECK(pet_populate(memory - LARGE, LARGE) == -1 && errno == EFAULT);
	pet_guard(1);
	memory = must_malloc(GIB - PAGE);
	CHECK(is_aligned(memory));
	CHECK(pet_populate(memory, GIB - PAGE) == 0);
	CHECK(pool_status().giant_pages == before.giant_pages);
	CHECK(faults(memory + GIB - PAGE, WRITE));
}

static void switched_off(void)
{
	char *memory;

	connect_giant();
	CHECK(pet_large_pages(0) == 0);
	must_malloc(PAGE);
	memory = must_malloc(GIB);
	CHECK(!is_aligned(memory));
	mark();
	CHECK(pet_populate(memory, 8 * MIB) == 0);
	CHECK(pool_status().large_pages == before.large_pages);
	CHECK(pool_status().giant_pages == before.giant_pages);
}

/* Small pages and tables come from elsewhere. */
static void small_pages_beside_them(void)
{
	char *memory, *small;

	connect_giant();
	small = must_malloc(4 * MIB);
	CHECK(pet_large_pages(0) == 0);
	CHECK(pet_populate(small, 4 * MIB) == 0);
	CHECK(pet_large_pages(1) == 0);
	mark();
	memory = must_malloc(2 * GIB);
	CHECK(pet_populate(memory, 2 * GIB) == 0);
	CHECK(grew_by(TABLES, 2 * GIANT_LARGES, 2));
}

/* ---- A pool without 1 GiB pages ---- */

/* Take all free memory except @left bytes, in smaller pages. */
static char *take_all_but(size_t left)
{
	size_t size = pool_status().free_pages * PAGE - left;
	char *memory = must_malloc(GIB);

	size -= size % LARGE;
	CHECK(size < GIB);
	CHECK(pet_populate(memory, size) == 0);
	return memory;
}

/* Take some of each whole GiB. The pool gives it only when all else is taken. */
static void none_is_whole(void)
{
	char *memory, *taken;

	connect_giant();
	memory = new_giant(SEED);
	taken = take_all_but(GIB / 2);
	pet_free(memory);
	take_all_but(GIB - 128 * MIB);
	pet_free(taken);
	memory = must_malloc(GIB);
	mark();
	CHECK(pet_populate(memory, GIB) == 0);
	CHECK(pool_status().giant_pages == before.giant_pages);
	CHECK(pool_status().data_pages - before.data_pages == GIANT_PAGES);
	CHECK(*word_of(memory, 0) == 0 &&
	      *word_of(memory, GIANT_PAGES - 1) == 0);
	write_pages(memory, 0, GIANT_PAGES, SEED);
	CHECK(holds_seed(memory, SEED));
}

/* Leave the pool 1 GiB, once the result is freed, and @left other pages. */
static char *leave_giant(size_t left)
{
	char *giant = new_giant(SEED), *rest;
	size_t whole;

	whole = (pool_status().free_pages - left) / LARGE_PAGES - 4;
	rest = must_malloc(whole * LARGE);
	CHECK(pet_populate(rest, whole * LARGE) == 0);
	CHECK(pet_large_pages(0) == 0);
	CHECK(left > 0);
	/* The PMD table of the result comes back, too. */
	leave_free(left - 1);
	CHECK(pet_large_pages(1) == 0);
	return giant;
}

static void one_left(void)
{
	char *memory;

	connect_giant();
	memory = leave_giant(1);
	pet_free(memory);
	CHECK(pool_status().free_pages == GIANT_PAGES + 1);
	memory = must_malloc(GIB);
	mark();
	CHECK(pet_populate(memory, GIB) == 0);
	CHECK(grew_by(1, GIANT_LARGES, 1));
	CHECK(pool_status().free_pages == 0);
	CHECK(*word_of(memory, 7) == 0);
	CHECK(pet_populate(must_malloc(PAGE), PAGE) == -1 && errno == ENOMEM);
}

/* The same without a page for a table: smaller pages have to do, and fewer. */
static void one_left_without_tables(void)
{
	char *memory, *small;

	connect_giant();
	CHECK(pet_large_pages(0) == 0);
	small = must_malloc(2 * PAGE);
	small[0] = 1;
	CHECK(pet_large_pages(1) == 0);
	memory = leave_giant(1);
	pet_free(memory);
	/* This takes the page that was its PMD table. */
	small[PAGE] = 1;
	CHECK(pool_status().free_pages == GIANT_PAGES);
	memory = must_malloc(GIB);
	mark();
	CHECK(pet_populate(memory, GIB) == -1 && errno == ENOMEM);
	CHECK(pool_status().giant_pages == before.giant_pages);
	CHECK(pool_status().free_pages == 0);
	pet_free(memory);
	CHECK(pool_status().data_pages == before.data_pages);
}

#define FAMILY_LIMIT "/sys/module/petmem/parameters/max_family_pages"

static void limited(void)
{
	char *memory;

	connect_giant();
	memory = must_malloc(GIB);
	mark();
	/* The limit allows two 2 MiB pages and their tables. */
	CHECK(write_file(FAMILY_LIMIT, "1026") == 0);
	CHECK(pet_populate(memory, GIB) == -1 && errno == ENOMEM);
	CHECK(write_file(FAMILY_LIMIT, "0") == 0);
	CHECK(pool_status().data_pages - before.data_pages == 1024);
	pet_free(memory);
	CHECK(grew_by(0, 0, 0));
	/* Refused pages are not charged. */
	CHECK(write_file(FAMILY_LIMIT, "262146") == 0);
	memory = must_malloc(GIB);
	CHECK(pet_populate(memory, GIB) == 0);
	CHECK(grew_by(TABLES, GIANT_LARGES, 1));
	CHECK(write_file(FAMILY_LIMIT, "0") == 0);
}

static void blocks_in_use(void)
{
	struct petmem_block block = { .index = 0 };
	struct petmem_extent extent;
	int device;
	char *memory;

	connect_giant();
	device = open_device();
	memory = new_giant(SEED);
	CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	while (block.free_pages) {
		block.index++;
		CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	}
	extent = (struct petmem_extent){ block.start, block.size };
	CHECK(ioctl(device, PETMEM_IOC_RELEASE, &extent) == -1 &&
	      errno == EBUSY);
	pet_free(memory);
	CHECK(ioctl(device, PETMEM_IOC_RELEASE, &extent) == 0);
	/* Its GiB is not whole now. */
	memory = must_malloc(2 * GIB);
	mark();
	CHECK(pet_populate(memory, GIB) == 0);
	CHECK(grew_by(TABLES, GIANT_LARGES, 1));
	CHECK(pet_populate(memory + GIB, 512 * MIB) == 0);
	CHECK(pool_status().giant_pages == before.giant_pages + 1);
	pet_free(memory);
	CHECK(ioctl(device, PETMEM_IOC_DONATE, &extent) == 0);
	CHECK(pet_populate(must_malloc(2 * GIB), GIB) == 0);
}

/* ---- Copy-on-write ---- */

static struct gate to_child, to_parent;

static void open_gates(void)
{
	to_child = new_gate();
	to_parent = new_gate();
}

/* The child's page becomes a PUD table, a PMD table and a copy of 2 MiB. */
static void write_one(void *argument)
{
	char *memory = argument;

	CHECK(holds_seed(memory, SEED));
	CHECK(grew_by(0, 0, 0));
	write_large(memory, 3, OTHER_SEED);
	CHECK(grew_by(TABLES, 1, 0));
	CHECK(others_hold(memory, 3, SEED));
	CHECK(large_holds(memory, 3, OTHER_SEED));
	pass(&to_parent);
	await(&to_child);
	CHECK(others_hold(memory, 3, SEED));
	CHECK(large_holds(memory, 3, OTHER_SEED));
}

static void writes_of_both(void)
{
	char *memory;
	pid_t child;

	connect_giant();
	open_gates();
	memory = new_giant(SEED);
	mark();
	child = spawn(write_one, memory);
	await(&to_parent);
	CHECK(holds_seed(memory, SEED));
	/* The parent's page is split: number 3 is its own now, number 5 is copied. */
	write_large(memory, 3, NEW_SEED);
	CHECK(grew_by(TABLES, 1, -1));
	write_large(memory, 5, NEW_SEED);
	CHECK(grew_by(TABLES, 2, -1));
	CHECK(large_holds(memory, 3, NEW_SEED));
	CHECK(large_holds(memory, 5, NEW_SEED));
	CHECK(large_holds(memory, 4, SEED));
	pass(&to_child);
	join(child);
	CHECK(grew_by(0, 0, -1));
	write_pages(memory, 0, GIANT_PAGES, NEW_SEED);
	CHECK(grew_by(0, 0, -1));
	CHECK(holds_seed(memory, NEW_SEED));
	pet_free(memory);
	CHECK(grew_by(-TABLES, -GIANT_LARGES, -1));
}

static void read_only(void *argument)
{
	CHECK(holds_seed(argument, SEED));
}

static void write_and_end(void *argument)
{
	write_large(argument, 9, OTHER_SEED);
	CHECK(large_holds(argument, 9, OTHER_SEED));
}

/* The last owner writes without a copy, but its 1 GiB page is split. */
static void last_owner(void)
{
	char *memory;

	connect_giant();
	memory = new_giant(SEED);
	mark();
	join(spawn(read_only, memory));
	CHECK(grew_by(0, 0, 0));
	write_large(memory, 1, OTHER_SEED);
	CHECK(grew_by(0, 0, -1));
	join(spawn(write_and_end, memory));
	write_pages(memory, 0, GIANT_PAGES, NEW_SEED);
	CHECK(grew_by(0, 0, -1));
	CHECK(holds_seed(memory, NEW_SEED));
}

enum { GENERATIONS = 6 };

/* Each process writes 2 MiB of its own, then forks. All see their own contents. */
static void generation(char *memory, size_t number)
{
	pid_t child;

	write_large(memory, number, OTHER_SEED + number);
	if (number + 1 < GENERATIONS) {
		child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			generation(memory, number + 1);
			_exit(EXIT_SUCCESS);
		}
		write_large(memory, GENERATIONS + number, NEW_SEED);
		join(child);
	}
	for (size_t i = 0; i <= number; i++)
		CHECK(large_holds(memory, i, OTHER_SEED + i));
	CHECK(large_holds(memory, number + 1, SEED));
	CHECK(large_holds(memory, GENERATIONS + number,
			  number + 1 < GENERATIONS ? NEW_SEED : SEED));
	CHECK(pages_hold(memory, LARGE_PAGES * 2 * GENERATIONS, GIANT_PAGES,
			 SEED));
}

static void generations(void)
{
	char *memory;

	connect_giant();
	memory = new_giant(SEED);
	generation(memory, 0);
}

static void free_in_child(void *argument)
{
	pet_free(argument);
	CHECK(faults(argument, READ));
	pass(&to_parent);
	await(&to_child);
}

static void keep(void *argument)
{
	await(&to_child);
	CHECK(holds_seed(argument, SEED));
	write_large(argument, 0, OTHER_SEED);
	CHECK(others_hold(argument, 0, SEED));
}

static void frees(void)
{
	char *memory;
	pid_t child;

	connect_giant();
	open_gates();
	memory = new_giant(SEED);
	mark();
	child = spawn(free_in_child, memory);
	await(&to_parent);
	CHECK(holds_seed(memory, SEED));
	pass(&to_child);
	join(child);
	CHECK(grew_by(0, 0, 0));
	child = spawn(keep, memory);
	pet_free(memory);
	CHECK(faults(memory, READ));
	pass(&to_child);
	join(child);
	CHECK(grew_by(-TABLES, -GIANT_LARGES, -1));
}

/* Two 1 GiB pages below one PUD table: only the one that is written is split. */
static void write_second(void *argument)
{
	char *memory = argument;

	write_large(memory + GIB, 2, OTHER_SEED);
	/* The child has a copy of the parent's entry of the first one. */
	CHECK(grew_by(TABLES, 1, 1));
	CHECK(holds_seed(memory, SEED));
	CHECK(others_hold(memory + GIB, 2, NEW_SEED));
	pet_free(memory);
	CHECK(grew_by(0, 0, 0));
}

static void two_of_them(void)
{
	char *memory;

	connect_giant();
	memory = must_malloc(2 * GIB);
	CHECK(pet_populate(memory, 2 * GIB) == 0);
	write_pages(memory, 0, GIANT_PAGES, SEED);
	write_pages(memory + GIB, 0, GIANT_PAGES, NEW_SEED);
	mark();
	join(spawn(write_second, memory));
	CHECK(grew_by(0, 0, 0));
	CHECK(holds_seed(memory, SEED));
	CHECK(holds_seed(memory + GIB, NEW_SEED));
}

/* ---- The end of a process ---- */

static void populate_all(void *argument)
{
	(void)argument;
	connect_petmem();
	pass(&to_parent);
	for (;;) {
		char *memory = must_malloc(GIB);

		CHECK(pet_populate(memory, GIB) == 0);
		pet_free(memory);
	}
}

/* Kill at different moments, most likely in the middle of clearing. */
static void killed(void)
{
	enum { TIMES = 4, STEP = 150000 };

	connect_giant();
	open_gates();
	mark();
	for (useconds_t i = 0; i < TIMES; i++) {
		pid_t child = spawn(populate_all, NULL);
		int status;

		await(&to_parent);
		usleep(i * STEP);
		CHECK(kill(child, SIGKILL) == 0);
		status = status_of(child);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		CHECK(grew_by(0, 0, 0));
	}
}

/* ---- Every processor sees the same ---- */

static atomic_int stage;
static char *watched;

static void *watch(void *unused)
{
	volatile char *far = watched + GIB - PAGE;

	(void)unused;
	CHECK(run_on_cpu(1));
	CHECK(*far == 1);
	atomic_store(&stage, 1);
	while (atomic_load(&stage) != 2)
		(void)*far;
	CHECK(*far == 2);
	atomic_store(&stage, 3);
	while (atomic_load(&stage) != 4)
		;
	CHECK(*far == 0);
	return NULL;
}

static void wait_for_parent(void *argument)
{
	char *memory = argument;

	await(&to_child);
	CHECK(memory[GIB - PAGE] == 1);
}

static void no_stale_translations(void)
{
	pthread_t watcher;
	pid_t child;

	if (!run_on_cpu(1) || !run_on_cpu(0))
		skip_case("takes two CPUs");
	connect_giant();
	open_gates();
	watched = must_malloc(GIB);
	CHECK(pet_populate(watched, GIB) == 0);
	watched[GIB - PAGE] = 1;
	child = spawn(wait_for_parent, watched);
	CHECK(pthread_create(&watcher, NULL, watch, NULL) == 0);
	while (atomic_load(&stage) != 1)
		;
	watched[GIB - PAGE] = 2;
	atomic_store(&stage, 2);
	while (atomic_load(&stage) != 3)
		;
	pass(&to_child);
	join(child);
	pet_free(watched);
	CHECK(must_malloc(GIB) == watched);
	atomic_store(&stage, 4);
	CHECK(pthread_join(watcher, NULL) == 0);
}

/* ---- The kernel's accesses ---- */

static int pipes[2];

static void system_calls(void)
{
	static char seen[PAGE];
	char *memory, *middle;

	connect_giant();
	CHECK(pipe(pipes) == 0);
	memory = new_giant(SEED);
	middle = memory + GIB / 2 + LARGE - 9;
	mark();
	fill(seen, PAGE, SEED);
	CHECK(write(pipes[1], seen, PAGE) == (ssize_t)PAGE);
	CHECK(read(pipes[0], middle, PAGE) == (ssize_t)PAGE);
	CHECK(holds(middle, PAGE, SEED));
	CHECK(write(pipes[1], middle, PAGE) == (ssize_t)PAGE);
	memset(seen, 0, PAGE);
	CHECK(read(pipes[0], seen, PAGE) == (ssize_t)PAGE);
	CHECK(holds(seen, PAGE, SEED));
	CHECK(grew_by(0, 0, 0));
}

static void shared_system_call(void *argument)
{
	char *memory = argument;
	static char incoming[PAGE];

	fill(incoming, PAGE, OTHER_SEED);
	CHECK(write(pipes[1], incoming, PAGE) == (ssize_t)PAGE);
	CHECK(read(pipes[0], memory + GIB / 2, PAGE) == (ssize_t)PAGE);
	CHECK(holds(memory + GIB / 2, PAGE, OTHER_SEED));
	CHECK(grew_by(TABLES, 1, 0));
}

static void shared_system_calls(void)
{
	char *memory;

	choose_mode(NATIVE);
	connect_giant();
	CHECK(pipe(pipes) == 0);
	memory = new_giant(SEED);
	mark();
	join(spawn(shared_system_call, memory));
	CHECK(grew_by(0, 0, 0));
	CHECK(holds_seed(memory, SEED));
}

static void pins(void)
{
	static char buffer[PAGE] __attribute__((aligned(512)));
	struct iovec local = { buffer, PAGE }, remote;
	int disk = open("/dev/ram0", O_RDWR | O_DIRECT | O_CLOEXEC);
	char *memory;

	connect_giant();
	CHECK(pipe(pipes) == 0);
	memory = new_giant(SEED);
	mark();
	for (size_t at = 0; at < GIB; at += GIB - PAGE) {
		remote = (struct iovec){ memory + at, PAGE };
		CHECK(vmsplice(pipes[1], &remote, 1, 0) == -1 &&
		      errno == EFAULT);
		CHECK(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
			      -1 &&
		      errno == EFAULT);
		if (disk < 0)
			continue;
		CHECK(read(disk, memory + at, PAGE) == -1 && errno == EFAULT);
		CHECK(write(disk, memory + at, PAGE) == -1 && errno == EFAULT);
	}
	CHECK(grew_by(0, 0, 0));
	CHECK(holds_seed(memory, SEED));
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

/* A call that looks at one address leaves the page as it is. */
static void look_at_pages(char *memory)
{
	enum { PAGEMAP_ENTRY = 8, NODE_COUNT = 2 };
	uint64_t entries[NODE_COUNT];
	void *pages[NODE_COUNT] = { memory, memory + GIB - PAGE };
	int nodes[NODE_COUNT];
	unsigned char core;
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (pagemap >= 0)
		CHECK(pread(pagemap, entries, sizeof(entries),
			    (off_t)((uintptr_t)memory / PAGE) *
				    PAGEMAP_ENTRY) == sizeof(entries));
	mincore(memory, PAGE, &core);
	syscall(SYS_move_pages, 0, NODE_COUNT, pages, NULL, nodes, 0);
	madvise(memory, GIB, MADV_HUGEPAGE);
	madvise(memory, GIB, MADV_DONTNEED);
	madvise(memory, GIB, MADV_COLD);
	madvise(memory, PAGE, MADV_PAGEOUT);
	mprotect(memory, PAGE, PROT_READ);
	mlock(memory, PAGE);
	munlock(memory, PAGE);
	CHECK(write_file("/proc/self/clear_refs", "4") == 0);
}

/* Linux's walks of the tables may split the page, but lose nothing. */
static void walkers(void)
{
	char *memory;

	connect_giant();
	memory = new_giant(SEED);
	mark();
	look_at_pages(memory);
	CHECK(grew_by(0, 0, 0));
	read_all("/proc/self/smaps");
	read_all("/proc/self/smaps_rollup");
	read_all("/proc/self/numa_maps");
	CHECK(grew_by(0, 0, 0) || grew_by(0, 0, -1));
	CHECK(holds_seed(memory, SEED));
	write_pages(memory, 0, GIANT_PAGES, OTHER_SEED);
	CHECK(grew_by(0, 0, 0) || grew_by(0, 0, -1));
	look_at_pages(memory);
	CHECK(holds_seed(memory, OTHER_SEED));
	pet_free(memory);
	CHECK(pool_status().large_pages == before.large_pages - GIANT_LARGES);
}

/* Programs ask Linux to place it on NUMA nodes, alone and with a relative. */
static void placed_by(void *argument)
{
	place_all(argument, GIB);
	CHECK(holds_seed(argument, SEED));
}

static void placed(void)
{
	char *memory;

	connect_giant();
	memory = new_giant(SEED);
	mark();
	place_all(memory, GIB);
	join(spawn(placed_by, memory));
	CHECK(pool_status().large_pages == before.large_pages);
	CHECK(holds_seed(memory, SEED));
	write_pages(memory, 0, GIANT_PAGES, OTHER_SEED);
	CHECK(holds_seed(memory, OTHER_SEED));
}

static void look_and_write(void *argument)
{
	char *memory = argument;

	read_all("/proc/self/smaps");
	CHECK(holds_seed(memory, SEED));
	write_large(memory, 4, OTHER_SEED);
	CHECK(others_hold(memory, 4, SEED));
}

/* A child that walks and writes splits a page that it shares with its parent. */
static void walkers_of_shared_ones(void)
{
	char *memory;

	connect_giant();
	memory = new_giant(SEED);
	mark();
	join(spawn(look_and_write, memory));
	CHECK(holds_seed(memory, SEED));
	read_all("/proc/self/smaps");
	write_pages(memory, 0, GIANT_PAGES, NEW_SEED);
	CHECK(holds_seed(memory, NEW_SEED));
	CHECK(pool_status().large_pages == before.large_pages);
}

static atomic_bool done;

static void *look_on(void *unused)
{
	(void)unused;
	while (!atomic_load(&done))
		read_all("/proc/self/smaps");
	return NULL;
}

/* 1 GiB pages come and go while a thread looks at the tables. */
static void looked_at_meanwhile(void)
{
	enum { TIMES = 6 };
	pthread_t looker;

	connect_giant();
	CHECK(pthread_create(&looker, NULL, look_on, NULL) == 0);
	for (size_t i = 0; i < TIMES; i++) {
		char *memory = must_malloc(GIB);

		CHECK(pet_populate(memory, GIB) == 0);
		CHECK(*word_of(memory, i) == 0);
		write_large(memory, i, SEED);
		CHECK(large_holds(memory, i, SEED));
		pet_free(memory);
	}
	atomic_store(&done, true);
	CHECK(pthread_join(looker, NULL) == 0);
}

static void stay(void *argument)
{
	char *memory = argument;

	pass(&to_parent);
	await(&to_child);
	CHECK(holds(memory + GIB / 2 - PAGE, 2 * PAGE, OTHER_SEED));
	CHECK(large_holds(memory, 1, SEED));
}

static void debugger(void)
{
	static char buffer[2 * PAGE];
	char path[32], *memory;
	off_t place;
	pid_t child;
	int mem;

	connect_giant();
	open_gates();
	memory = new_giant(SEED);
	mark();
	child = spawn(stay, memory);
	await(&to_parent);
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)child);
	mem = open(path, O_RDWR | O_CLOEXEC);
	CHECK(mem >= 0);
	place = (off_t)(uintptr_t)(memory + GIB / 2 - PAGE);
	CHECK(pread(mem, buffer, sizeof(buffer), place) == sizeof(buffer));
	CHECK(memcmp(buffer, memory + GIB / 2 - PAGE, sizeof(buffer)) == 0);
	CHECK(grew_by(0, 0, 0));
	fill(buffer, sizeof(buffer), OTHER_SEED);
	CHECK(pwrite(mem, buffer, sizeof(buffer), place) == sizeof(buffer));
	/* One page in each of two 2 MiB pages. */
	CHECK(grew_by(TABLES, 2, 0));
	pass(&to_child);
	join(child);
	CHECK(holds_seed(memory, SEED));
}

/* ---- How they are shown ---- */

static void shown_shared(void *argument)
{
	struct petmem_span span = { .addr = (uintptr_t)argument };
	int device = open_device();

	CHECK(ioctl(device, PETMEM_IOC_SPAN, &span) == 0);
	CHECK(span.kind == PETMEM_SPAN_GIANT_SHARED && span.size == GIB);
}

/* Then the parent is the only owner of the first 2 MiB, but not of the others. */
static void write_first(void *argument)
{
	*(char *)argument = 1;
	pass(&to_parent);
	await(&to_child);
}

static void shown(void)
{
	enum { SHIFT = 30 };
	struct petmem_process_info info = { .pid = 0 };
	struct petmem_walk way;
	struct petmem_span span;
	int device = open_device();
	char *memory;
	pid_t child;

	connect_giant();
	memory = new_giant(SEED);
	walk(0, memory + LARGE + 5, &way);
	CHECK(way.level[way.nr - 1].kind == PETMEM_WALK_PAGE);
	CHECK(way.level[way.nr - 1].shift == SHIFT);
	CHECK(way.level[way.nr - 1].refs == 1);
	span = (struct petmem_span){ .addr = (uintptr_t)memory };
	CHECK(ioctl(device, PETMEM_IOC_SPAN, &span) == 0);
	CHECK(span.kind == PETMEM_SPAN_GIANT && span.size == GIB);
	CHECK(ioctl(device, PETMEM_IOC_PROCESS, &info) == 0);
	CHECK(info.mapped_pages == GIANT_PAGES);
	/* One more for the PUD table, and one for the PMD table behind the page. */
	CHECK(info.family_pages == GIANT_PAGES + 2);
	join(spawn(shown_shared, memory));
	open_gates();
	child = spawn(write_first, memory);
	await(&to_parent);
	shown_shared(memory);
	pass(&to_child);
	join(child);
}

/* ---- Populating beside a fork ---- */

static atomic_bool populated_enough;

/* Each call checks whether 1 GiB fits, and fails because of the limit. */
static void *populate_in_vain(void *memory)
{
	while (!populated_enough)
		CHECK(pet_populate(memory, GIB) == -1 && errno == ENOMEM);
	return NULL;
}

/* A fork with native faults takes the page tables out for a moment. */
static void populate_and_fork(void)
{
	pthread_t thread;
	char *memory;

	choose_mode(NATIVE);
	connect_giant();
	memory = must_malloc(GIB);
	CHECK(write_file(FAMILY_LIMIT, "1") == 0);
	populated_enough = false;
	CHECK(pthread_create(&thread, NULL, populate_in_vain, memory) == 0);
	for (unsigned int i = 0; i < rounds(400); i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0)
			_exit(EXIT_SUCCESS);
		join(child);
	}
	populated_enough = true;
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(write_file(FAMILY_LIMIT, "0") == 0);
}

static const struct guest_case cases[] = {
	{ "mapped ahead, 1 GiB of zeros is one page", mapped_ahead },
	{ "PETMEM_POPULATE=1", by_environment },
	{ "a fault never brings one", not_by_a_fault },
	{ "parts that do not cover 1 GiB have 2 MiB pages", only_whole_ones },
	{ "none where large pages are off", switched_off },
	{ "small pages come from elsewhere", small_pages_beside_them },
	{ "a fragmented pool gives 2 MiB pages", none_is_whole },
	{ "the last 1 GiB", one_left },
	{ "the last 1 GiB, and no page for a table", one_left_without_tables },
	{ "a limit", limited },
	{ "blocks are held as long as one is in them", blocks_in_use },
	{ "fork shares them, and writes copy 2 MiB", writes_of_both },
	{ "the last owner keeps it", last_owner },
	{ "many generations", generations },
	{ "parent and child free them", frees },
	{ "only the written one of two pages is split", two_of_them },
	{ "killed while it is mapped", killed },
	{ "copy and free are seen by every processor", no_stale_translations },
	{ "system calls", system_calls },
	{ "system calls write to shared ones", shared_system_calls },
	{ "nothing can pin them", pins },
	{ "Linux looks at them", walkers },
	{ "mbind, migrate_pages, move_pages", placed },
	{ "Linux looks at shared ones", walkers_of_shared_ones },
	{ "Linux looks while they come and go", looked_at_meanwhile },
	{ "debuggers", debugger },
	{ "they are shown", shown },
	{ "populated while the process forks", populate_and_fork },
};

int main(void)
{
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	return run_cases(cases, COUNT_OF(cases));
}
