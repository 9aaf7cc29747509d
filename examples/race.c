// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * race.c - threads that touch the same page at the same time.
 *
 * Several processors find the page missing, and fault. The first one brings it, the
 * others find it there: more faults than mappings, and no increment is lost.
 *
 * In the module: petmem_resolve_fault() in on_demand.c, and the locks around it.
 */
#include <pthread.h>
#include <stdio.h>

#include "example.h"

#define THREADS 4
#define PAGES 2000

static char *memory;
static pthread_barrier_t start;

/* All threads meet before each page, so that they touch it together. */
static void *touch_all(void *unused)
{
	size_t i;

	for (i = 0; i < PAGES; i++) {
		pthread_barrier_wait(&start);
		__atomic_fetch_add(&memory[i * PAGE], 1, __ATOMIC_RELAXED);
	}
	return unused;
}

int main(void)
{
	int device = connect_petmem();
	struct petmem_process_info info;
	pthread_t threads[THREADS];
	size_t i, right = 0;

	memory = allocate(PAGES * PAGE);
	pthread_barrier_init(&start, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, touch_all, NULL))
			errx(EXIT_FAILURE, "no thread");
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < PAGES; i++)
		right += memory[i * PAGE] == THREADS;
	info = own_counts(device);
	printf("%d threads, %d pages: %llu pages mapped, %llu faults\n",
	       THREADS, PAGES, info.mapped_pages, info.faults);
	printf("%zu pages have every thread's mark\n", right);
	return right == PAGES ? EXIT_SUCCESS : EXIT_FAILURE;
}
