// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * stale.c - why memory that is freed has to leave the TLB of every processor.
 *
 * A thread on processor 0 reads a page, again and again. A thread on processor 1 frees
 * it. Then a process that has nothing to do with the two gets the page, and writes a
 * secret into it. What does the reader see?
 *
 * With petmem as it is, it gets a page fault, in each of several rounds. missing-invlpg,
 * beside this file, runs the same program with a module that leaves out the invlpg. Even
 * then a round can end with a page fault, by luck: a processor may evict an entry of its
 * TLB at any moment.
 *
 * In the module: petmem_tlb_shootdown() in tlb.c.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "example.h"

#define SECRET 'S'
#define READINGS 100000000L
#define ROUNDS 50

/* How a round ends, as an exit status: the reader has seen ... */
enum { PAGE_FAULT = 10, ITS_PAGE_STILL, A_SECRET, ENDS };

static char *page;
static atomic_bool reading;

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(EXIT_FAILURE, "this takes two processors");
}

static void on_fault(int signal)
{
	(void)signal;
	_exit(PAGE_FAULT);
}

static void *read_on(void *unused)
{
	volatile char *byte = page;
	long i;

	run_on(0);
	for (i = 0; i < READINGS; i++) {
		if (*byte == SECRET)
			_exit(A_SECRET);
		atomic_store(&reading, true);
	}
	_exit(ITS_PAGE_STILL);
	return unused;
}

/* Touch pages when told to: the freed page is among those that this process gets. */
static void other_process(int start)
{
	size_t size = 16 * PAGE;
	char *memory, go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_on(1);
	connect_petmem();
	memory = allocate(size);
	if (read(start, &go, 1) != 1)
		_exit(ENDS);
	memset(memory, SECRET, size);
	pause();
}

static void play_round(void)
{
	int ends[2];
	pthread_t reader;

	signal(SIGSEGV, on_fault); /* what the harness does not handle */
	if (pipe(ends))
		err(EXIT_FAILURE, "pipe");
	if (!fork())
		other_process(ends[0]);
	run_on(1);
	connect_petmem();
	page = allocate(PAGE);
	*page = 'p';
	if (pthread_create(&reader, NULL, read_on, NULL))
		errx(EXIT_FAILURE, "no thread");
	while (!atomic_load(&reading))
		;
	pet_free(page);
	if (write(ends[1], "", 1) != 1)
		err(EXIT_FAILURE, "write");
	pause();
}

int main(void)
{
	int round, status;

	for (round = 1; round <= ROUNDS; round++) {
		if (!fork())
			play_round();
		if (wait(&status) < 0 || !WIFEXITED(status) ||
		    WEXITSTATUS(status) < PAGE_FAULT ||
		    WEXITSTATUS(status) >= ENDS)
			errx(EXIT_FAILURE, "a round came to no end");
		if (WEXITSTATUS(status) == PAGE_FAULT)
			continue;
		printf("round %d: the reader sees %s, by an old TLB entry!\n",
		       round,
		       WEXITSTATUS(status) == A_SECRET
			       ? "another process's secret"
			       : "the page that was freed");
		return 0;
	}
	printf("%d rounds: the reader got a page fault each time, as it should be.\n",
	       ROUNDS);
	return 0;
}
