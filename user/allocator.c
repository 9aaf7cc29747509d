// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * allocator.c - those of malloc()'s relatives that jemalloc's own cannot do as they are.
 *
 * A pointer may be another allocator's: a plugin may have bound the C library's malloc(),
 * or have one of its own. The functions that take a pointer look at its address, and leave
 * such memory to the library that would have got it without petmem. The Makefile renames
 * jemalloc's functions to jemalloc_*.
 */
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
