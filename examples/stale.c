// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * stale.c - why memory that is freed has to leave the TLB of every processor.
 *
 * A thread reads a page on processor 0, again and again. Another one frees it, on
 * processor 1. Then a process that has nothing to do with the two gets the page, and
 * writes a secret into it. What does the reader see?
 *
 * With petmem as it is, a page fault: it dies by SIGSEGV. missing-invlpg, beside this
 * file, runs the same program with a module that forgets the invlpg.
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
#include <unistd.h>

#include "example.h"

#define SECRET 'S'
#define READINGS 400000000L

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

static void say(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		_exit(EXIT_FAILURE);
}

static void on_fault(int signal)
{
	(void)signal;
	say("reader: a page fault. The page is gone, as it should be.\n");
	_exit(EXIT_SUCCESS);
}

static void *read_on(void *unused)
{
	volatile char *byte = page;
	long i;

	run_on(0);
	for (i = 0; i < READINGS; i++) {
		if (*byte == SECRET) {
			say("reader: another process's secret, by an old TLB entry!\n");
			_exit(EXIT_SUCCESS);
		}
		atomic_store(&reading, true);
	}
	say("reader: it still reads the page that was freed, by an old TLB entry!\n");
	_exit(EXIT_SUCCESS);
	return unused;
}

/* Gets pages as soon as it is told to, the one that was freed among them. */
static void other_process(int start)
{
	size_t size = 16 * PAGE;
	char *memory, go;

	run_on(1);
	if (read(start, &go, 1) != 1)
		_exit(EXIT_FAILURE);
	connect_petmem();
	memory = allocate(size);
	memset(memory, SECRET, size);
	pause();
}

int main(void)
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
	say("main: pet_free\n");
	pet_free(page);
	if (write(ends[1], "", 1) != 1)
		err(EXIT_FAILURE, "write");
	pause();
	return 0;
}
