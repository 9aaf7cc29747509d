// SPDX-License-Identifier: GPL-2.0
/* signals.c - actions: signals whose frames lie in petmem memory. */
#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>

#include "signals.h"

static void do_nothing(int signal)
{
	(void)signal;
}

/*
 * Where the pages of the stack are not there, and faults come by signal, the kernel
 * has nowhere to put the frame, and ends the process: that is for a child.
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
