// SPDX-License-Identifier: GPL-2.0
/* cleaner.c - free pages are cleared ahead, and nothing else changes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

/* The limit for clearing the whole pool: much longer than it takes. */
enum { LIMIT_S = 120, LOOK_AGAIN_US = 10000 };

/* Longer than the cleaner waits before it begins. */
enum { IDLE_US = 500000 };

enum { SEED = 1 };

/* Some free pages, much fewer than 2 MiB have. */
enum { LEFT = 16 };

static struct gate to_parent, to_child;

#define SIZE (8 * MIB)

static bool is_all_clean(void)
{
	struct petmem_status status = pool_status();

	return status.clean_pages == status.free_pages;
}

static void await_clean(void)
{
	time_t end = time(NULL) + LIMIT_S;

	while (!is_all_clean()) {
		CHECK(time(NULL) < end);
		usleep(LOOK_AGAIN_US);
	}
}

static void dirty_some(size_t size)
{
	char *memory = must_malloc(size);

	fill(memory, size, SEED);
	pet_free(memory);
}

/* ---- */

static void clears(void)
{
	char *memory;

	connect_petmem();
	set_clearing(true);
	dirty_some(SIZE);
	await_clean();
	memory = must_malloc(SIZE);
	CHECK(is_zero(memory, SIZE));
	CHECK(is_all_clean());
	pet_free(memory);
	await_clean();
}

static void clears_large(void)
{
	char *memory;

	connect_petmem();
	CHECK(pet_large_pages(1) == 0);
	set_clearing(true);
	dirty_some(SIZE);
	await_clean();
	memory = must_malloc(SIZE);
	CHECK(is_zero(memory, SIZE));
	CHECK(is_all_clean());
}

/* Some 4 KiB pages of a 2 MiB page are clean. */
static void clears_the_rest(void)
{
	enum { PAGES = 1000 };
	char *memory;

	connect_petmem();
	set_clearing(true);
	await_clean();
	set_clearing(false);
	dirty_some(PAGES * PAGE);
	CHECK(!is_all_clean());
	CHECK(pet_large_pages(1) == 0);
	memory = must_malloc(SIZE);
	for (size_t i = 0; i < SIZE; i += MIB)
		CHECK(is_zero(memory + i, MIB));
	set_clearing(true);
}

/* The child's write splits the page, since there is no room for a copy of all of it. */
static void keep_split(void *argument)
{
	char *memory = argument;

	fill(memory + 3 * PAGE, PAGE, SEED + 1);
	pass(&to_parent);
	await(&to_child);
}

/*
 * A 2 MiB page is taken clean and written to. When only one page of it becomes free, that page
 * is not clean any more.
 */
static void part_of_large(void)
{
	struct petmem_status status;
	char *memory, *rest;
	pid_t child;

	if (!kernel_has_large_pages())
		skip_case("no 2 MiB pages");
	connect_petmem();
	to_parent = new_gate();
	to_child = new_gate();
	await_clean();
	set_clearing(false);
	CHECK(pet_large_pages(1) == 0);
	memory = must_malloc(2 * MIB);
	fill(memory, 2 * MIB, SEED);
	CHECK(pool_status().large_pages == 1);
	CHECK(pet_large_pages(0) == 0);
	rest = must_malloc(LEFT * PAGE);
	rest[0] = 1;
	leave_free(LEFT);
	child = spawn(keep_split, memory);
	await(&to_parent);
	/* Now the tables for the rest are the parent's own. */
	rest[0] = 2;
	pet_free(memory);
	status = pool_status();
	CHECK(status.large_pages == 0 && status.free_pages < LEFT);
	for (size_t page = 1; page <= status.free_pages; page++)
		CHECK(is_zero(rest + page * PAGE, PAGE));
	CHECK(pool_status().free_pages == 0);
	pass(&to_child);
	join(child);
	set_clearing(true);
}

/* The cleaner never begins, as if it had no time. A page is cleared when it is taken. */
static void switched_off(void)
{
	struct petmem_status before, after;
	char *memory;

	connect_petmem();
	set_clearing(true);
	await_clean();
	set_clearing(false);
	dirty_some(SIZE);
	before = pool_status();
	CHECK(before.clean_pages <= before.free_pages - SIZE / PAGE);
	usleep(IDLE_US);
	after = pool_status();
	CHECK(after.clean_pages == before.clean_pages);
	memory = must_malloc(SIZE);
	CHECK(is_zero(memory, SIZE));
	pet_free(memory);
	/* The cleaner goes on, although nothing is freed any more. */
	set_clearing(true);
	await_clean();
}

/* Take, check, write and give back pages while the cleaner works on them. */
static void *take_and_give(void *argument)
{
	enum { PAGES = 200 };

	for (size_t i = 0; i < rounds(100); i++) {
		char *memory = must_malloc(PAGES * PAGE);

		CHECK(is_zero(memory, PAGES * PAGE));
		fill(memory, PAGES * PAGE, (uintptr_t)argument + i);
		CHECK(holds(memory, PAGES * PAGE, (uintptr_t)argument + i));
		pet_free(memory);
	}
	return NULL;
}

static void beside_it(void)
{
	enum { THREADS = 3 };
	pthread_t threads[THREADS];

	connect_petmem();
	CHECK(pet_fault_around(64) == 0);
	set_clearing(true);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, take_and_give,
				     (void *)(i * 1000)) == 0);
	for (size_t i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	await_clean();
}

/* A block that is released while it is being cleared is left alone afterwards. */
static void released(void)
{
	int device = open_device();

	set_clearing(true);
	for (unsigned int i = 0; i < rounds(30); i++) {
		struct petmem_block block = { .index = 0 };
		struct petmem_extent extent;

		CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
		extent = (struct petmem_extent){ block.start, block.size };
		CHECK(ioctl(device, PETMEM_IOC_RELEASE, &extent) == 0);
		CHECK(ioctl(device, PETMEM_IOC_DONATE, &extent) == 0);
		CHECK(!is_all_clean());
		usleep(i * LOOK_AGAIN_US);
	}
	await_clean();
}

/* The cleaner thread's number, found by its name. */
static int cleaner_pid(void)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	CHECK(proc != NULL);
	while ((entry = readdir(proc)) != NULL) {
		char path[300], name[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (file == NULL)
			continue;
		if (fgets(name, sizeof(name), file) == NULL)
			name[0] = '\0';
		fclose(file);
		if (strcmp(name, "petmem_cleaner\n") == 0)
			return atoi(entry->d_name);
	}
	return 0;
}

/* How often the thread has begun to wait. */
static long waits_of(int pid)
{
	char path[64], line[256];
	long switches = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file) != NULL)
		sscanf(line, "voluntary_ctxt_switches: %ld", &switches);
	fclose(file);
	return switches;
}

static void sleeps(void)
{
	enum { LOWEST_PRIORITY = 19 };
	int pid = cleaner_pid();
	long waits;

	connect_petmem();
	set_clearing(true);
	await_clean();
	CHECK(pid > 0 && getpriority(PRIO_PROCESS, pid) == LOWEST_PRIORITY);
	usleep(IDLE_US);
	waits = waits_of(pid);
	CHECK(waits > 0);
	usleep(IDLE_US);
	CHECK(waits_of(pid) == waits);
}

static const struct guest_case cases[] = {
	{ "free pages are cleared", clears },
	{ "and 2 MiB pages", clears_large },
	{ "2 MiB of which some is clean", clears_the_rest },
	{ "a part of 2 MiB that was clean", part_of_large },
	{ "without it all is zeros, too", switched_off },
	{ "threads beside it", beside_it },
	{ "a block is released while it is cleared", released },
	{ "it sleeps when all is clean", sleeps },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
