// SPDX-License-Identifier: GPL-2.0 OR MIT
/* interrupt.c - signals and time limits in work that must not stop half-way. */

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "interrupt.h"

/* A signal may come just before the system call that it should end: an alarm repeats it. */
#define REPEAT_SECONDS 1

static const int ends[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

static volatile sig_atomic_t caught;
static sigset_t deferred; /* those of ends that are not ignored, and SIGALRM */

static void on_signal(int sig)
{
	if (sig != SIGALRM)
		caught = sig;
	alarm(REPEAT_SECONDS);
}

void interrupt_defer(void)
{
	/* No SA_RESTART: a signal has to end the system call. */
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction old;
	size_t i;

	sigemptyset(&action.sa_mask);
	sigemptyset(&deferred);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		sigaction(ends[i], NULL, &old);
		if (old.sa_handler == SIG_IGN)
			continue;
		sigaddset(&deferred, ends[i]);
	}
	sigaddset(&deferred, SIGALRM);
	sigprocmask(SIG_BLOCK, &deferred, NULL);

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (sigismember(&deferred, ends[i]))
			sigaction(ends[i], &action, NULL);
	sigaction(SIGALRM, &action, NULL);

	/* SIGPIPE must not end the program either. */
	signal(SIGPIPE, SIG_IGN);
}

void interrupt_allow(unsigned int seconds)
{
	alarm(seconds);
	sigprocmask(SIG_UNBLOCK, &deferred, NULL);
}

void interrupt_forbid(void)
{
	/* In this order, so that no alarm stays pending. */
	alarm(0);
	sigprocmask(SIG_BLOCK, &deferred, NULL);
}

int interrupt_signal(void)
{
	sigset_t pending;
	size_t i;

	if (caught)
		return caught;
	sigpending(&pending);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (sigismember(&deferred, ends[i]) &&
		    sigismember(&pending, ends[i]))
			return ends[i];
	return 0;
}

void interrupt_obey(void)
{
	int sig = interrupt_signal();

	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &deferred, NULL);
}
