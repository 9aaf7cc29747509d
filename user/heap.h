/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* heap.h - where the memory of libpetmem-malloc.so's heap is. */
#ifndef PETMEM_HEAP_H
#define PETMEM_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "petmem.h"

/*
 * Ordinary memory of the heap, which the program gets when there is no petmem, lies in the
 * slot behind the region. So an address alone tells whether jemalloc handed it out.
 */
#define HEAP_ORDINARY_START PETMEM_REGION_END
#define HEAP_END (HEAP_ORDINARY_START + PETMEM_REGION_SIZE)

/* Did this library hand out the memory, and not another allocator? */
static inline bool heap_owns(const void *pointer)
{
	return (uintptr_t)pointer - PETMEM_REGION_START <
	       HEAP_END - PETMEM_REGION_START;
}

/*
 * May the heap call the module? Returns what held before. If not, it gets its memory from
 * spare.h, and gives nothing back.
 */
bool heap_allow_calls(bool allow);

#endif /* PETMEM_HEAP_H */
