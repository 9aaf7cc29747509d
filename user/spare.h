/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * spare.h - memory for a heap that cannot ask the module any more.
 *
 * A process may lose its descriptor and the right to open another one, or have forbidden
 * itself ioctl(). So it reserves addresses ahead, which cost nothing. They get their pages
 * when they are touched, as all of petmem's memory does. What is freed meanwhile cannot go
 * back to the pool: it is kept, and used again.
 *
 * All functions may be called by several threads, and beside fork().
 */
#ifndef PETMEM_SPARE_H
#define PETMEM_SPARE_H

#include <stdbool.h>
#include <stddef.h>

/* How far such a heap can grow. */
#define SPARE_SIZE (64UL << 30)

/*
 * Call it once, while there is only one thread, and before jemalloc has prepared for
 * fork(): jemalloc takes its own locks before this one's.
 */
void spare_prepare(void);

/* Reserve the addresses. It may fail: then only what is kept is there. */
void spare_reserve(void);

/*
 * Returns memory or NULL. If *zero is true, the memory reads as zeros; otherwise *zero is
 * set to whether it does. Sizes are multiples of the page size; alignments are powers of
 * two.
 */
void *spare_take(size_t size, size_t alignment, bool *zero);

/* Keep memory that cannot be freed, a multiple of the page size. */
void spare_keep(void *pointer, size_t size);

#endif /* PETMEM_SPARE_H */
