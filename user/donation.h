/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * donation.h - move memory blocks from Linux to the module and back.
 *
 * Both functions say on standard output what they did, on standard error what
 * they could not do and why, and return whether all that was asked for is done.
 * blocks is the state of the machine before; device is petmem's.
 */
#ifndef PETMEM_DONATION_H
#define PETMEM_DONATION_H

#include <stdbool.h>
#include <stdint.h>

#include "blocks.h"

#define MEGABYTE (1ULL << 20)
#define GIGABYTE (1ULL << 30)

#define NODE_ANY (-1)

/* How much to take, and from where. */
struct request {
	uint64_t megabytes; /* rounded up to blocks */
	uint64_t blocks; /* more of it, in blocks */
	int node; /* a NUMA node, or NODE_ANY */
};

/*
 * Take what count requests ask for, in their order, from Linux and give it to
 * the module: all or nothing, and nothing if Linux would have too little left.
 * Blocks of which the kernel can move everything away come first, then high
 * addresses before low ones, which are scarcer. Blocks that are offline already
 * belong to somebody else and stay as they are.
 */
bool donate(int device, const struct blocks *blocks,
	    const struct request *requests, size_t count);

/*
 * Take megabytes, rounded up to blocks, back from the module and bring them
 * online; the lowest addresses first; 0 means all. Blocks in use are passed
 * over.
 *
 * They come online as movable memory, whatever they were before: nothing in
 * them can then keep them from being donated again.
 */
bool release(int device, const struct blocks *blocks, uint64_t megabytes);

#endif /* PETMEM_DONATION_H */
