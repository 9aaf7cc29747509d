// SPDX-License-Identifier: GPL-2.0
/*
 * bio.c - the buffer cache: blocks of the disk in memory. There is at most one
 * copy of a block, and one process at a time uses it. Changes go to the disk
 * by way of log.c only.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "bio.h"
#include "defs.h"

static struct spinlock lock = SPINLOCK("bio");
static struct buf bufs[NBUF];
static uint now;		/* counts uses, to find the oldest */

const struct block_device *disk;

/* Choose the disk, and make the cache ready for it. */
void bio_init(void)
{
	struct buf *b;

	disk = ide_find() ? &ide_disk : &ramdisk;
	for (b = bufs; b < &bufs[NBUF]; b++)
		sleeplock_init(&b->lock, "buffer");
}

/*
 * The buffer of @block if there is one, or else the one that nobody has used
 * for the longest time; NULL if all are in use. Context: lock is held.
 */
static struct buf *find(uint block)
{
	struct buf *b, *oldest = NULL;

	for (b = bufs; b < &bufs[NBUF]; b++) {
		if (b->block == block && (b->users || b->valid))
			return b;
		if (!b->users && (!oldest || b->last_use < oldest->last_use))
			oldest = b;
	}
	return oldest;
}

/* The contents of @block, for the caller alone until buf_put(). */
struct buf *buf_get(uint block)
{
	struct buf *b;

	spin_lock(&lock);
	while (!(b = find(block)))
		sleep_on(bufs, &lock);
	if (b->block != block) {
		b->block = block;
		b->valid = 0;
	}
	b->users++;
	spin_unlock(&lock);

	sleep_lock(&b->lock);
	if (!b->valid) {
		disk->read(block, b->data);
		b->valid = 1;
	}
	return b;
}

void buf_put(struct buf *b)
{
	sleep_unlock(&b->lock);
	buf_unpin(b);
}

/* Keep @b, which the caller has, in memory after buf_put(). */
void buf_pin(struct buf *b)
{
	spin_lock(&lock);
	b->users++;
	spin_unlock(&lock);
}

void buf_unpin(struct buf *b)
{
	spin_lock(&lock);
	b->last_use = ++now;
	if (--b->users == 0)
		wake_all(bufs);
	spin_unlock(&lock);
}
