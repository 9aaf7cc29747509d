/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * stat.h - what fstat() tells about a file. Include types.h first.
 */
#ifndef STAT_H
#define STAT_H

#define T_DIR	1	/* directory */
#define T_FILE	2	/* ordinary file */
#define T_DEV	3	/* device */

/* Offsets: type 0, dev 4, ino 8, nlink 12, size 16; 20 bytes in all. */
struct stat {
	short type;	/* T_DIR, T_FILE or T_DEV */
	int dev;	/* the disk the file lives on */
	uint ino;	/* i-node number */
	short nlink;	/* directory entries that name it */
	uint size;	/* bytes */
};

#endif
