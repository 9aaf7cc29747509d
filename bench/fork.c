// SPDX-License-Identifier: GPL-2.0
/*
 * fork.c - what fork() costs beside memory that is mapped and writable, and what it
 * costs later: the first write of either side, writing everything, and exit.
 *
 * There is one processor, and a child with SCHED_BATCH (measure_instructions()) does not
 * preempt its parent: it runs when the parent waits for it.
 */
#include <err.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "rows.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MOST_ROUNDS 9

static const size_t sizes[] = {
	0, MIB, 4 * MIB, 16 * MIB, 64 * MIB, 256 * MIB, GIB,
};

static const size_t counts[] = { 1, 10, 100, 1000, 10000 };

#define QUICK_SIZE (16 * MIB)
#define QUICK_COUNT 100
/* Two copies of it have to fit in the pool. */
#define WRITE_SIZE (256 * MIB)

/* A child's results for its parent, in memory that both share. */
static struct {
	uint64_t first_write;
	uint64_t write_all;
	uint64_t exit_start;
	uint64_t idle_start;
} * child;

/* The idle meter runs. */
static bool metered;

struct sample {
	uint64_t fork;
	uint64_t parent_write;
	/* From the child's _exit() to the parent's return from waitpid(). */
	uint64_t exit;
	uint64_t idle; /* the part of it in which nobody wanted to run */
};

static void share_results(void)
{
	child = mmap(NULL, sizeof(*child), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (child == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
}

static uint64_t write_byte(char *place)
{
	uint64_t start = clock_read();

	*(volatile char *)place = 2;
	return clock_since(start);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * The timer's interrupt falls into one round or another, and so does a new page for one
 * of the kernel's caches: the median leaves out both.
 */
static uint64_t median(uint64_t *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

/* A large figure needs fewer rounds: the timer's part of it is the same each time. */
static size_t rounds_for(size_t size)
{
	if (size > 64 * MIB)
		return 1;
	return size > 16 * MIB ? 3 : MOST_ROUNDS;
}

/* Fork once; the child runs @body, and ends. The parent may write meanwhile. */
static struct sample fork_once(void (*body)(char *memory, size_t size),
			       char *memory, size_t size, bool parent_writes)
{
	struct sample sample = { 0 };
	uint64_t start;
	pid_t pid;
	int status;

	clock_align();
	start = clock_read();
	pid = fork();
	if (pid == 0) {
		if (body)
			body(memory, size);
		child->idle_start = metered ? clock_idle() : 0;
		child->exit_start = clock_read();
		_exit(EXIT_SUCCESS);
	}
	sample.fork = clock_since(start);
	if (pid < 0)
		err(EXIT_FAILURE, "fork");
	if (parent_writes)
		sample.parent_write = write_byte(memory);
	if (waitpid(pid, &status, 0) != pid || status)
		errx(EXIT_FAILURE, "the child ended with %#x", status);
	sample.exit = clock_since(child->exit_start);
	sample.idle = metered ? clock_idle() - child->idle_start : 0;
	return sample;
}

static void measure_fork(const struct peer *peer, size_t size)
{
	size_t rounds = rounds_for(size), i;
	uint64_t forks[MOST_ROUNDS];
	char *memory = size ? peer->get(size) : NULL;

	for (i = 0; i < rounds; i++) {
		/* Make all of it writable again. */
		touch_pages(memory, size);
		forks[i] = fork_once(NULL, memory, size, false).fork;
	}
	report("fork", peer, size, median(forks, rounds));
	if (size)
		peer->put(memory, size);
}

/* The exit of a child that wrote nothing. It may have to wait, while others can run. */
static void measure_exit(const struct peer *peer, size_t size)
{
	size_t rounds = rounds_for(size), i;
	uint64_t exits[MOST_ROUNDS], waits[MOST_ROUNDS];
	char *memory = size ? peer->get(size) : NULL;
	struct sample sample;

	for (i = 0; i < rounds; i++) {
		touch_pages(memory, size);
		sample = fork_once(NULL, memory, size, false);
		exits[i] = sample.exit - sample.idle;
		waits[i] = sample.idle;
	}
	report("fork-exit", peer, size, median(exits, rounds));
	report("fork-exit-wait", peer, size, median(waits, rounds));
	if (size)
		peer->put(memory, size);
}

static bool fits(const struct peer *peer, size_t size)
{
	if (quick && size > QUICK_SIZE)
		return false;
	return !(peer->traits & PEER_LARGE) || size % LARGE_PAGE == 0;
}

void run_fork(const struct peer *peer)
{
	size_t i;

	share_results();
	warm_up(peer);
	for (i = 0; i < COUNT_OF(sizes); i++)
		if (fits(peer, sizes[i]))
			measure_fork(peer, sizes[i]);
}

void run_fork_exit(const struct peer *peer)
{
	size_t i;

	clock_meter_idle();
	metered = true;
	share_results();
	warm_up(peer);
	for (i = 0; i < COUNT_OF(sizes); i++)
		if (sizes[i] <= WRITE_SIZE && fits(peer, sizes[i]))
			measure_exit(peer, sizes[i]);
}

/* Fork beside many allocations of a page each. */
void run_fork_ranges(const struct peer *peer)
{
	uint64_t forks[MOST_ROUNDS];
	size_t have = 0, c, i, round;
	static char *range[10000];

	share_results();
	/* This array is ordinary memory, which fork copies at the same cost each time. */
	touch_pages((char *)range, sizeof(range));
	warm_up(peer);
	for (c = 0; c < COUNT_OF(counts); c++) {
		if (quick && counts[c] > QUICK_COUNT)
			break;
		while (have < counts[c])
			range[have++] = peer->get(PAGE_SIZE);
		for (round = 0; round < MOST_ROUNDS; round++) {
			for (i = 0; i < have; i++)
				touch_pages(range[i], PAGE_SIZE);
			forks[round] = fork_once(NULL, NULL, 0, false).fork;
		}
		report("fork-ranges", peer, have, median(forks, MOST_ROUNDS));
	}
}

static void write_everything(char *memory, size_t size)
{
	uint64_t start;

	child->first_write = write_byte(memory);
	start = clock_read();
	touch_pages(memory, size);
	child->write_all = clock_since(start);
}

static void measure_write(const struct peer *peer, size_t size)
{
	uint64_t first[MOST_ROUNDS], all[MOST_ROUNDS], parent[MOST_ROUNDS];
	size_t rounds = rounds_for(size), i;
	char *memory = peer->get(size);

	for (i = 0; i < rounds; i++) {
		touch_pages(memory, size);
		fork_once(write_everything, memory, size, false);
		first[i] = child->first_write;
		all[i] = child->write_all;
		touch_pages(memory, size);
		parent[i] = fork_once(NULL, memory, size, true).parent_write;
	}
	report("write-first-child", peer, size, median(first, rounds));
	report("write-first-parent", peer, size, median(parent, rounds));
	report("write-all", peer, size,
	       (double)median(all, rounds) * PAGE_SIZE / size);
	peer->put(memory, size);
}

void run_fork_write(const struct peer *peer)
{
	size_t i;

	share_results();
	warm_up(peer);
	for (i = 0; i < COUNT_OF(sizes); i++)
		if (sizes[i] && sizes[i] <= WRITE_SIZE && fits(peer, sizes[i]))
			measure_write(peer, sizes[i]);
}
