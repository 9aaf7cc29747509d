// SPDX-License-Identifier: GPL-2.0 OR MIT
/* spare.c - memory for a heap that cannot ask the module any more. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "petmem.h"
#include "spare.h"

/*
 * Enough for what the process has allocated before the addresses are reserved, and for two
 * guard pages, each of which moves the next allocation of this size by 1 GiB.
 */
#define ALLOCATED_BEFORE (3UL << 30)

/* Kept memory holds its own record. The list is in order of address, without neighbours. */
struct hole {
	struct hole *next;
	size_t size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct hole *holes;
/* Reserved addresses that were never used. */
static uintptr_t fresh, fresh_end;

static void lock_spare(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_spare(void)
{
	pthread_mutex_unlock(&lock);
}

void spare_prepare(void)
{
	pthread_atfork(lock_spare, unlock_spare, unlock_spare);
}

/* At the end of the region, so that the heap's largest hole stays one. */
void spare_reserve(void)
{
	const char *populate = secure_getenv("PETMEM_POPULATE");
	void *below;

	pet_populate_always(0);
	below = pet_malloc(PETMEM_REGION_SIZE - SPARE_SIZE - ALLOCATED_BEFORE);
	fresh = (uintptr_t)pet_malloc(SPARE_SIZE);
	if (fresh)
		fresh_end = fresh + SPARE_SIZE;
	pet_free(below);
	pet_populate_always(populate && strcmp(populate, "1") == 0);
}

/* Add a hole, and unite it with its neighbours. */
static void add_hole(uintptr_t start, size_t size)
{
	struct hole *hole = (struct hole *)start, *before = NULL;
	struct hole **link = &holes;

	while (*link && *link < hole) {
		before = *link;
		link = &before->next;
	}
	*hole = (struct hole){ .next = *link, .size = size };
	*link = hole;
	if (hole->next && start + size == (uintptr_t)hole->next) {
		hole->size += hole->next->size;
		hole->next = hole->next->next;
	}
	if (before && (uintptr_t)before + before->size == start) {
		before->size += hole->size;
		before->next = hole->next;
	}
}

/* Take the first hole that is large enough out of the list, and put back what is left. */
static void *take_hole(size_t size, size_t alignment)
{
	uintptr_t start, aligned, end;
	struct hole **link, *hole;

	for (link = &holes; (hole = *link) != NULL; link = &hole->next) {
		start = (uintptr_t)hole;
		end = start + hole->size;
		aligned = (start + alignment - 1) & -alignment;
		if (aligned > end || end - aligned < size)
			continue;
		*link = hole->next;
		if (aligned + size < end)
			add_hole(aligned + size, end - aligned - size);
		if (start < aligned)
			add_hole(start, aligned - start);
		return (void *)aligned;
	}
	return NULL;
}

static void *take_fresh(size_t size, size_t alignment)
{
	uintptr_t aligned = (fresh + alignment - 1) & -alignment;

	if (aligned > fresh_end || fresh_end - aligned < size)
		return NULL;
	fresh = aligned + size;
	return (void *)aligned;
}

void *spare_take(size_t size, size_t alignment, bool *zero)
{
	void *pointer;
	bool used;

	if (alignment < PETMEM_PAGE_SIZE)
		alignment = PETMEM_PAGE_SIZE;
	lock_spare();
	pointer = take_hole(size, alignment);
	used = pointer != NULL;
	if (!used)
		pointer = take_fresh(size, alignment);
	unlock_spare();
	if (used && *zero)
		memset(pointer, 0, size);
	else if (pointer)
		*zero = !used;
	return pointer;
}

void spare_keep(void *pointer, size_t size)
{
	lock_spare();
	add_hole((uintptr_t)pointer, size);
	unlock_spare();
}
