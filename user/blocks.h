/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * blocks.h - Linux's memory blocks, as sysfs shows them.
 *
 * A memory block is the unit in which memory goes offline and online. All have
 * one size; block number n is the memory from n * size on. The numbers have
 * gaps where the machine has no memory.
 *
 * Functions that return int return 0 or a negative errno.
 */
#ifndef PETMEM_BLOCKS_H
#define PETMEM_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Less is wrong, and so is what is no power of two. x86 has 128 MB. */
#define BLOCK_SIZE_MIN (1ULL << 20)

/* What the kernel uses a block for. */
enum block_zone {
	BLOCK_ZONE_UNKNOWN, /* this kernel does not tell */
	BLOCK_ZONE_NONE, /* several zones at once: it cannot go offline */
	BLOCK_ZONE_KERNEL, /* anything: it goes offline if it is lucky */
	BLOCK_ZONE_MOVABLE, /* only what can be moved away */
};

/* Where this kernel does not tell a block's NUMA node. */
#define BLOCK_NODE_UNKNOWN (-1)

struct block {
	uint64_t number;
	int node;
	bool online;
	enum block_zone zone; /* means something while the block is online */
};

struct blocks {
	const char *root; /* the caller's */
	uint64_t size; /* bytes in a block */
	size_t count;
	struct block *list;
};

/*
 * Read the size and state of all blocks. root is the directory that holds them,
 * /sys/devices/system/memory; it must live as long as blocks is used. Free with
 * blocks_free().
 */
int blocks_read(struct blocks *blocks, const char *root);
void blocks_free(struct blocks *blocks);

/*
 * Take a block offline. 0 means that this call did it; EINVAL that it was
 * offline already, or has a hole. The kernel tries for as long as there is
 * hope, perhaps for ever: a signal that is caught ends that with EINTR. After
 * an error the block is as it was.
 */
int blocks_offline(const struct blocks *blocks, uint64_t number);

/*
 * Bring a block online for the use that zone names; the kernel chooses if it is
 * BLOCK_ZONE_UNKNOWN. 0 if it is online already.
 */
int blocks_online(const struct blocks *blocks, uint64_t number,
		  enum block_zone zone);

#endif /* PETMEM_BLOCKS_H */
