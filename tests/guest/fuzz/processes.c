// SPDX-License-Identifier: GPL-2.0
/* processes.c - actions: children, other programs, and their ends. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes.h"
#include "touch.h"

#define CHILD_STEPS 24

/* A new process takes its own steps. */
static _Noreturn void be_child(struct flow *flow)
{
	flow_run(flow, mix(flow->seed, flow->step), CHILD_STEPS);
	_exit(0);
}

void fork_child(struct flow *flow, const struct action *action)
{
	bool waits = one_in(flow, 2);
	pid_t child;

	child = flow_fork(flow);
	if (child == 0)
		be_child(flow);
	action_count(action, child);
	if (waits)
		waitpid(child, NULL, 0);
	else
		waitpid(-1, NULL, WNOHANG);
}

void fork_and_end(struct flow *flow, const struct action *action)
{
	pid_t child;

	/* The first flow still has the most steps to take. */
	if (flow->depth == 0)
		return;
	child = flow_fork(flow);
	if (child == 0)
		be_child(flow);
	action_count(action, child);
	_exit(0);
}

/*
 * The parent writes, so that it gets page tables of its own. The child drops those that
 * they shared: they become free, and then other pages.
 */
void share_and_part(struct flow *flow, const struct action *action)
{
	bool unmaps = one_in(flow, 2);
	unsigned int delay = draw(flow, 4000);
	unsigned int parent_delay = draw(flow, 4000);
	pid_t child;

	child = flow_fork(flow);
	if (child == 0) {
		usleep(delay);
		if (unmaps)
			munmap((void *)PETMEM_REGION_START, PETMEM_REGION_SIZE);
		_exit(0);
	}
	action_count(action, child);
	usleep(parent_delay);
	touch(flow, action);
	if (child > 0)
		waitpid(child, NULL, 0);
	work(flow, action);
}

/*
 * This shares all memory with its parent, even thread-local variables. It may only make
 * system calls, and must not fault.
 */
static void use_shared_memory(const uint64_t *addresses, size_t count)
{
	struct petmem_alloc request = { .size = 3 * PAGE };
	struct petmem_free release;

	syscall(SYS_ioctl, program.device, PETMEM_IOC_ALLOC, &request);
	for (size_t i = 0; i < count; i++)
		resolve_fault(addresses[i], PETMEM_FAULT_USER);
	release.addr = request.addr;
	syscall(SYS_ioctl, program.device, PETMEM_IOC_FREE, &release);
	release.addr = addresses[0];
	syscall(SYS_ioctl, program.device, PETMEM_IOC_FREE, &release);
}

static uint64_t shared_addresses[8];

static void draw_shared_addresses(struct flow *flow)
{
	for (size_t i = 0; i < COUNT_OF(shared_addresses); i++)
		shared_addresses[i] = petmem_address_draw(flow);
}

void vfork_child(struct flow *flow, const struct action *action)
{
	static char *const arguments[] = { "nothing", NULL };
	bool execs = one_in(flow, 2);
	pid_t child;

	draw_shared_addresses(flow);
	child = vfork();
	if (child == 0) {
		use_shared_memory(shared_addresses, COUNT_OF(shared_addresses));
		if (execs)
			execve("/nothing", arguments, NULL);
		_exit(0);
	}
	action_count(action, child);
	waitpid(child, NULL, 0);
}

static int run_clone(void *argument)
{
	(void)argument;
	use_shared_memory(shared_addresses, COUNT_OF(shared_addresses));
	return 0;
}

void clone_sharing_memory(struct flow *flow, const struct action *action)
{
	static char stack[16384];
	int flags = CLONE_VM | SIGCHLD | (one_in(flow, 2) ? CLONE_FILES : 0);
	pid_t child;

	draw_shared_addresses(flow);
	child = clone(run_clone, stack + sizeof(stack), flags, NULL);
	action_count(action, child);
	if (child > 0)
		waitpid(child, NULL, 0);
}

/* This is mostly done in a child, so that the program goes on. */
void exec_again(struct flow *flow, const struct action *action)
{
	char seeds[64];
	char *arguments[] = { "fuzz", "--after-exec", seeds, NULL };

	snprintf(seeds, sizeof(seeds), "%#lx,%#lx", program.seed,
		 mix(flow->seed, flow->step));
	if (!one_in(flow, 4) && flow_fork(flow) > 0)
		return;
	action_count(action, 0);
	execve("/proc/self/exe", arguments, NULL);
}

void exec_from_petmem(struct flow *flow, const struct action *action)
{
	char *name = (char *)buffer_draw(flow);
	char **arguments = (char **)buffer_draw(flow);
	char **environment = (char **)buffer_draw(flow);

	action_count(action, execve(one_in(flow, 2) ? "/proc/self/exe" : name,
				    arguments, environment));
}

void limit_resources(struct flow *flow, const struct action *action)
{
	static const int resources[] = { RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK,
					 RLIMIT_MEMLOCK, RLIMIT_NOFILE };
	int resource = resources[draw(flow, COUNT_OF(resources))];
	struct rlimit limit = { length_draw(flow), RLIM_INFINITY };
	pid_t child;

	child = flow_fork(flow);
	if (child == 0) {
		getrlimit(resource, &limit);
		limit.rlim_cur = length_draw(flow);
		if (limit.rlim_cur > limit.rlim_max)
			limit.rlim_cur = limit.rlim_max;
		action_count(action, setrlimit(resource, &limit));
		be_child(flow);
	}
	waitpid(child, NULL, 0);
}

void end_by_signal(struct flow *flow, const struct action *action)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGABRT,
				       SIGSEGV, SIGBUS,	 SIGSTOP };
	int signal = signals[draw(flow, COUNT_OF(signals))];
	unsigned int delay = draw(flow, 5000);
	pid_t child;

	child = flow_fork(flow);
	if (child == 0)
		be_child(flow);
	usleep(delay);
	action_count(action, kill(child, signal));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
