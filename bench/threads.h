/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threads.h - the rows in which threads work at the same time. They run in guests of
 * their own, which have several processors.
 */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

#include "rows.h"

#define MOST_THREADS 8
#define TOUCHED (64 * MIB) /* by all threads together */

/* The size of the pages that a first touch brings. */
static inline size_t page_size(const struct peer *peer)
{
	return peer->traits & PEER_LARGE ? LARGE_PAGE : PAGE_SIZE;
}

/* threads.c: each thread in an area of its own, or all in one area in turns. */
void run_threads_own(const struct peer *peer);
void run_threads_turns(const struct peer *peer);
void run_threads_alloc(const struct peer *peer);

/*
 * Allocate memory, let MOST_THREADS threads touch it for the first time, in turns or in areas
 * of their own, and free it.
 */
void touch_together(const struct peer *peer, size_t size, bool turns);

/* free_wait.c: how long a first touch takes at most while another thread frees memory. */
void run_free_wait(const struct peer *peer);

/* contention.c: how often a thread waits for a lock of petmem's. */
void run_contention(const struct peer *peer);

#endif /* BENCH_THREADS_H */
