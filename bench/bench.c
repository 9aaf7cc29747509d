// SPDX-License-Identifier: GPL-2.0
/*
 * bench.c - the benchmark's program, which runs in the guest. It measures every row for
 * every peer that the row concerns.
 *
 * Usage: bench [-q] [ROW]...
 *        bench -t|-c
 *
 *   -q   quick: only what the regression check needs
 *   -t   only the rows that measure the time of threads, in a guest with two processors
 *   -c   only how often threads wait for locks, on a kernel that counts it
 *
 * Prints lines of words, for bench/report:
 *
 *   peer NAME LABEL
 *   value ROW PEER X VALUE
 *   skipped ROW PEER REASON
 *   end
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "rows.h"
#include "threads.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The exit status of a peer's process if the peer is not available. */
#define EXIT_ABSENT 77

static const struct row rows[] = {
	{ .name = "touch-one", .unwanted = PEER_EAGER, .run = run_touch_one },
	{ .name = "touch", .run = run_touch },
	{ .name = "alloc-free", .run = run_alloc_free },
	{ .name = "ranges", .wanted = PEER_RANGES, .run = run_ranges },
	{ .name = "full-pool",
	  .wanted = PEER_RANGES | PEER_POOL,
	  .slow = true,
	  .run = run_full_pool },
	{ .name = "fork", .wanted = PEER_FORK, .run = run_fork },
	{ .name = "fork-exit", .wanted = PEER_FORK, .run = run_fork_exit },
	{ .name = "fork-ranges",
	  .wanted = PEER_FORK,
	  .unwanted = PEER_LARGE,
	  .run = run_fork_ranges },
	{ .name = "fork-write", .wanted = PEER_FORK, .run = run_fork_write },
};

static const struct row thread_rows[] = {
	{ .name = "threads-own",
	  .wanted = PEER_THREADS,
	  .run = run_threads_own },
	{ .name = "threads-turns",
	  .wanted = PEER_THREADS,
	  .run = run_threads_turns },
	{ .name = "threads-alloc",
	  .wanted = PEER_THREADS,
	  .unwanted = PEER_LARGE,
	  .run = run_threads_alloc },
	{ .name = "free-wait", .wanted = PEER_THREADS, .run = run_free_wait },
};

static const struct row contention_row = {
	.name = "contention",
	.wanted = PEER_THREADS | PEER_POOL,
	.run = run_contention,
};

/* The module as a whole, for what is not about one peer. */
static const struct peer whole_module = {
	.name = "module",
	.label = "petmem module",
};

bool quick;

void report(const char *row, const struct peer *peer, uint64_t x, double value)
{
	printf("value %s %s %llu %.1f\n", row, peer->name,
	       (unsigned long long)x, value);
	fflush(stdout);
}

static _Noreturn void run_row(const struct row *row, const struct peer *peer)
{
	size_t i;

	for (i = 0; i < MOST_SETTINGS && peer->settings[i]; i++)
		if (putenv((char *)peer->settings[i]))
			err(EXIT_FAILURE, "putenv");
	if (peer->set_up && !peer->set_up())
		_exit(EXIT_ABSENT);
	row->run(peer);
	/* No exit(): it waits for no thread either, and nothing is left to flush. */
	_exit(EXIT_SUCCESS);
}

static void measure(const struct row *row, const struct peer *peer)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		err(EXIT_FAILURE, "fork");
	if (pid == 0)
		run_row(row, peer);
	if (waitpid(pid, &status, 0) != pid)
		err(EXIT_FAILURE, "waitpid");
	if (!WIFEXITED(status))
		printf("skipped %s %s signal %d\n", row->name, peer->name,
		       WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXIT_ABSENT)
		printf("skipped %s %s absent\n", row->name, peer->name);
	else if (WEXITSTATUS(status))
		printf("skipped %s %s failed\n", row->name, peer->name);
	fflush(stdout);
}

static bool concerns(const struct row *row, const struct peer *peer)
{
	return (peer->traits & row->wanted) == row->wanted &&
	       !(peer->traits & row->unwanted) &&
	       !(quick && (row->slow || !(peer->traits & PEER_QUICK)));
}

static bool chosen(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

static void measure_peers(const struct row *row)
{
	size_t i;

	for (i = 0; i < nr_peers; i++)
		if (concerns(row, &peers[i]))
			measure(row, &peers[i]);
}

static void name_peer(const struct peer *peer)
{
	printf("peer %s %s\n", peer->name, peer->label);
}

static void name_peers(void)
{
	size_t i;

	for (i = 0; i < nr_peers; i++)
		name_peer(&peers[i]);
	name_peer(&whole_module);
}

static void measure_instructions(char **names)
{
	/* A process that wakes up does not preempt: the benchmark decides what runs. */
	struct sched_param none = { 0 };
	size_t i;

	if (sched_setscheduler(0, SCHED_BATCH, &none))
		err(EXIT_FAILURE, "SCHED_BATCH");
	clock_init();
	for (i = 0; i < COUNT_OF(rows); i++)
		if (chosen(rows[i].name, names))
			measure_peers(&rows[i]);
	if (chosen("metadata", names))
		run_overhead(&whole_module);
}

static void measure_threads(void)
{
	size_t i;

	for (i = 0; i < COUNT_OF(thread_rows); i++)
		measure_peers(&thread_rows[i]);
}

int main(int argc, char **argv)
{
	bool threads = false, contention = false;
	int option;

	while ((option = getopt(argc, argv, "qtc")) != -1) {
		if (option == 'q')
			quick = true;
		else if (option == 't')
			threads = true;
		else if (option == 'c')
			contention = true;
		else
			return EXIT_FAILURE;
	}
	name_peers();
	if (threads)
		measure_threads();
	else if (contention)
		measure_peers(&contention_row);
	else
		measure_instructions(argv + optind);
	puts("end");
	return EXIT_SUCCESS;
}
