/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * blocks.h - Linux's memory blocks, as sysfs shows them.
 *
 * A memory block is the unit in which memory goes offline and online. All blocks
 * have the same size, and block n begins at address n * size. The numbers have
 * gaps where the machine has no memory.
 *
 * Functions that return int return 0 or a negative errno.
 */
#ifndef PETMEM_BLOCKS_H
#define PETMEM_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A size must be a power of two and at least this. On x86 it is 128 MB. */
#define BLOCK_SIZE_MIN (1ULL << 20)

/* What the kernel uses a block for. */
enum block_zone {
	BLOCK_ZONE_UNKNOWN, /* this kernel does not say */
	BLOCK_ZONE_NONE, /* several zones at once: it cannot go offline */
	BLOCK_ZONE_KERNEL, /* anything: it may fail to go offline */
	BLOCK_ZONE_MOVABLE, /* only movable memory */
};

/* This kernel does not say in which NUMA node a block lies. */
#define BLOCK_NODE_UNKNOWN (-1)

struct block {
	uint64_t number;
	int node;
	bool online;
	enum block_zone zone; /* valid while the block is online */
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
 * Take a block offline. Returns 0 only if this call did it; EINVAL if the block
 * was offline already or has a hole. The kernel may retry for ever: a caught
 * signal stops it with EINTR. After an error the block is unchanged.
 */
int blocks_offline(const struct blocks *blocks, uint64_t number);

/*
 * Bring a block online in a zone; with BLOCK_ZONE_UNKNOWN the kernel chooses one.
 * Returns 0 if the block is online already.
 */
int blocks_online(const struct blocks *blocks, uint64_t number,
		  enum block_zone zone);

#endif /* PETMEM_BLOCKS_H */
