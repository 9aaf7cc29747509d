/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bio.h - the disk, and copies of its blocks in memory.
 */
#ifndef BIO_H
#define BIO_H

#include "fs.h"
#include "sleeplock.h"

/* A disk driver. Both functions return when it is done; they may sleep. */
struct block_device {
	void (*read)(uint block, void *data);
	void (*write)(uint block, const void *data);
};

extern const struct block_device ide_disk;	/* lasts, if there is one */
extern const struct block_device ramdisk;	/* starts as mkfs made it */

extern const struct block_device *disk;		/* the one in use */

struct buf {
	/* Guarded by the lock of the cache in bio.c. */
	uint block;
	int users;		/* 0: may be used for another block */
	uint last_use;

	/* Guarded by lock. */
	struct sleeplock lock;
	int valid;		/* data has been read */
	uchar data[BSIZE];
};

int ide_find(void);
void bio_init(void);
struct buf *buf_get(uint block);
void buf_put(struct buf *b);
void buf_pin(struct buf *b);
void buf_unpin(struct buf *b);

#endif
