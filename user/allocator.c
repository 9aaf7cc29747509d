// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * allocator.c - those of malloc()'s relatives that jemalloc's own cannot do as they are.
 *
 * A pointer may be another allocator's: a plugin may have bound the C library's malloc(),
 * or have one of its own. The functions that take a pointer look at its address, and leave
 * such memory to the library that would have got it without petmem. The Makefile renames
 * jemalloc's functions to jemalloc_*.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "heap.h"
#include "next.h"
#include "petmem.h"

void jemalloc_free(void *pointer);
void *jemalloc_realloc(void *pointer, size_t size);
size_t jemalloc_malloc_usable_size(void *pointer);
void *jemalloc_memalign(size_t alignment, size_t size);

EXPORT void free(void *pointer)
{
	if (heap_owns(pointer))
		jemalloc_free(pointer);
	else if (pointer)
		NEXT(free)(pointer);
}

/* C23's. The sizes are for checks that jemalloc does not make either. */
EXPORT void free_sized(void *pointer, size_t size)
{
	(void)size;
	free(pointer);
}

EXPORT void free_aligned_sized(void *pointer, size_t alignment, size_t size)
{
	(void)alignment;
	(void)size;
	free(pointer);
}

EXPORT void *realloc(void *pointer, size_t size)
{
	if (!pointer || heap_owns(pointer))
		return jemalloc_realloc(pointer, size);
	return NEXT(realloc)(pointer, size);
}

EXPORT size_t malloc_usable_size(void *pointer)
{
	if (!pointer || heap_owns(pointer))
		return jemalloc_malloc_usable_size(pointer);
	return NEXT(malloc_usable_size)(pointer);
}

/* ---- Alignments, as the C library takes them ---- */

/* Any number will do: it is rounded up to a power of two. */
EXPORT void *memalign(size_t alignment, size_t size)
{
	size_t power = sizeof(void *);

	while (power < alignment && power <= SIZE_MAX / 2)
		power *= 2;
	if (power < alignment) {
		errno = EINVAL;
		return NULL;
	}
	return jemalloc_memalign(power, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
#if __GLIBC_PREREQ(2, 38)
	if (!alignment || (alignment & (alignment - 1))) {
		errno = EINVAL;
		return NULL;
	}
#endif
	return memalign(alignment, size);
}

/* jemalloc lacks it. */
EXPORT void *pvalloc(size_t size)
{
	size_t page = PETMEM_PAGE_SIZE;

	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	return memalign(page, (size + page - 1) / page * page);
}
