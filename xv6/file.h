/* SPDX-License-Identifier: GPL-2.0 */
/*
 * file.h - open files, i-nodes in memory, devices.
 */
#ifndef FILE_H
#define FILE_H

#include "fs.h"
#include "sleeplock.h"

#define NAME_SIZE	(DIRSIZ + 1)	/* of a name with a zero at its end */

/*
 * What a T_DEV file stands for. @n is positive, for read() at most .most. @offset:
 * how many bytes the open file has given so far.
 */
struct device {
	int most;
	int (*read)(char *dst, int n, uint offset);
	int (*write)(const char *src, int n);
};

/* Majors */
#define DEV_CONSOLE	1
#define DEV_MEMORY	2

extern const struct device console_device, memory_device;

/* An i-node that is in use. */
struct inode {
	/* Guarded by the lock of the table in fs.c. */
	uint inum;
	int users;		/* pointers to it; 0: this entry is free */

	/* Guarded by lock. */
	struct sleeplock lock;
	int valid;		/* disk has been read */
	struct dinode disk;
};

enum file_type { FILE_NONE, FILE_PIPE, FILE_INODE, FILE_DEVICE };

/* What descriptors point to; dup() and fork() make several point to one. */
struct file {
	int users;		/* guarded by the lock of the table in file.c */

	/* These do not change while the file is open. */
	enum file_type type;
	int readable, writable;
	struct pipe *pipe;		/* FILE_PIPE */
	struct inode *inode;		/* FILE_INODE, FILE_DEVICE */
	const struct device *device;	/* FILE_DEVICE */

	uint offset;		/* guarded by inode->lock */
};

#endif
