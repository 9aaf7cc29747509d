// SPDX-License-Identifier: GPL-2.0
/* processes.c - operations: relatives by fork, their ends, debuggers and signals. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "operation.h"

#define STRANGER 1000
#define LOOKS 8
#define READER_MAX_US 30000
#define US 1000L

pid_t fork_side(void)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

int end_of(pid_t child)
{
	int status;

	while (waitpid(child, &status, __WALL) != child)
		CHECK(errno == EINTR);
	return status;
}

static void join_child(pid_t child)
{
	int status = end_of(child);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

static void look_at_some(struct side *side)
{
	for (int i = 0; i < LOOKS; i++)
		look(side, slot_draw(side));
}

static void put_some(struct side *side)
{
	for (int i = 0; i < LOOKS; i++)
		put(side, slot_draw(side));
}

static void wait_us(long us)
{
	nanosleep(&(struct timespec){ 0, us * US }, NULL);
}

/* The child has the memory that the parent had. */
void run_fork(struct side *side)
{
	pid_t child;

	put(side, slot_draw(side));
	child = fork_side();
	if (child == 0) {
		look_at_some(side);
		_exit(EXIT_SUCCESS);
	}
	join_child(child);
}

/* Parent and child both write. */
void run_child(struct side *side)
{
	pid_t child = fork_side();

	put_some(side);
	look_at_some(side);
	if (child == 0)
		_exit(EXIT_SUCCESS);
	join_child(child);
	look_at_some(side);
}

/*
 * A relative drops the memory that it shares with this process, once this process has
 * replaced the page that it writes to. Then the freed pages are filled.
 */
void run_relative(struct side *side)
{
	pid_t child;

	atomic_store(side->shared, 0);
	child = fork_side();
	if (child == 0) {
		while (!atomic_load(side->shared))
			sched_yield();
		if (draw(side, 2))
			munmap(REGION, PETMEM_REGION_SIZE);
		_exit(EXIT_SUCCESS);
	}
	/* Meanwhile a reader that waited for the fork's lock gets to the tables. */
	wait_us(draw(side, READER_MAX_US));
	put(side, draw(side, SPARSE_SLOTS));
	atomic_store(side->shared, 1);
	join_child(child);
	run_fill(side);
	look_at_some(side);
}

static void *touch_for_ever(void *argument)
{
	struct side *side = argument;

	for (;;)
		look_at_some(side);
	return NULL;
}

/*
 * Fork a child with two threads, of which this is one. The other does not know what
 * this one writes.
 */
static pid_t fork_two_threads(struct side *side)
{
	static struct side second;
	pid_t child = fork_side();
	pthread_t thread;

	if (child == 0) {
		second = *side;
		second.lenient = true;
		CHECK(pthread_create(&thread, NULL, touch_for_ever, &second) ==
		      0);
	}
	return child;
}

void run_exec(struct side *side)
{
	static char *const arguments[] = { "pairs", "--nothing", NULL };
	pid_t child = fork_two_threads(side);

	if (child == 0) {
		put_some(side);
		execv("/proc/self/exe", arguments);
		_exit(EXIT_FAILURE);
	}
	join_child(child);
}

void run_death(struct side *side)
{
	pid_t child = fork_two_threads(side);

	for (; child == 0;)
		put_some(side);
	wait_us(draw(side, 5000));
	CHECK(kill(child, SIGKILL) == 0);
	end_of(child);
	look_at_some(side);
}

static _Noreturn void be_stranger(struct side *side)
{
	if (draw(side, 2))
		munmap(REGION, PETMEM_REGION_SIZE);
	if (getuid() == 0 && (setgid(STRANGER) < 0 || setuid(STRANGER) < 0))
		_exit(EXIT_FAILURE);
	side->lenient = true;
	run_walk(side);
	run_smaps(side);
	run_fill(side);
	run_walk(side);
	_exit(EXIT_SUCCESS);
}

/* A child looks at the other side as another user, and uses memory of its own. */
void run_stranger(struct side *side)
{
	pid_t child = fork_side();

	if (child == 0)
		be_stranger(side);
	join_child(child);
}

static void set_timer(long us)
{
	struct itimerval timer = {
		.it_interval.tv_usec = us,
		.it_value.tv_usec = us,
	};

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* Send a storm of signals to both sides, then none for a while. */
void run_signals(struct side *side)
{
	enum { SIGNALS = 20, US_MIN = 50, US_RANGE = 250, US_QUIET = 2000 };

	set_timer(US_MIN + draw(side, US_RANGE));
	for (int i = 0; i < SIGNALS; i++) {
		wait_us(US_MIN + draw(side, US_RANGE));
		syscall(SYS_tgkill, side->process, side->thread, SIGUSR1);
	}
	set_timer(0);
	wait_us(US_QUIET);
}

/* ---- A debugger ---- */

/*
 * The debugger shares this process's memory, and is another process, so that nobody can
 * stop it. It makes system calls only.
 */
static void peek_and_poke(struct side *side)
{
	size_t slot = slot_draw(side);
	uint64_t *word = word_for_calls(side, slot);
	long value;

	if (syscall(SYS_ptrace, PTRACE_PEEKDATA, side->thread, word, &value) ==
	    0)
		syscall(SYS_ptrace, PTRACE_POKEDATA, side->thread, word, value);
}

static int debug(void *argument)
{
	struct side *side = argument;
	int status;

	/* Do not attach by SIGSTOP, which another signal may overtake. */
	if (syscall(SYS_ptrace, PTRACE_SEIZE, side->thread, NULL, NULL) != 0)
		return EXIT_SUCCESS;
	syscall(SYS_ptrace, PTRACE_INTERRUPT, side->thread, NULL, NULL);
	if (syscall(SYS_wait4, side->thread, &status, __WALL, NULL) ==
		    side->thread &&
	    WIFSTOPPED(status)) {
		for (int i = 0; i < LOOKS; i++)
			peek_and_poke(side);
		syscall(SYS_ptrace, PTRACE_DETACH, side->thread, NULL, NULL);
	}
	return EXIT_SUCCESS;
}

void run_ptrace(struct side *side)
{
	static _Alignas(64) char stacks[SIDES][16 * 1024];
	char *stack = stacks[side->number];
	pid_t debugger = clone(debug, stack + sizeof(stacks[0]),
			       CLONE_VM | SIGCHLD, side);

	CHECK(debugger > 0);
	join_child(debugger);
}
