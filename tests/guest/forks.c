// SPDX-License-Identifier: GPL-2.0
/* forks.c - a child begins with an empty region; who shares the mm shares all. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

enum { SHARED_STACK_SIZE = 64 * 1024 };

/* For a child: nothing of the parent's can be seen, and memory can be had. */
static void start_empty(void *argument)
{
	size_t depth = (size_t)argument;

	CHECK(faults(REGION, READ));
	CHECK(faults(REGION + PAGE, WRITE));
	CHECK(pet_malloc(2 * PAGE) == REGION);
	CHECK(is_zero(REGION, 2 * PAGE));
	fill(REGION, 2 * PAGE, depth);
	if (depth > 0)
		join(spawn(start_empty, (void *)(depth - 1)));
	CHECK(holds(REGION, 2 * PAGE, depth));
}

static void child_is_empty(void)
{
	connect_petmem();
	fill(must_malloc(3 * PAGE), 3 * PAGE, 77);
	join(spawn(start_empty, (void *)3));
	CHECK(holds(REGION, 3 * PAGE, 77));
	/* Again, now that a child has come and gone. */
	join(spawn(start_empty, (void *)0));
	CHECK(holds(REGION, 3 * PAGE, 77));
	pet_free(REGION);
}

/* A child that outlives its parent, and still starts empty. */
static void start_empty_later(void *argument)
{
	pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, 0);
	while (getppid() == parent)
		usleep(1000);
	start_empty(argument);
}

static void leave_an_orphan(void *argument)
{
	CHECK(faults(REGION, READ));
	fill(must_malloc(PAGE), PAGE, 9);
	spawn(start_empty_later, argument);
}

static void orphans(void)
{
	int status;

	connect_petmem();
	fill(must_malloc(PAGE), PAGE, 1);
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	join(spawn(leave_an_orphan, (void *)0));
	CHECK(wait(&status) > 0 && status == 0);
	CHECK(holds(REGION, PAGE, 1));
}

/* Before the child does anything with petmem, its death frees nothing. */
static void do_nothing(void *argument)
{
	(void)argument;
}

static void idle_children(void)
{
	struct petmem_status before;

	connect_petmem();
	fill(must_malloc(100 * PAGE), 100 * PAGE, 2);
	before = pool_status();
	for (int i = 0; i < 50; i++)
		join(spawn(do_nothing, NULL));
	CHECK(pool_status().free_pages == before.free_pages);
	CHECK(holds(REGION, 100 * PAGE, 2));
}

/* ---- Fork while other threads allocate, touch and free ---- */

static atomic_bool over;

static void *keep_busy(void *argument)
{
	while (!atomic_load(&over)) {
		char *p = must_malloc(20 * PAGE);

		fill(p, 20 * PAGE, 3);
		CHECK(holds(p, 20 * PAGE, 3));
		pet_free(p);
	}
	return argument;
}

static void fork_among_threads(void)
{
	enum { THREADS = 3 };
	pthread_t thread[THREADS];

	connect_petmem();
	fill(must_malloc(3 * PAGE), 3 * PAGE, 77);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, keep_busy, NULL) == 0);
	for (int i = 0; i < 50; i++)
		join(spawn(start_empty, (void *)0));
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	CHECK(holds(REGION, 3 * PAGE, 77));
}

/* ---- The same mm in two processes ---- */

static int use_shared(void *argument)
{
	(void)argument;
	fill(REGION + PAGE, PAGE, 5); /* a first touch */
	return pet_malloc(PAGE) == REGION + 2 * PAGE ? 0 : 1;
}

static void share_mm(int extra_flags)
{
	char *stack = malloc(SHARED_STACK_SIZE);
	int status;
	pid_t child;

	connect_petmem();
	CHECK(stack != NULL);
	must_malloc(2 * PAGE);
	fill(REGION, PAGE, 4);
	child = clone(use_shared, stack + SHARED_STACK_SIZE,
		      CLONE_VM | SIGCHLD | extra_flags, NULL);
	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(holds(REGION, PAGE, 4));
	CHECK(holds(REGION + PAGE, PAGE, 5));
	CHECK(!faults(REGION + 2 * PAGE, WRITE));
	free(stack);
}

static void clone_vm(void)
{
	share_mm(0);
}

static void vforked(void)
{
	share_mm(CLONE_VFORK);
}

static const struct guest_case cases[] = {
	{ "a child's region is empty", child_is_empty },
	{ "a child outlives its parent", orphans },
	{ "children that never use petmem", idle_children },
	{ "fork among busy threads", fork_among_threads },
	{ "CLONE_VM shares the memory", clone_vm },
	{ "vfork shares the memory", vforked },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
