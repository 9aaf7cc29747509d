// SPDX-License-Identifier: GPL-2.0
/* signals.c - petmem's SIGSEGV handler beside a program's own use of SIGSEGV. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "guest.h"

static char *const stray = (char *)0x123000;

static sigjmp_buf escape;
static siginfo_t seen;
static int seen_errno;

static void remember(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	seen = *info;
	seen_errno = errno;
	siglongjmp(escape, 1);
}

static void install(int flags)
{
	struct sigaction action = { .sa_sigaction = remember,
				    .sa_flags = SA_SIGINFO | flags };

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
}

static void chained(void)
{
	install(0);
	CHECK(init_petmem() == 0);
	*(char *)must_malloc(PAGE) = 1;
	errno = ERANGE;
	if (sigsetjmp(escape, 1) == 0)
		*(volatile char *)stray = 1;
	CHECK(seen.si_addr == stray && seen.si_code == SEGV_MAPERR);
	CHECK(seen_errno == ERANGE);
	/* Inside the region, in no allocation: it is the program's as well. */
	if (sigsetjmp(escape, 1) == 0)
		*(volatile char *)(REGION + GIB) = 1;
	CHECK(seen.si_addr == REGION + GIB);
	*(char *)must_malloc(PAGE) = 1;
}

static void sent(void)
{
	install(0);
	CHECK(init_petmem() == 0);
	if (sigsetjmp(escape, 1) == 0)
		raise(SIGSEGV);
	CHECK(seen.si_code <= 0 && seen.si_pid == getpid());
}

static void send_to_self(void *argument)
{
	(void)argument;
	CHECK(init_petmem() == 0);
	raise(SIGSEGV);
}

static void stray_access(void *argument)
{
	(void)argument;
	CHECK(init_petmem() == 0);
	*(volatile char *)stray = 1;
}

static void null_access(void *argument)
{
	volatile char *volatile null = argument;

	CHECK(init_petmem() == 0);
	*null = 1;
}

static void heap_overrun(void *argument)
{
	volatile char *heap = malloc(PAGE);

	(void)argument;
	CHECK(heap != NULL);
	CHECK(init_petmem() == 0);
	for (size_t i = 0;; i++)
		heap[i] = 1;
}

static void default_action(void)
{
	signal(SIGSEGV, SIG_DFL);
	CHECK(dies_by(SIGSEGV, send_to_self, NULL));
	CHECK(dies_by(SIGSEGV, stray_access, NULL));
	CHECK(dies_by(SIGSEGV, null_access, NULL));
	CHECK(dies_by(SIGSEGV, heap_overrun, NULL));
}

static void ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	join(spawn(send_to_self, NULL));
	CHECK(dies_by(SIGSEGV, stray_access, NULL));
}

static void errno_kept(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGE);
	errno = EDOM;
	memory[0] = 1;
	CHECK(errno == EDOM);
}

static ucontext_t main_context, petmem_context;
static volatile int depth_reached;

static int dig(int depth)
{
	volatile char frame[PAGE];

	frame[0] = depth;
	depth_reached = depth;
	return depth ? dig(depth - 1) + frame[0] : 0;
}

static void on_petmem_stack(void)
{
	dig(100);
}

/* The faults come while the stack pointer itself is in untouched petmem memory. */
static void stack_in_petmem(void)
{
	size_t size = MIB;

	connect_petmem();
	CHECK(getcontext(&petmem_context) == 0);
	petmem_context.uc_stack.ss_sp = must_malloc(size);
	petmem_context.uc_stack.ss_size = size;
	petmem_context.uc_link = &main_context;
	makecontext(&petmem_context, on_petmem_stack, 0);
	/* makecontext() has touched the top, and nothing below. */
	CHECK(swapcontext(&main_context, &petmem_context) == 0);
	CHECK(depth_reached == 0);
}

static void *touch_in_thread(void *argument)
{
	fill(argument, PAGE, 5);
	return NULL;
}

static void other_thread(void)
{
	pthread_t thread;
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGE);
	CHECK(pthread_create(&thread, NULL, touch_in_thread, memory) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(holds(memory, PAGE, 5));
}

static const struct guest_case cases[] = {
	{ "faults that are not petmem's reach the program's handler", chained },
	{ "a signal that is sent reaches it too", sent },
	{ "the default action: NULL, a stray pointer, a heap overrun",
	  default_action },
	{ "SIGSEGV ignored", ignored },
	{ "errno is kept", errno_kept },
	{ "a stack in petmem memory", stack_in_petmem },
	{ "a thread without an alternate stack", other_thread },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
