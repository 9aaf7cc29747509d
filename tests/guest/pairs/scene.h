/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scene.h - the memory that all operations share, and its contents.
 *
 * Some pages of it are slots. A slot's page begins with words that sides own, and the
 * rest is a pattern that nobody changes:
 *
 *    word 0   1   2   3   4 ... 7   8 ...              511
 *   +-------+---+-------+---------+-----------------------+
 *   | owned by  | written | unused | the slot's pattern   |
 *   | side 0, 1 | by calls|        |                      |
 *   +-------+---+-------+---------+-----------------------+
 *
 * An owned word holds 0 or a tag of the scenario that wrote it.
 */
#ifndef PAIRS_SCENE_H
#define PAIRS_SCENE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../guest.h"

struct side;

#define LARGE (2 * MIB)

/* Each of these page tables has one page: a walker takes long. */
#define SPARSE_SLOTS ((size_t)512)
#define SMALL_SLOTS ((size_t)32)
#define LARGE_PAGES ((size_t)2)
#define LARGE_SLOTS ((size_t)8)
#define GIANT_SLOTS ((size_t)2)
#define SLOTS (SPARSE_SLOTS + SMALL_SLOTS + LARGE_SLOTS + GIANT_SLOTS)

struct scene {
	uint32_t scenario; /* its number, in the tags */
	char *sparse; /* one 4 KiB page in each 2 MiB */
	char *small; /* 4 KiB pages */
	char *large; /* 2 MiB pages, where the kernel has them */
	char *giant; /* 1 GiB page, where the pool has some; else NULL */
};

extern struct scene scene;

/* Connect to petmem, and make the memory with its patterns. */
void scene_make(void);

/* Make the same allocations again after the region was unmapped. */
void scene_allocate(void);

/* The address of a slot's page. */
char *slot_address(size_t slot);

/* A random slot that exists. */
size_t slot_draw(struct side *side);

/* The word of a slot that the side's system calls may write. */
uint64_t *word_for_calls(struct side *side, size_t slot);

/* Check that a slot is as the side left it. */
void look(struct side *side, size_t slot);

/* Write the side's word of a slot. */
void put(struct side *side, size_t slot);

/* From now on the side does not know its word of the slot. */
void forget(struct side *side, size_t slot);

/*
 * Run @body, which may fault, in this thread; false if petmem does not resolve a fault
 * in it.
 */
bool attempt(void (*body)(void *argument), void *argument);

#endif /* PAIRS_SCENE_H */
