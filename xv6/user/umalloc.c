// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * umalloc.c - malloc() and free().
 *
 * Each block, free or not, begins with its length. Free blocks are kept in a
 * list in order of address, so that neighbours can be merged when one is freed;
 * malloc() takes the first that is long enough and grows memory with sbrk() when
 * there is none. The program may call sbrk() too: blocks are merged only where
 * they really touch.
 *
 *	| bytes | next | ...unused... |      a free block
 *	| bytes | pad  | user's data  |      one in use
 */
#include "types.h"
#include "user.h"

struct block {
	uint bytes;		/* length, this header included */
	struct block *next;	/* the next free block; unused while allocated */
};

#define GROW_BYTES 32768	/* least to ask of sbrk() */
#define MAX_BYTES 0x7fffffff	/* sbrk() takes a signed number */

static struct block *free_list;

static struct block *end_of(struct block *b)
{
	return (struct block *)((char *)b + b->bytes);
}

/* Put @b into the list, merged with the free blocks it touches. */
static void insert(struct block *b)
{
	struct block *before = 0, *after = free_list;

	while (after && after < b) {
		before = after;
		after = after->next;
	}
	b->next = after;
	if (after && end_of(b) == after) {
		b->bytes += after->bytes;
		b->next = after->next;
	}
	if (!before) {
		free_list = b;
	} else if (end_of(before) == b) {
		before->bytes += b->bytes;
		before->next = b->next;
	} else {
		before->next = b;
	}
}

/* Take @bytes from the free block that *@link points to. */
static struct block *carve(struct block **link, uint bytes)
{
	struct block *b = *link;
	struct block *rest;

	if (b->bytes - bytes < 2 * sizeof(struct block)) {
		*link = b->next;
		return b;
	}
	rest = (struct block *)((char *)b + bytes);
	rest->bytes = b->bytes - bytes;
	rest->next = b->next;
	*link = rest;
	b->bytes = bytes;
	return b;
}

static struct block *first_fit(uint bytes)
{
	struct block **link;

	for (link = &free_list; *link; link = &(*link)->next)
		if ((*link)->bytes >= bytes)
			return carve(link, bytes);
	return 0;
}

/* Make the heap longer by at least @bytes; 0 if the kernel has no more. */
static int grow(uint bytes)
{
	struct block *b;

	if (bytes < GROW_BYTES)
		bytes = GROW_BYTES;
	b = (struct block *)sbrk(bytes);
	if (b == (struct block *)-1)
		return 0;
	b->bytes = bytes;
	insert(b);
	return 1;
}

void *malloc(uint bytes)
{
	uint unit = sizeof(struct block);
	struct block *b;

	if (bytes > MAX_BYTES - 2 * unit)
		return 0;
	bytes = unit + (bytes + unit - 1) / unit * unit;
	b = first_fit(bytes);
	if (!b && grow(bytes))
		b = first_fit(bytes);
	return b ? b + 1 : 0;
}

void free(void *p)
{
	if (p)
		insert((struct block *)p - 1);
}
