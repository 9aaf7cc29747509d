/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* shortage.h - has the pool enough for a heap that grows? */
#ifndef PETMEM_SHORTAGE_H
#define PETMEM_SHORTAGE_H

#include <stddef.h>

enum shortage {
	POOL_HAS_PLENTY,
	POOL_IS_SHORT, /* it has enough for the request */
	POOL_IS_EMPTY, /* as good as empty */
};

/*
 * The heap is going to grow by @size bytes. It has got @held bytes of the pool before: what
 * it has not touched of these is as good as used. The answer may be a little older. Any
 * thread may call this; the process must be connected.
 */
enum shortage shortage_ask(size_t held, size_t size);

/* When the pool becomes short, map all pages of the heap that have none yet. */
void shortage_populate(enum shortage shortage);

#endif /* PETMEM_SHORTAGE_H */
