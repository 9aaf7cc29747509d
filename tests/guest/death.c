// SPDX-License-Identifier: GPL-2.0
/* death.c - however a process ends, its pages come back. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

/* The argument that makes this program look at memory after exec. */
static const char after_exec[] = "after-exec";

/* Two tables, and some. */
#define MAPPED ((size_t)5 * MIB / 2)

static char *mapped_memory(void)
{
	char *p;

	CHECK(init_petmem() == 0);
	p = must_malloc(MAPPED);
	fill(p, MAPPED, 1);
	return p;
}

static void return_from_main(void *argument)
{
	(void)argument;
	mapped_memory();
	exit(EXIT_SUCCESS);
}

static void crash(void *argument)
{
	(void)argument;
	mapped_memory();
	*(volatile char *)REGION = *(volatile char *)(REGION + MAPPED);
}

static void fail(void *argument)
{
	(void)argument;
	mapped_memory();
	abort();
}

static void be_killed(void *argument)
{
	(void)argument;
	mapped_memory();
	kill(getpid(), SIGKILL);
}

static void exec_self(void)
{
	execl("/proc/self/exe", "death", after_exec, NULL);
}

static void exec_from_main(void *argument)
{
	(void)argument;
	mapped_memory();
	exec_self();
	CHECK(!"exec");
}

static void *exec_from_thread(void *argument)
{
	exec_self();
	return argument;
}

static void exec_beside_main(void *argument)
{
	pthread_t thread;

	mapped_memory();
	CHECK(pthread_create(&thread, NULL, exec_from_thread, argument) == 0);
	pthread_join(thread, NULL);
	CHECK(!"exec");
}

static int look_after_exec(void)
{
	char *p;

	connect_petmem();
	CHECK(faults(REGION, READ));
	p = must_malloc(MAPPED);
	CHECK(p == REGION && is_zero(p, MAPPED));
	return EXIT_SUCCESS;
}

static void *outlive_main(void *argument)
{
	char *p = argument;

	for (unsigned int i = 0; i < rounds(100); i++) {
		char *more = must_malloc(10 * PAGE);

		CHECK(holds(p, MAPPED, 1));
		fill(more, 10 * PAGE, 2);
		pet_free(more);
	}
	return NULL;
}

static void main_ends_first(void *argument)
{
	pthread_t thread;
	char *p = mapped_memory();

	(void)argument;
	CHECK(pthread_create(&thread, NULL, outlive_main, p) == 0);
	pthread_exit(NULL);
}

/* Allocate, touch and free until killed. */
static void live(void *argument)
{
	enum { LIVE_MAX = 8 };
	uint64_t state = (size_t)argument;
	char *p[LIVE_MAX] = { NULL };

	CHECK(init_petmem() == 0);
	for (;;) {
		size_t i = random_below(&state, LIVE_MAX);
		size_t pages = 1 + random_below(&state, 300);

		pet_free(p[i]);
		p[i] = must_malloc(pages * PAGE);
		memset(p[i], 1, pages * PAGE);
	}
}

static void kill_at_random(void)
{
	enum { AT_ONCE = 8, LIFE_MAX_US = 20000 };
	size_t processes = rounds(100);
	uint64_t state = 7;
	pid_t child[AT_ONCE];

	for (size_t i = 0; i < processes + AT_ONCE; i++) {
		size_t slot = i % AT_ONCE;

		if (i >= AT_ONCE) {
			usleep(random_below(&state, LIFE_MAX_US));
			CHECK(kill(child[slot], SIGKILL) == 0);
			CHECK(WIFSIGNALED(status_of(child[slot])));
		}
		if (i < processes)
			child[slot] = spawn(live, (void *)i);
	}
}

static void *live_thread(void *argument)
{
	live(argument);
	return NULL;
}

static void live_in_threads(void *argument)
{
	pthread_t thread;

	CHECK(init_petmem() == 0);
	for (size_t i = 0; i < 4; i++)
		CHECK(pthread_create(&thread, NULL, live_thread, (void *)i) ==
		      0);
	usleep((size_t)argument);
	kill(getpid(), SIGKILL);
}

static void kill_threads(void)
{
	for (size_t i = 0; i < rounds(20); i++)
		CHECK(dies_by(SIGKILL, live_in_threads, (void *)(i * 2000)));
}

/* Look at the counts after each way to end. */
static void end_well(void (*body)(void *argument))
{
	struct petmem_status before = pool_status();

	join(spawn(body, NULL));
	CHECK(pool_status().free_pages == before.free_pages);
}

static void end_by(int signal, void (*body)(void *argument))
{
	struct petmem_status before = pool_status();

	CHECK(dies_by(signal, body, NULL));
	CHECK(pool_status().free_pages == before.free_pages);
}

static void by_exit(void)
{
	end_well(return_from_main);
}

static void by_signal(void)
{
	end_by(SIGSEGV, crash);
	end_by(SIGABRT, fail);
	end_by(SIGKILL, be_killed);
}

static void by_exec(void)
{
	end_well(exec_from_main);
	end_well(exec_beside_main);
}

static void by_last_thread(void)
{
	end_well(main_ends_first);
}

static const struct guest_case cases[] = {
	{ "exit with pages mapped", by_exit },
	{ "a crash, abort, SIGKILL with pages mapped", by_signal },
	{ "exec with pages mapped, from any thread", by_exec },
	{ "the last thread of many", by_last_thread },
	{ "100 processes killed at random", kill_at_random },
	{ "threads killed in the middle of their work", kill_threads },
};

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], after_exec) == 0)
		return look_after_exec();
	return run_cases(cases, COUNT_OF(cases));
}
