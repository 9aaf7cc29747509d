// SPDX-License-Identifier: GPL-2.0
/* program.c - a hostile program: its state and its steps. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include "../kcov.h"
#include "action.h"
#include "descriptors.h"
#include "program.h"
#include "result.h"

#define STEPS_MAX 160
/* The most faults of one access that petmem may call resolved. */
#define RESOLVED_MAX 5000

struct program program;
struct choice choice = { .last = ~0U };

static __thread struct flow *this_flow;

uint64_t draw(struct flow *flow, uint64_t limit)
{
	return random_next(&flow->random) % limit;
}

bool one_in(struct flow *flow, unsigned int times)
{
	return draw(flow, times) == 0;
}

/* ---- Faults ---- */

bool resolve_fault(uint64_t address, uint32_t error_code)
{
	struct petmem_fault fault = {
		.addr = address,
		.error_code = error_code,
	};

	return ioctl(program.device, PETMEM_IOC_FAULT, &fault) == 0;
}

static bool is_in_region(uint64_t address)
{
	return address >= PETMEM_REGION_START && address < PETMEM_REGION_END;
}

/* A fault that petmem resolved must not come back for ever. */
static void count_resolved(struct flow *flow, uint64_t address)
{
	if (address != flow->resolved)
		flow->resolved_times = 0;
	flow->resolved = address;
	if (++flow->resolved_times == RESOLVED_MAX)
		report(SPIN, program.seed);
}

/* Is the running thread the one whose thread-local variables these are? */
static bool is_own(const struct flow *flow)
{
	return flow && flow->thread == (pid_t)syscall(SYS_gettid);
}

static void handle_fault(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *machine = context;
	struct sigaction action = { .sa_handler = SIG_DFL };
	uint64_t address = (uintptr_t)info->si_addr;
	struct flow *flow = this_flow;
	int saved_errno = errno;

	if (signal == SIGSEGV && info->si_code > 0 && is_in_region(address) &&
	    resolve_fault(address, machine->uc_mcontext.gregs[REG_ERR])) {
		if (is_own(flow))
			count_resolved(flow, address);
		errno = saved_errno;
		return;
	}
	if (is_own(flow) && flow->guarded)
		siglongjmp(flow->escape, 1);
	/* Nothing can be saved: let the fault repeat, and end the process. */
	sigaction(signal, &action, NULL);
	if (info->si_code <= 0)
		raise(signal);
}

static void handle_alarm(int signal)
{
	(void)signal;
}

static void set_up_signals(void)
{
	static const int deadly[] = { SIGSEGV, SIGBUS,	SIGILL,
				      SIGFPE,  SIGTRAP, SIGSYS };
	struct sigaction action = {
		.sa_sigaction = handle_fault,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};
	struct sigaction interrupt = { .sa_handler = handle_alarm };
	struct itimerval interval = {
		{ 0, ALARM_INTERVAL_US },
		{ 0, ALARM_INTERVAL_US },
	};

	for (size_t i = 0; i < COUNT_OF(deadly); i++)
		sigaction(deadly[i], &action, NULL);
	sigaction(SIGALRM, &interrupt, NULL);
	signal(SIGPIPE, SIG_IGN);
	setitimer(ITIMER_REAL, &interval, NULL);
}

/* ---- Steps ---- */

static bool is_chosen(const struct flow *flow, const struct action *action)
{
	const char *at = choice.only;
	size_t length = strlen(action->name);

	if (flow->depth == 0 &&
	    (flow->step < choice.first || flow->step > choice.last))
		return false;
	while (at && (at = strstr(at, action->name))) {
		if ((at == choice.only || at[-1] == ' ') &&
		    (at[length] == ' ' || at[length] == '\0'))
			return true;
		at += length;
	}
	return !choice.only;
}

/* An action may take others: then there is an escape already. */
void flow_take(struct flow *flow, const struct action *action)
{
	const sig_atomic_t guarded = flow->guarded;
	sigjmp_buf outer;

	memcpy(outer, flow->escape, sizeof(outer));
	if (sigsetjmp(flow->escape, 1) == 0) {
		flow->guarded = 1;
		action_take(flow, action);
	}
	memcpy(flow->escape, outer, sizeof(outer));
	flow->guarded = guarded;
	kcov_collect();
}

static void take_step(struct flow *flow)
{
	const struct action *action;

	flow->random = random_stream(flow->seed, flow->step);
	flow->last_address = 0;
	flow->resolved_times = 0;
	action = action_draw(flow);
	if (!is_chosen(flow, action))
		return;
	atomic_fetch_add(&result->steps, 1);
	if (choice.verbose)
		dprintf(STDERR_FILENO, "# %d: %#lx step %u: %s\n", flow->thread,
			flow->seed, flow->step, action->name);
	flow_take(flow, action);
}

void flow_begin(struct flow *flow, const struct flow *parent, uint64_t seed)
{
	*flow = (struct flow){
		.seed = seed,
		.depth = parent ? parent->depth + 1 : 0,
		.random = random_stream(seed, 0),
		.thread = syscall(SYS_gettid),
	};
	this_flow = flow;
	kcov_enter();
}

void flow_run(const struct flow *parent, uint64_t seed, unsigned int steps)
{
	struct flow flow;

	flow_begin(&flow, parent, seed);
	for (; flow.step < steps; flow.step++)
		take_step(&flow);
}

pid_t flow_fork(struct flow *flow)
{
	pid_t *relative = (pid_t *)&program.relatives[draw(flow, RELATIVES)];
	pid_t parent = getpid();
	pid_t child = fork();

	if (child > 0)
		*relative = child;
	if (child == 0) {
		*relative = parent;
		program.threads = 0;
		flow->thread = syscall(SYS_gettid);
		flow->guarded = 0;
	}
	return child;
}

/* ---- The beginning ---- */

static void make_scratch(void)
{
	char *scratch =
		mmap(SCRATCH, SCRATCH_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (scratch != SCRATCH)
		_exit(1);
	mprotect(scratch + SCRATCH_WRITABLE, SCRATCH_READABLE, PROT_READ);
	mprotect(scratch + SCRATCH_WRITABLE + SCRATCH_READABLE, PAGE,
		 PROT_NONE);
}

/* Half of the programs have them, where the kernel does. */
static bool has_native_faults(uint64_t seed)
{
	return mix(seed, PETMEM_IOC_MODE) % 2;
}

static void set_up(uint64_t seed)
{
	program.seed = seed;
	program.owner = mix(seed, seed);
	program.device = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);
	if (program.device < 0)
		_exit(1);
	if (has_native_faults(seed))
		ioctl(program.device, PETMEM_IOC_MODE,
		      &(struct petmem_mode){ .flags = PETMEM_MODE_NATIVE });
	/* setuid() clears this, and thereby forbids /proc/self and ptrace. */
	prctl(PR_SET_DUMPABLE, 1);
	make_scratch();
	descriptors_open();
	set_up_signals();
}

_Noreturn void program_run(uint64_t seed)
{
	struct random random = random_stream(seed, seed);

	set_up(seed);
	flow_run(NULL, seed, 1 + random_next(&random) % STEPS_MAX);
	_exit(0);
}

_Noreturn void program_run_after_exec(uint64_t seed, uint64_t flow_seed)
{
	enum { STEPS = 10 };

	if (!result_attach())
		_exit(1);
	set_up(seed);
	flow_run(NULL, flow_seed, STEPS);
	_exit(0);
}
