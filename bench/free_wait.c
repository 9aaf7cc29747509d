// SPDX-License-Identifier: GPL-2.0
/*
 * free_wait.c - one thread frees much memory, and another one touches fresh pages
 * meanwhile. Reported is the longest time that one of these touches took.
 */
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "threads.h"

#define ROUNDS 3
#define FREED GIB
#define FRESH (128 * MIB)

static char *fresh;
static atomic_bool touching, freed;
static uint64_t longest;

/* Touch page after page until the memory is freed. */
static void *touch_meanwhile(void *unused)
{
	size_t offset;

	(void)unused;
	longest = 0;
	atomic_store(&touching, true);
	for (offset = 0; offset < FRESH && !atomic_load(&freed);
	     offset += PAGE_SIZE) {
		uint64_t start = clock_nanoseconds(), time;

		*(volatile char *)(fresh + offset) = 1;
		time = clock_nanoseconds() - start;
		if (time > longest)
			longest = time;
	}
	return NULL;
}

/* Returns the longest touch beside one free. */
static uint64_t measure_free(const struct peer *peer)
{
	char *memory = peer->get(FREED);
	pthread_t thread;

	fresh = peer->get(FRESH);
	touch_pages(memory, FREED);
	touch_pages(fresh, PAGE_SIZE);
	atomic_store(&touching, false);
	atomic_store(&freed, false);
	if (pthread_create(&thread, NULL, touch_meanwhile, NULL))
		errx(EXIT_FAILURE, "no thread");
	while (!atomic_load(&touching))
		;
	peer->put(memory, FREED);
	atomic_store(&freed, true);
	pthread_join(thread, NULL);
	peer->put(fresh, FRESH);
	return longest;
}

/* Report the least of some rounds: the host can stop a processor at any time. */
void run_free_wait(const struct peer *peer)
{
	uint64_t least = UINT64_MAX;
	unsigned int round;

	for (round = 0; round < ROUNDS; round++) {
		uint64_t wait = measure_free(peer);

		least = wait < least ? wait : least;
	}
	report("free-wait", peer, FREED, (double)least);
}
