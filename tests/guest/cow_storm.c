// SPDX-License-Identifier: GPL-2.0
/* cow_storm.c - many forks, many relatives, sudden deaths. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "view.h"

/* The path to a page has a PUD, a PMD and a PTE table. */
#define TABLES UINT64_C(3)

static void begin_with(size_t pages)
{
	connect_petmem();
	open_gates();
	view_add_pages(must_malloc(pages * PAGE), pages);
	view_write_all(SEEDS);
}

static void write_and_leave(void *argument)
{
	size_t page = (size_t)argument % view.count;

	view_check();
	view_write(page, 2 * SEEDS + page);
	view_check();
}

static void hundred_times(void)
{
	struct petmem_status before;

	begin_with(5);
	before = pool_status();
	for (size_t i = 0; i < rounds(100); i++) {
		join(spawn(write_and_leave, (void *)i));
		view_write(i % view.count, 3 * SEEDS + i);
		view_check();
		CHECK(pool_status().free_pages == before.free_pages);
	}
}

/* ---- All at once ---- */

enum { BOMB = 128 };

static void write_and_wait(void *argument)
{
	write_and_leave(argument);
	pass(&to_parent);
	await(&to_child);
	view_check();
}

static void bomb(void)
{
	struct petmem_status before, now;
	pid_t child[BOMB];

	begin_with(5);
	before = pool_status();
	for (size_t i = 0; i < BOMB; i++)
		child[i] = spawn(write_and_wait, (void *)i);
	for (size_t i = 0; i < BOMB; i++)
		await(&to_parent);
	now = pool_status();
	CHECK(now.data_pages == before.data_pages + BOMB);
	CHECK(now.table_pages == before.table_pages + TABLES * BOMB);
	view_check();
	view_write_all(4 * SEEDS);
	for (size_t i = 0; i < BOMB; i++)
		pass(&to_child);
	for (size_t i = 0; i < BOMB; i++)
		join(child[i]);
	view_check();
	CHECK(pool_status().free_pages == before.free_pages);
}

/* ---- Killed at any moment ---- */

/*
 * The members of a family in the order of their birth. Each takes a place, and keeps it
 * until the end of the case.
 */
enum { MEMBERS_MAX = 200, LIVES = 150 };

struct family {
	atomic_uint born;
	atomic_uint wrong; /* members that saw wrong contents */
	_Atomic pid_t member[MEMBERS_MAX];
};

static struct family *family;

/* This case counts mistakes, because nobody waits for a member's status. */
static bool view_is_right(void)
{
	for (size_t i = 0; i < view.count; i++)
		if (!holds(view.page[i], PAGE, view.seed[i]))
			return false;
	return true;
}

static void live(void *argument);

static void step(uint64_t *state)
{
	size_t page = random_below(state, view.count);
	char *more;

	switch (random_below(state, 8)) {
	case 0:
		if (atomic_load(&family->born) < rounds(LIVES))
			spawn(live, (void *)random_below(state, 1 << 30));
		break;
	case 1:
		more = pet_malloc((1 + random_below(state, 600)) * PAGE);
		if (more && !faults(more, WRITE))
			memset(more, 1, PAGE);
		pet_free(more);
		break;
	default:
		view_write(page, 2 * SEEDS + random_below(state, 1 << 20));
	}
}

static void live(void *argument)
{
	uint64_t state = (size_t)argument;
	unsigned int place = atomic_fetch_add(&family->born, 1);

	/* This member has to outlive its parent. */
	prctl(PR_SET_PDEATHSIG, 0);
	if (place >= MEMBERS_MAX)
		return;
	atomic_store(&family->member[place], getpid());
	for (;;) {
		if (!view_is_right()) {
			atomic_fetch_add(&family->wrong, 1);
			return;
		}
		step(&state);
	}
}

/* A random place that is taken, or 0: a busy machine takes its time for the first. */
static unsigned int a_place(uint64_t *state)
{
	unsigned int born = atomic_load(&family->born);

	if (born == 0)
		return 0;
	return random_below(state, born < MEMBERS_MAX ? born : MEMBERS_MAX);
}

/* Kill members at random, and start a new one each time. */
static void kill_members(void)
{
	uint64_t state = 5;

	while (atomic_load(&family->born) < rounds(LIVES)) {
		pid_t member;

		usleep(1000 + random_below(&state, 20000));
		member = atomic_exchange(&family->member[a_place(&state)], 0);
		if (member)
			kill(member, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		spawn(live, (void *)random_below(&state, 1 << 30));
	}
}

static void kill_any_member(void)
{
	struct petmem_status before;

	family = shared_memory(sizeof(*family));
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	begin_with(6);
	before = pool_status();
	for (size_t i = 0; i < 4; i++)
		spawn(live, (void *)i);
	kill_members();
	/* When this process has no children, every other member has ended. */
	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		for (size_t i = 0; i < MEMBERS_MAX; i++)
			if (atomic_load(&family->member[i]))
				kill(atomic_load(&family->member[i]), SIGKILL);
		usleep(1000);
	}
	CHECK(atomic_load(&family->wrong) == 0);
	CHECK(pool_status().free_pages == before.free_pages);
	view_check();
	view_write_all(2 * SEEDS);
	CHECK(pool_status().free_pages == before.free_pages);
}

/* ---- While the pool grows and shrinks ---- */

static void fork_for_ever(void *argument)
{
	atomic_bool *done = argument;
	size_t i = 0;

	while (!atomic_load(done)) {
		join(spawn(write_and_leave, (void *)i++));
		view_write(i % view.count, 3 * SEEDS + i);
		view_check();
	}
	CHECK(i > 0);
}

static void among_donations(void)
{
	atomic_bool *done = shared_memory(sizeof(*done));
	pid_t forker;

	if (pool_status().total_pages == 0)
		skip_case("no memory is donated");
	begin_with(200);
	forker = spawn(fork_for_ever, done);
	for (int i = 0; i < 3; i++) {
		CHECK(system("petmem 1 >/dev/null 2>&1") == 0);
		/* Blocks in use stay donated; one block is free. */
		CHECK(system("petmem --release 1 >/dev/null 2>&1") == 0);
	}
	atomic_store(done, true);
	join(forker);
	view_check();
}

static const struct guest_case cases[] = {
	{ "fork, write, exit, 100 times", hundred_times },
	{ "128 children at once", bomb },
	{ "members killed at any moment", kill_any_member },
	{ "fork while memory is donated and released", among_donations },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
