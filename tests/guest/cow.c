// SPDX-License-Identifier: GPL-2.0
/*
 * cow.c - copy-on-write with writers in different orders and places. Each process
 * sees its own writes and nobody else's.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "view.h"

/* Begin with adjacent pages that hold a pattern. */
static void begin_with(size_t pages)
{
	connect_petmem();
	open_gates();
	view_add_pages(must_malloc(pages * PAGE), pages);
	view_write_all(SEEDS);
}

/* ---- The first writer ---- */

static void parent_first(void)
{
	pid_t child;

	begin_with(5);
	child = spawn(write_second, NULL);
	view_write_all(3 * SEEDS);
	pass(&to_child);
	await(&to_parent);
	view_check();
	view_write_all(4 * SEEDS);
	pass(&to_child);
	join(child);
	view_check();
}

static void write_first(void *argument)
{
	view_check();
	view_write_all(2 * SEEDS);
	pass(&to_parent);
	await(&to_child);
	view_check();
	(void)argument;
}

static void child_first(void)
{
	pid_t child;

	begin_with(5);
	child = spawn(write_first, NULL);
	await(&to_parent);
	view_check();
	view_write_all(3 * SEEDS);
	view_check();
	pass(&to_child);
	join(child);
	view_check();
}

static void write_often(void *argument)
{
	for (uint64_t i = 0; i < rounds(50); i++) {
		view_check();
		view_write_all((size_t)argument + i * 2 * SEEDS);
	}
	view_check();
}

static void both_at_once(void)
{
	pid_t child;

	begin_with(5);
	for (unsigned int i = 0; i < rounds(20); i++) {
		child = spawn(write_often, (void *)SEEDS);
		write_often((void *)(2 * SEEDS));
		join(child);
	}
}

/* ---- Stale translations ---- */

/*
 * When the writer forks, its processor remembers each page as writable. Its first
 * write afterwards must not reach the child.
 */
static void write_after_fork(void)
{
	begin_with(4);
	for (uint64_t i = 0; i < rounds(100); i++) {
		pid_t child;

		for (size_t page = 0; page < view.count; page++)
			view_write(page, (2 * i + 1) * SEEDS);
		child = spawn(check_when_told, NULL);
		for (size_t page = 0; page < view.count; page++)
			*(volatile char *)view.page[page] = 0;
		pass(&to_child);
		join(child);
		for (size_t page = 0; page < view.count; page++)
			CHECK(*view.page[page] == 0);
	}
}

/*
 * A thread on another processor writes to two pages in turn, below different tables,
 * while its process forks. A child sees one moment of that, and no more.
 */
struct pair {
	_Atomic uint64_t *first, *second;
};

static atomic_bool over;

static void *write_pairs(void *argument)
{
	const struct pair *pair = argument;

	run_on_cpu(1);
	for (uint64_t i = 1; !atomic_load(&over); i++) {
		atomic_store_explicit(pair->first, i, memory_order_relaxed);
		atomic_store_explicit(pair->second, i, memory_order_relaxed);
		CHECK(atomic_load(pair->first) == i);
	}
	return NULL;
}

static void see_one_moment(void *argument)
{
	const struct pair *pair = argument;
	uint64_t first = atomic_load(pair->first);
	uint64_t second = atomic_load(pair->second);

	CHECK(first == second || first == second + 1);
	for (int i = 0; i < 100; i++) {
		CHECK(atomic_load(pair->first) == first);
		CHECK(atomic_load(pair->second) == second);
		usleep(10);
	}
}

static void thread_writes(void)
{
	pthread_t thread;
	struct pair pair;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_case("one CPU only");
	connect_petmem();
	pair.first = must_malloc(4 * MIB);
	pair.second = (void *)((char *)pair.first + 3 * MIB);
	CHECK(run_on_cpu(0));
	CHECK(pthread_create(&thread, NULL, write_pairs, &pair) == 0);
	for (unsigned int i = 0; i < rounds(100); i++)
		join(spawn(see_one_moment, &pair));
	atomic_store(&over, true);
	CHECK(pthread_join(thread, NULL) == 0);
}

/*
 * Two threads use a page that has just been shared, in rounds. In even rounds the
 * other thread only reads. It makes no system call, so that only the module's own
 * invalidation makes its processor forget the old page. In odd rounds it writes, too,
 * perhaps while the page is being copied.
 */
static _Atomic uint64_t *words;
static atomic_uint_fast64_t begun, written, finished;

enum { ROUNDS = 100 };

static void *other_thread(void *argument)
{
	run_on_cpu(1);
	for (uint64_t round = 1; round <= rounds(ROUNDS); round++) {
		bool was_written;

		while (atomic_load(&begun) < round)
			(void)atomic_load(&words[0]);
		if (round % 2)
			atomic_store(&words[1], round);
		do {
			was_written = atomic_load(&written) == round;
		} while (atomic_load(&words[0]) != round && !was_written);
		CHECK(atomic_load(&words[0]) == round);
		CHECK(atomic_load(&words[1]) == round - !(round % 2));
		atomic_store(&finished, round);
	}
	return argument;
}

static void see_old_words(void *argument)
{
	uint64_t round = (size_t)argument;

	await(&to_child);
	CHECK(atomic_load(&words[0]) == round - 1);
	/* The other thread wrote this in the last odd round. */
	CHECK(atomic_load(&words[1]) == (round / 2 ? round / 2 * 2 - 1 : 0));
}

static void two_threads(void)
{
	pthread_t thread;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_case("one CPU only");
	connect_petmem();
	open_gates();
	words = must_malloc(PAGE);
	CHECK(run_on_cpu(0));
	atomic_store(&words[0], 0);
	CHECK(pthread_create(&thread, NULL, other_thread, NULL) == 0);
	for (uint64_t round = 1; round <= rounds(ROUNDS); round++) {
		pid_t child = spawn(see_old_words, (void *)round);

		atomic_store(&begun, round);
		atomic_store(&words[0], round);
		atomic_store(&written, round);
		while (atomic_load(&finished) < round)
			;
		CHECK(atomic_load(&words[0]) == round);
		pass(&to_child);
		join(child);
	}
	CHECK(pthread_join(thread, NULL) == 0);
}

/* ---- Families ---- */

static void write_some(size_t from, size_t to, uint64_t seed)
{
	for (size_t i = from; i < to; i++)
		view_write(i, seed + i);
	view_check();
}

/* Watch pages of several tables: every 40th of 1200, from 2 MiB before a boundary. */
static void watch_tables(void)
{
	enum { WATCHED = 30, APART = 40 };
	char *memory;

	connect_petmem();
	open_gates();
	memory = must_malloc(PAGE * WATCHED * APART);
	for (size_t i = 0; i < WATCHED; i++)
		view_add(memory + i * APART * PAGE);
	/* The last pages do not exist yet when the family begins. */
	write_some(0, WATCHED - 4, SEEDS);
}

static void be_grandchild(void *argument)
{
	view_check();
	write_some(12, 28, 3 * SEEDS);
	view_add_pages(must_malloc(3 * PAGE), 3);
	write_some(view.count - 2, view.count, 3 * SEEDS);
	/* Two processes are waiting. */
	pass(&to_parent);
	pass(&to_parent);
	await(&to_child);
	view_check();
	(void)argument;
}

static void be_child(void *argument)
{
	pid_t grandchild;

	write_some(5, 20, 2 * SEEDS);
	view_add_pages(must_malloc(2 * PAGE), 2);
	grandchild = spawn(be_grandchild, NULL);
	write_some(0, 2, 2 * SEEDS);
	write_some(18, 27, 4 * SEEDS);
	write_some(view.count - 1, view.count, 4 * SEEDS);
	await(&to_parent);
	view_check();
	pass(&to_child);
	join(grandchild);
	view_check();
	(void)argument;
}

/* Relatives share different numbers of pages, in different tables, at the same time. */
static void three_generations(void)
{
	pid_t child;

	watch_tables();
	child = spawn(be_child, NULL);
	write_some(10, 16, 5 * SEEDS);
	await(&to_parent);
	write_some(24, 30, 5 * SEEDS);
	view_check();
	join(child);
	view_check();
}

static void be_link(void *argument)
{
	size_t left = (size_t)argument;

	view_check();
	write_some(left, left + 1, 2 * SEEDS * (left + 1));
	if (left > 0) {
		pid_t next = spawn(be_link, (void *)(left - 1));

		write_some(left + 1, left + 3, 3 * SEEDS * (left + 1));
		join(next);
	}
	view_check();
	write_some(0, view.count, 4 * SEEDS * (left + 1));
}

static void chain_of_six(void)
{
	watch_tables();
	be_link((void *)5);
}

static const struct guest_case cases[] = {
	{ "the parent writes first", parent_first },
	{ "the child writes first", child_first },
	{ "both write at the same time", both_at_once },
	{ "a write right after fork", write_after_fork },
	{ "another thread writes during fork", thread_writes },
	{ "two threads on a page that is shared", two_threads },
	{ "three generations with unequal overlaps", three_generations },
	{ "a chain of six", chain_of_six },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
