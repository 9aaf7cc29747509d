// SPDX-License-Identifier: GPL-2.0
/* forks.c - fork does for petmem memory what it does for all other memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

enum { SHARED_STACK_SIZE = 64 * 1024 };

/* The argument that makes this program look at memory after exec. */
static char after_exec[] = "after-exec";

#define PAGES ((size_t)3)
#define SIZE (PAGES * PAGE)

/* The memory that every case begins with. */
static char *some_memory(void)
{
	connect_petmem();
	CHECK(pet_malloc(SIZE) == REGION);
	fill(REGION, SIZE, 77);
	return REGION;
}

/* For a child: it sees the old contents and may change them. So does its own child. */
static void have_own_view(void *argument)
{
	size_t depth = (size_t)argument;
	char *more;

	CHECK(holds(REGION, SIZE, 77 + depth));
	CHECK(faults(REGION + SIZE, READ));
	fill(REGION, SIZE, 77 + depth + 1);
	more = must_malloc(2 * PAGE);
	CHECK(more == REGION + SIZE && is_zero(more, 2 * PAGE));
	fill(more, 2 * PAGE, depth);
	pet_free(more);
	CHECK(faults(more, READ));
	if (depth < 3)
		join(spawn(have_own_view, (void *)(depth + 1)));
	CHECK(holds(REGION, SIZE, 77 + depth + 1));
	pet_free(REGION);
	CHECK(faults(REGION, READ));
}

static void child_has_it_all(void)
{
	some_memory();
	join(spawn(have_own_view, (void *)0));
	CHECK(holds(REGION, SIZE, 77));
	CHECK(faults(REGION + SIZE, READ));
	/* Again, now that a child has come and gone. */
	join(spawn(have_own_view, (void *)0));
	CHECK(holds(REGION, SIZE, 77));
	pet_free(REGION);
	CHECK(faults(REGION, READ));
}

/* Addresses that were allocated and never touched are inherited, too. */
static void touch_untouched(void *argument)
{
	CHECK(is_zero(argument, PAGE));
	fill(argument, PAGE, 5);
	pet_free(argument);
	CHECK(must_malloc(MIB) == argument);
}

static void untouched(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(MIB);
	join(spawn(touch_untouched, memory));
	CHECK(is_zero(memory, MIB));
	join(spawn(touch_untouched, memory));
}

/* For a child whose parent has no memory: it can allocate some. */
static void start_alone(void *argument)
{
	(void)argument;
	CHECK(faults(REGION, READ));
	CHECK(is_zero(must_malloc(SIZE), SIZE));
	fill(REGION, SIZE, 1);
}

static void before_allocating(void)
{
	connect_petmem();
	join(spawn(start_alone, NULL));
	CHECK(faults(REGION, READ));
	/* Now there is an empty region. */
	pet_free(must_malloc(PAGE));
	join(spawn(start_alone, NULL));
	CHECK(faults(REGION, READ));
}

/* A child that outlives its parent passes this when the parent may end. */
static struct gate may_die;

static void outlive(void *argument)
{
	pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, 0);
	pass(&may_die);
	while (getppid() == parent)
		usleep(1000);
	have_own_view(argument);
}

static void leave_an_orphan(void *argument)
{
	CHECK(holds(REGION, SIZE, 77));
	fill(REGION, SIZE, 78);
	spawn(outlive, argument);
	fill(REGION, SIZE, 9);
	await(&may_die);
}

static void orphans(void)
{
	int status;

	some_memory();
	may_die = new_gate();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	join(spawn(leave_an_orphan, (void *)1));
	CHECK(holds(REGION, SIZE, 77));
	CHECK(wait(&status) > 0 && status == 0);
	CHECK(holds(REGION, SIZE, 77));
}

/* A child that never looks at petmem takes nothing, and its death frees nothing. */
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

/* ---- Fork and threads ---- */

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

/* As have_own_view(), but other threads' allocations are there as well. */
static void live_beside_leftovers(void *argument)
{
	char *more;

	CHECK(holds(REGION, SIZE, 77));
	fill(REGION, SIZE, 78);
	more = must_malloc(20 * PAGE);
	CHECK(is_zero(more, 20 * PAGE));
	fill(more, 20 * PAGE, 4);
	CHECK(holds(REGION, SIZE, 78) && holds(more, 20 * PAGE, 4));
	(void)argument;
}

static void fork_among_threads(void)
{
	enum { THREADS = 3 };
	pthread_t thread[THREADS];

	some_memory();
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_create(&thread[i], NULL, keep_busy, NULL) == 0);
	for (unsigned int i = 0; i < rounds(50); i++)
		join(spawn(live_beside_leftovers, NULL));
	atomic_store(&over, true);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(thread[i], NULL) == 0);
	CHECK(holds(REGION, SIZE, 77));
}

static void *fork_here(void *argument)
{
	/* A child dies with the thread that forked it, so the thread waits for it. */
	for (unsigned int i = 0; i < rounds(10); i++)
		join(spawn(have_own_view, argument));
	return NULL;
}

static void fork_from_a_thread(void)
{
	pthread_t thread;

	some_memory();
	CHECK(pthread_create(&thread, NULL, fork_here, (void *)0) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(holds(REGION, SIZE, 77));
}

/* ---- The other ways to make a process ---- */

static int view_after_clone(void *argument)
{
	have_own_view(argument);
	return 0;
}

static void cloned(void)
{
	char *stack = malloc(SHARED_STACK_SIZE);
	int status;
	pid_t child;

	CHECK(stack != NULL);
	some_memory();
	child = clone(view_after_clone, stack + SHARED_STACK_SIZE,
		      CLONE_FILES | CLONE_FS | SIGCHLD, (void *)0);
	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(view_after_clone((void *)0));
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(holds(REGION, SIZE, 77));
}

static int use_shared(void *argument)
{
	(void)argument;
	fill(REGION + PAGE, PAGE, 5);
	return pet_malloc(PAGE) == REGION + SIZE ? 0 : 1;
}

/* Two processes with the same mm. */
static void share_mm(int extra_flags)
{
	char *stack = malloc(SHARED_STACK_SIZE);
	int status;
	pid_t child;

	CHECK(stack != NULL);
	some_memory();
	child = clone(use_shared, stack + SHARED_STACK_SIZE,
		      CLONE_VM | SIGCHLD | extra_flags, NULL);
	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(holds(REGION + PAGE, PAGE, 5));
	CHECK(!faults(REGION + SIZE, WRITE));
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

/* Run this program again, which ends with the result of look_after_exec(). */
static void spawn_and_exec(void)
{
	static char *arguments[] = { "forks", after_exec, NULL };
	int status;
	pid_t child;

	CHECK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments,
			  environ) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(holds(REGION, SIZE, 77));
	child = vfork();
	if (child == 0) {
		execv("/proc/self/exe", arguments);
		_exit(EXIT_FAILURE);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(holds(REGION, SIZE, 77));
}

static void outlive_exec(void *argument)
{
	prctl(PR_SET_PDEATHSIG, 0);
	pass(&may_die);
	have_own_view(argument);
}

static void write_and_exec(void *argument)
{
	fill(REGION, SIZE, 78);
	spawn(outlive_exec, (void *)1);
	await(&may_die);
	execl("/proc/self/exe", "forks", after_exec, NULL);
	CHECK(argument == NULL && !"exec");
}

static void executed(void)
{
	int status;

	some_memory();
	may_die = new_gate();
	spawn_and_exec();
	/* Exec in a process that has just forked a child, which lives on. */
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	join(spawn(write_and_exec, NULL));
	CHECK(wait(&status) > 0 && status == 0);
	CHECK(holds(REGION, SIZE, 77));
}

static int look_after_exec(void)
{
	connect_petmem();
	CHECK(faults(REGION, READ));
	CHECK(is_zero(must_malloc(SIZE), SIZE));
	return EXIT_SUCCESS;
}

static const struct guest_case cases[] = {
	{ "a child has all of it, and its own view", child_has_it_all },
	{ "a child of addresses without memory", untouched },
	{ "a child of a parent that has allocated nothing", before_allocating },
	{ "a child outlives its parent", orphans },
	{ "children that never use petmem", idle_children },
	{ "fork among busy threads", fork_among_threads },
	{ "fork from a thread", fork_from_a_thread },
	{ "clone without CLONE_VM", cloned },
	{ "CLONE_VM shares the memory", clone_vm },
	{ "vfork shares the memory", vforked },
	{ "posix_spawn and exec, in parent and child", executed },
};

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], after_exec) == 0)
		return look_after_exec();
	return run_cases(cases, COUNT_OF(cases));
}
