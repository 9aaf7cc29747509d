// SPDX-License-Identifier: GPL-2.0
/*
 * clock.c - see clock.h.
 */
#define _GNU_SOURCE
#include "clock.h"

#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000ULL

/* The instructions of a test loop. The clock may be off by one part in TOLERANCE. */
#define LOOP_ROUNDS 100000ULL
#define LOOP_INSTRUCTIONS (2 * LOOP_ROUNDS)
#define TOLERANCE 20

static uint64_t overhead;

uint64_t clock_since(uint64_t start)
{
	uint64_t elapsed = clock_read() - start;

	return elapsed > overhead ? elapsed - overhead : 0;
}

static uint64_t run_loop(void)
{
	uint64_t rounds = LOOP_ROUNDS;
	uint64_t start = clock_read();

	asm volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
	return clock_since(start);
}

void clock_init(void)
{
	uint64_t start = clock_read();
	uint64_t loop;

	overhead = clock_read() - start;
	loop = run_loop();
	if (loop < LOOP_INSTRUCTIONS ||
	    loop > LOOP_INSTRUCTIONS + LOOP_INSTRUCTIONS / TOLERANCE)
		errx(EXIT_FAILURE,
		     "the clock does not count instructions: %llu for %llu",
		     (unsigned long long)loop, LOOP_INSTRUCTIONS);
}

/* Two readings in a row are less than this apart, unless there was an interrupt. */
#define INTERRUPTED 1000

void clock_align(void)
{
	uint64_t now = clock_read(), last;

	do {
		last = now;
		now = clock_read();
	} while (now - last < INTERRUPTED);
}

/* The instructions in one round of the idle meter. */
#define METER_INSTRUCTIONS 2

static uint64_t *meter;

static _Noreturn void run_meter(void)
{
	struct sched_param none = { 0 };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) ||
	    sched_setscheduler(0, SCHED_IDLE, &none))
		_exit(EXIT_FAILURE);
	asm volatile("1: incq %0\n\tjmp 1b" : "+m"(*meter));
	__builtin_unreachable();
}

void clock_meter_idle(void)
{
	pid_t pid;

	meter = mmap(NULL, sizeof(*meter), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (meter == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	pid = fork();
	if (pid < 0)
		err(EXIT_FAILURE, "fork");
	if (pid == 0)
		run_meter();
}

uint64_t clock_idle(void)
{
	return METER_INSTRUCTIONS * *(volatile uint64_t *)meter;
}

uint64_t clock_nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}
