/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * fs.h - the file system as it is on the disk, shared by the kernel, mkfs and
 * programs that read directories. Include types.h first. Little-endian.
 *
 *	block 0    log_start          inode_start    bitmap_start  data_start
 *	+---------+-------+----------+--------------+-------------+-----------+
 *	| super-  | log   | blocks   | i-nodes,     | 1 bit per   | files and |
 *	| block   | head  | of a     | 8 per block  | block, set: | direct-   |
 *	|         |       | change   |              | in use      | ories     |
 *	+---------+-------+----------+--------------+-------------+-----------+
 *	     1        1    LOGBLOCKS  25             1             the rest
 */
#ifndef FS_H
#define FS_H

#define BSIZE		512	/* bytes in a block */
#define ROOTDEV		1	/* number of the only disk */
#define ROOTINO		1	/* i-node of "/"; 0 means "none" */
#define FS_MAGIC	0x36465376

/* Block 0; the rest of the block is zero. Positions and sizes are in blocks. */
struct superblock {
	uint magic;		/* FS_MAGIC */
	uint nblocks;		/* blocks of the whole file system */
	uint ninodes;		/* i-nodes, number 0 included */
	uint log_start;		/* the log's head; its blocks follow */
	uint log_blocks;	/* without the head */
	uint inode_start;
	uint bitmap_start;
	uint data_start;
};

/*
 * The log's head. A change is written to the log first, then count is set: at
 * that moment the change is made, all of it. Only then the blocks go home.
 */
struct log_head {
	uint count;		/* blocks in the log; 0: nothing to do */
	uint home[(BSIZE - sizeof(uint)) / sizeof(uint)];	/* where each goes */
};

#define NDIRECT		12
#define NINDIRECT	(BSIZE / 4)
#define MAXFILE		(NDIRECT + NINDIRECT)	/* blocks in a file: 140 */

/* A file, but for its name. 64 bytes. */
struct dinode {
	short type;		/* T_DIR, T_FILE, T_DEV; 0: free */
	short major;		/* T_DEV: which device */
	short minor;
	short nlink;		/* directory entries that name it */
	uint size;		/* bytes */
	uint direct[NDIRECT];	/* blocks 0..11 of the file; 0: not there */
	uint indirect;		/* a block with the numbers of blocks 12..139 */
};

#define INODES_PER_BLOCK	(BSIZE / sizeof(struct dinode))
#define BITS_PER_BLOCK		(BSIZE * 8)

#define DIRSIZ		14

/*
 * A directory is a file of these. The name is padded with zeros, and has no
 * zero at its end when it is DIRSIZ long. Entries 0 and 1 are "." and "..".
 */
struct dirent {
	ushort inum;		/* 0: this entry is free */
	char name[DIRSIZ];
};

#endif
