// SPDX-License-Identifier: GPL-2.0
/*
 * threads.c - threads that touch fresh memory, or allocate and free, at the same time. In
 * nanoseconds: instructions cannot show how long one waits for another.
 */
#include "threads.h"

#include <err.h>
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"

#define ROUNDS 5
#define PAIRS 8192 /* of an allocation and a free, by all threads together */

struct worker {
	pthread_t thread;
	pthread_barrier_t *together;
	void (*work)(const struct worker *worker);
	const struct peer *peer;
	/* The memory that all workers touch. */
	char *memory;
	size_t size;
	unsigned int number;
	unsigned int count;
};

/* A row: the work, and into how many pieces the time is divided for the report. */
struct kind {
	const char *row;
	void (*work)(const struct worker *worker);
	size_t pieces;
};

static void touch_own_area(const struct worker *worker)
{
	size_t size = worker->size / worker->count;

	touch_every(worker->memory + worker->number * size, size,
		    page_size(worker->peer));
}

static void touch_in_turns(const struct worker *worker)
{
	size_t page = page_size(worker->peer);
	size_t first = worker->number * page;

	touch_every(worker->memory + first, worker->size - first,
		    worker->count * page);
}

static void allocate_and_free(const struct worker *worker)
{
	unsigned int i;

	for (i = 0; i < PAIRS / worker->count; i++)
		worker->peer->put(worker->peer->get(PAGE_SIZE), PAGE_SIZE);
}

static void *start_work(void *argument)
{
	const struct worker *worker = argument;

	pthread_barrier_wait(worker->together);
	worker->work(worker);
	return NULL;
}

/* How long @count threads take to do the work. */
static uint64_t time_workers(const struct kind *kind, const struct peer *peer,
			     char *memory, size_t size, unsigned int count)
{
	struct worker workers[MOST_THREADS];
	pthread_barrier_t together;
	uint64_t start;
	unsigned int i;

	pthread_barrier_init(&together, NULL, count + 1);
	for (i = 0; i < count; i++) {
		workers[i] = (struct worker){ .together = &together,
					      .work = kind->work,
					      .peer = peer,
					      .memory = memory,
					      .size = size,
					      .number = i,
					      .count = count };
		if (pthread_create(&workers[i].thread, NULL, start_work,
				   &workers[i]))
			errx(EXIT_FAILURE, "no thread");
	}
	start = clock_nanoseconds();
	pthread_barrier_wait(&together);
	for (i = 0; i < count; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_barrier_destroy(&together);
	return clock_nanoseconds() - start;
}

static uint64_t time_round(const struct kind *kind, const struct peer *peer,
			   size_t size, unsigned int count)
{
	char *memory = peer->get(size);
	uint64_t time = time_workers(kind, peer, memory, size, count);

	peer->put(memory, size);
	return time;
}

/*
 * Report the best of some rounds, since the host has other things to do. The numbers of
 * threads take turns, so that a busy minute of the host slows all of them.
 */
static void run_kind(const struct kind *kind, const struct peer *peer)
{
	uint64_t best[MOST_THREADS + 1];
	unsigned int count, round;

	for (round = 0; round < ROUNDS; round++)
		for (count = 1; count <= MOST_THREADS; count *= 2) {
			uint64_t time = time_round(kind, peer, TOUCHED, count);

			if (round == 0 || time < best[count])
				best[count] = time;
		}
	for (count = 1; count <= MOST_THREADS; count *= 2)
		report(kind->row, peer, count,
		       (double)best[count] / kind->pieces);
}

static const struct kind own_area = {
	.row = "threads-own",
	.work = touch_own_area,
	.pieces = TOUCHED / PAGE_SIZE,
};

static const struct kind in_turns = {
	.row = "threads-turns",
	.work = touch_in_turns,
	.pieces = TOUCHED / PAGE_SIZE,
};

static const struct kind pairs = {
	.row = "threads-alloc",
	.work = allocate_and_free,
	.pieces = PAIRS,
};

void run_threads_own(const struct peer *peer)
{
	run_kind(&own_area, peer);
}

void run_threads_turns(const struct peer *peer)
{
	run_kind(&in_turns, peer);
}

void run_threads_alloc(const struct peer *peer)
{
	run_kind(&pairs, peer);
}

void touch_together(const struct peer *peer, size_t size, bool turns)
{
	time_round(turns ? &in_turns : &own_area, peer, size, MOST_THREADS);
}
