// SPDX-License-Identifier: GPL-2.0
/*
 * threads.c - one thread, and two at once, touching memory of their own for the first
 * time. In nanoseconds: instructions cannot show how long one waits for the other.
 */
#include <err.h>
#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "rows.h"

#define THREADS 2
#define ROUNDS 5
#define EACH (16 * MIB)

static pthread_barrier_t together;

static void *touch_share(void *memory)
{
	pthread_barrier_wait(&together);
	touch_pages(memory, EACH);
	return NULL;
}

/* The time that @count threads take to touch their shares. */
static uint64_t time_threads(char *memory, unsigned int count)
{
	pthread_t threads[THREADS];
	uint64_t start;
	unsigned int i;

	pthread_barrier_init(&together, NULL, count + 1);
	for (i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, touch_share,
				   memory + i * EACH))
			errx(EXIT_FAILURE, "no thread");
	start = clock_nanoseconds();
	pthread_barrier_wait(&together);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&together);
	return clock_nanoseconds() - start;
}

/* Report the best of some rounds: the host has other things to do. */
void run_threads(const struct peer *peer)
{
	unsigned int count, round;

	for (count = 1; count <= THREADS; count++) {
		uint64_t best = UINT64_MAX;

		for (round = 0; round < ROUNDS; round++) {
			char *memory = peer->get(count * EACH);
			uint64_t time = time_threads(memory, count);

			best = time < best ? time : best;
			peer->put(memory, count * EACH);
		}
		report("threads", peer, count,
		       (double)best * PAGE_SIZE / (count * EACH));
	}
}
