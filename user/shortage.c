// SPDX-License-Identifier: GPL-2.0 OR MIT
/* shortage.c - has the pool enough for a heap that grows? */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "descriptor.h"
#include "direct.h"
#include "harness.h"
#include "petmem.h"
#include "shortage.h"
#include "spare.h"

/*
 * An answer costs two commands, of which one walks through the page tables. So it holds
 * while the heap grows by this part of the pool.
 */
#define WINDOWS 128
/* A pool with less is as good as empty: bookkeeping and copies after a fork need some. */
#define EMPTY_WINDOWS 2
/* A pool with less is short. */
#define SHORT_WINDOWS 16

static atomic_int last_answer; /* enum shortage */
static atomic_size_t window_left;

/* Returns false if @size is more than what is left of the window. */
static bool use_window(size_t size)
{
	size_t left = atomic_load(&window_left);

	do {
		if (left < size)
			return false;
	} while (!atomic_compare_exchange_weak(&window_left, &left,
					       left - size));
	return true;
}

/* The bytes of the heap that have no page yet. */
static size_t untouched(int fd, size_t held)
{
	struct petmem_process_info info = { 0 };
	size_t touched;

	if (direct_ioctl(fd, PETMEM_IOC_PROCESS, &info))
		return held;
	touched = info.mapped_pages * PETMEM_PAGE_SIZE;
	return touched < held ? held - touched : 0;
}

static enum shortage ask_module(size_t needed, size_t held)
{
	struct petmem_status status = { 0 };
	int fd = pet_descriptor();
	size_t window, left;

	if (fd < 0 || direct_ioctl(fd, PETMEM_IOC_STATUS, &status))
		return POOL_HAS_PLENTY; /* the allocation will tell */
	window = status.total_pages * PETMEM_PAGE_SIZE / WINDOWS;
	left = status.free_pages * PETMEM_PAGE_SIZE;
	needed += untouched(fd, held);
	left = left > needed ? left - needed : 0;
	atomic_store(&window_left, window);
	if (left < EMPTY_WINDOWS * window)
		return POOL_IS_EMPTY;
	return left < SHORT_WINDOWS * window ? POOL_IS_SHORT : POOL_HAS_PLENTY;
}

enum shortage shortage_ask(size_t held, size_t size)
{
	int saved_errno = errno;

	if (!use_window(size))
		atomic_store(&last_answer, ask_module(size, held));
	errno = saved_errno;
	return atomic_load(&last_answer);
}

/* All but the addresses that are reserved for bad times. */
static void populate_all(int fd)
{
	struct petmem_span span = { .addr = PETMEM_REGION_START };

	while (span.addr < PETMEM_REGION_END) {
		span.kind = 0;
		if (direct_ioctl(fd, PETMEM_IOC_SPAN, &span))
			return;
		if (span.kind == PETMEM_SPAN_UNTOUCHED &&
		    span.range_size < SPARE_SIZE &&
		    pet_populate((void *)span.addr, span.size))
			return;
		span.addr += span.size;
	}
}

void shortage_populate(enum shortage shortage)
{
	static atomic_bool done;
	int saved_errno = errno;
	int fd;

	if (shortage == POOL_HAS_PLENTY) {
		atomic_store(&done, false);
	} else if (!atomic_exchange(&done, true)) {
		fd = pet_descriptor();
		if (fd >= 0)
			populate_all(fd);
	}
	errno = saved_errno;
}
