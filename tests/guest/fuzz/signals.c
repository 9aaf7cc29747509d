// SPDX-License-Identifier: GPL-2.0
/* signals.c - actions: signals at any moment, and some whose frames lie in petmem memory. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "signals.h"

static void do_nothing(int signal)
{
	(void)signal;
}

/*
 * If the stack's pages are not present, and faults come by signal, the kernel cannot write
 * the frame, and ends the process. So a child does that.
 */
void stand_on_petmem(struct flow *flow, const struct action *action)
{
	const struct allocation *a = allocation_draw(flow);
	struct sigaction handler = {
		.sa_handler = do_nothing,
		.sa_flags = SA_ONSTACK,
	};
	stack_t none = { .ss_flags = SS_DISABLE };
	stack_t stack = { .ss_sp = (void *)a->start, .ss_size = a->size };
	bool present = !one_in(flow, 4);

	if (!present && flow_fork(flow) != 0)
		return;
	for (uint64_t at = 0; present && at < a->size && at < MIB; at += PAGE)
		resolve_fault(a->start + at, PETMEM_FAULT_USER);
	sigaction(SIGUSR1, &handler, NULL);
	action_count(action, sigaltstack(&stack, NULL));
	raise(SIGUSR1);
	sigaltstack(&none, NULL);
	if (!present)
		_exit(0);
}

/* The number of signals in a storm. Then the former interval is back. */
#define STORM_SIGNALS 300

static volatile sig_atomic_t storm_left;

static void count_storm(int signal)
{
	struct itimerval interval = {
		{ 0, ALARM_INTERVAL_US },
		{ 0, ALARM_INTERVAL_US },
	};

	(void)signal;
	if (storm_left > 0 && --storm_left == 0)
		setitimer(ITIMER_REAL, &interval, NULL);
}

void signal_storm(struct flow *flow, const struct action *action)
{
	enum { US_MIN = 50, US_RANGE = 250 };
	struct sigaction handler = {
		.sa_handler = count_storm,
		.sa_flags = one_in(flow, 4) ? 0 : SA_RESTART,
	};
	long us = US_MIN + draw(flow, US_RANGE);
	struct itimerval interval = { { 0, us }, { 0, us } };

	sigaction(SIGALRM, &handler, NULL);
	storm_left = STORM_SIGNALS;
	action_count(action, setitimer(ITIMER_REAL, &interval, NULL));
}

/* Send signals that have a handler, or that stop and continue. */
void signal_relative(struct flow *flow, const struct action *action)
{
	enum { TIMES = 20 };
	pid_t relative = program.relatives[draw(flow, RELATIVES)];
	bool stops = one_in(flow, 4);

	for (int i = 0; relative > 0 && i < TIMES; i++) {
		if (stops) {
			kill(relative, SIGSTOP);
			action_count(action, kill(relative, SIGCONT));
		} else {
			action_count(action, kill(relative, SIGALRM));
		}
		usleep(draw(flow, 300));
	}
}
