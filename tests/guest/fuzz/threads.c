// SPDX-License-Identifier: GPL-2.0
/* threads.c - actions: threads, and memory that they leave to the kernel. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "threads.h"

#define THREADS_MAX 4

/* A thread's orders. */
struct start {
	const struct flow *parent;
	uint64_t seed;
	const struct action *action; /* again and again; NULL: steps */
	atomic_bool taken; /* the thread has read this */
};

static void repeat(struct flow *flow, const struct action *action)
{
	enum { TIMES = 60 };

	for (unsigned int i = 0; i < TIMES; i++)
		flow_take(flow, action);
}

static void *run_thread(void *argument)
{
	enum { STEPS = 40 };
	struct start *start = argument;
	const struct action *action = start->action;
	struct flow parent = *start->parent;
	uint64_t seed = start->seed;
	struct flow flow;

	atomic_store(&start->taken, true);
	if (action) {
		flow_begin(&flow, &parent, seed);
		repeat(&flow, action);
	} else {
		flow_run(&parent, seed, STEPS);
	}
	atomic_fetch_sub(&program.threads, 1);
	return NULL;
}

/* Returns false if there may be no more threads. The thread has copied @start. */
static bool begin(struct start *start, const pthread_attr_t *attributes,
		  pthread_t *thread)
{
	if (atomic_fetch_add(&program.threads, 1) >= THREADS_MAX ||
	    pthread_create(thread, attributes, run_thread, start) != 0) {
		atomic_fetch_sub(&program.threads, 1);
		return false;
	}
	while (!atomic_load(&start->taken))
		sched_yield();
	return true;
}

void start_thread(struct flow *flow, const struct action *action)
{
	struct start start = {
		.parent = flow,
		.seed = mix(flow->seed, flow->step),
	};
	const struct allocation *a = allocation_draw(flow);
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * PAGE);
	if (one_in(flow, 16) && a->size >= 32 * PAGE)
		pthread_attr_setstack(&attributes, (void *)a->start, a->size);
	if (begin(&start, &attributes, &thread)) {
		action_count(action, 0);
		pthread_detach(thread);
	}
	pthread_attr_destroy(&attributes);
}

void race(struct flow *flow, const struct action *action)
{
	struct start start = {
		.parent = flow,
		.seed = mix(flow->seed, flow->step),
	};
	pthread_t thread;

	start.action = action_draw_simple(flow);
	if (!begin(&start, NULL, &thread))
		return;
	action_count(action, 0);
	repeat(flow, action_draw_simple(flow));
	pthread_join(thread, NULL);
}

/*
 * A child does this, because the kernel walks the list when a thread ends. The list is
 * filled, or whatever is in the memory.
 */
void leave_robust_list(struct flow *flow, const struct action *action)
{
	uint64_t head = buffer_draw(flow);
	struct robust_list_head list = {
		.list.next = (struct robust_list *)buffer_draw(flow),
		.futex_offset = draw(flow, 64),
		.list_op_pending = (struct robust_list *)buffer_draw(flow),
	};
	bool filled = one_in(flow, 2);
	pid_t child;

	child = flow_fork(flow);
	if (child == 0) {
		action_count(action,
			     syscall(SYS_set_robust_list, head, sizeof(list)));
		if (filled)
			memcpy((void *)head, &list, sizeof(list));
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

/* glibc has registered one per thread, which has to go first. */
void register_rseq(struct flow *flow, const struct action *action)
{
	uint64_t address = buffer_draw(flow) & -32ULL;
	char *own = (char *)__builtin_thread_pointer() + __rseq_offset;
	pid_t child;

	child = flow_fork(flow);
	if (child == 0) {
		syscall(SYS_rseq, own, 32, 1, RSEQ_SIG);
		action_count(action,
			     syscall(SYS_rseq, address, 32, 0, RSEQ_SIG));
		for (int i = 0; i < 10; i++)
			sched_yield();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}
