/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * transfer.h - move memory blocks from Linux to the module and back.
 *
 * Both functions report what they did on standard output, and what failed and why
 * on standard error. They return true if everything asked for was done. blocks is
 * the state of the machine before the call; device is petmem's.
 */
#ifndef PETMEM_TRANSFER_H
#define PETMEM_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "blocks.h"

#define MEGABYTE (1ULL << 20)
#define GIGABYTE (1ULL << 30)

#define NODE_ANY (-1)

/* How much to take, and from where. */
struct request {
	uint64_t megabytes; /* rounded up to blocks */
	uint64_t blocks; /* in addition to megabytes */
	int node; /* a NUMA node, or NODE_ANY */
};

/*
 * Take memory from Linux for count requests, in their order, and give it to the
 * module: all or nothing, and nothing if Linux would have too little left. Blocks
 * of movable memory come first; then, if a request is for 1 GiB or more, those
 * that make up an aligned 1 GiB; then high addresses, as low ones are scarcer.
 * Blocks that are offline already belong to somebody else and stay as they are.
 */
bool donate(int device, const struct blocks *blocks,
	    const struct request *requests, size_t count);

/*
 * Take megabytes, rounded up to blocks, back from the module and bring them
 * online, the lowest addresses first; 0 means all. Blocks in use are skipped.
 *
 * Blocks come online as movable memory, whatever they were before, so that they
 * can be donated again.
 */
bool release(int device, const struct blocks *blocks, uint64_t megabytes);

#endif /* PETMEM_TRANSFER_H */
