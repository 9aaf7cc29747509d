// SPDX-License-Identifier: GPL-2.0
/*
 * mkfs - make the image of a file system with the given files in its root.
 *
 *	mkfs IMAGE FILE...
 *
 * Runs on the machine that builds the kernel, which must be little-endian like
 * the image. The image is put together in memory and written at the end, so that
 * a failure leaves none behind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types.h"
#include "param.h"
#include "stat.h"
#include "fs.h"

static uchar image[FSSIZE][BSIZE];
static struct superblock *const sb = (struct superblock *)image[0];
static uint next_inode = ROOTINO;
static uint next_block;

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "mkfs: %s: %s\n", what, detail);
	exit(1);
}

static void lay_out(void)
{
	uint inode_blocks = (NINODES + INODES_PER_BLOCK - 1) / INODES_PER_BLOCK;

	_Static_assert(FSSIZE <= BITS_PER_BLOCK, "the bitmap is one block");
	sb->magic = FS_MAGIC;
	sb->nblocks = FSSIZE;
	sb->ninodes = NINODES;
	sb->log_start = 1;
	sb->log_blocks = LOGBLOCKS;
	sb->inode_start = sb->log_start + 1 + LOGBLOCKS;
	sb->bitmap_start = sb->inode_start + inode_blocks;
	sb->data_start = sb->bitmap_start + 1;
	next_block = sb->data_start;
}

static struct dinode *inode(uint inum)
{
	uint block = sb->inode_start + inum / INODES_PER_BLOCK;

	return (struct dinode *)image[block] + inum % INODES_PER_BLOCK;
}

static uint new_inode(short type)
{
	struct dinode *ip = inode(next_inode);

	if (next_inode >= NINODES)
		die("too many files", "there are no i-nodes left");
	ip->type = type;
	ip->nlink = 1;
	return next_inode++;
}

static uint new_block(void)
{
	if (next_block >= FSSIZE)
		die("too much data", "there are no blocks left");
	return next_block++;
}

/* The content of block @n of the file, which is allocated if it is new. */
static uchar *file_block(struct dinode *ip, uint n)
{
	uint *entry;

	if (n < NDIRECT) {
		entry = &ip->direct[n];
	} else {
		if (!ip->indirect)
			ip->indirect = new_block();
		entry = (uint *)image[ip->indirect] + (n - NDIRECT);
	}
	if (!*entry)
		*entry = new_block();
	return image[*entry];
}

/* Add @n bytes at the end of the file; @name is for a message. */
static void append(uint inum, const void *data, size_t n, const char *name)
{
	struct dinode *ip = inode(inum);
	const uchar *from = data;

	for (; n > 0; n--) {
		if (ip->size == MAXFILE * BSIZE)
			die(name, "is too large for a file");
		file_block(ip, ip->size / BSIZE)[ip->size % BSIZE] = *from++;
		ip->size++;
	}
}

static void add_name(uint inum, const char *name)
{
	struct dirent entry = { .inum = inum };

	if (strlen(name) > DIRSIZ)
		die(name, "is too long for a name");
	memcpy(entry.name, name, strlen(name));
	append(ROOTINO, &entry, sizeof(entry), "the root directory");
}

static void add_file(const char *path)
{
	const char *slash = strrchr(path, '/');
	uint inum = new_inode(T_FILE);
	uchar data[BSIZE];
	size_t n;
	FILE *f = fopen(path, "rb");

	if (!f)
		die(path, strerror(errno));
	while ((n = fread(data, 1, sizeof(data), f)) > 0)
		append(inum, data, n, path);
	if (ferror(f))
		die(path, "cannot be read");
	fclose(f);
	add_name(inum, slash ? slash + 1 : path);
}

static void mark_used_blocks(void)
{
	uchar *bitmap = image[sb->bitmap_start];
	uint block;

	for (block = 0; block < next_block; block++)
		bitmap[block / 8] |= 1 << block % 8;
}

static void write_image(const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		die(path, strerror(errno));
	if (fwrite(image, sizeof(image), 1, f) != 1 || fclose(f) != 0) {
		remove(path);
		die(path, "cannot be written");
	}
}

int main(int argc, char *argv[])
{
	int i;

	if (argc < 2) {
		fprintf(stderr, "usage: mkfs IMAGE FILE...\n");
		return 1;
	}
	lay_out();
	new_inode(T_DIR);
	add_name(ROOTINO, ".");
	add_name(ROOTINO, "..");
	for (i = 2; i < argc; i++)
		add_file(argv[i]);
	mark_used_blocks();
	write_image(argv[1]);
	return 0;
}
