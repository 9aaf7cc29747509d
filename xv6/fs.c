// SPDX-License-Identifier: GPL-2.0
/*
 * fs.c - files without names: blocks and i-nodes. fs.h has their layout on the
 * disk; dir.c gives them names.
 *
 * An i-node that is in use has an entry in a table, so that all who use it use
 * the same one. inode_get() and inode_dup() give a pointer to it, inode_put()
 * takes it back; between them inode_lock() and inode_unlock() enclose each use
 * of its contents. When the last pointer goes and no directory names the file,
 * the file goes too.
 *
 * Only in a transaction (log.c): whatever changes the disk, inode_get(), and
 * inode_put(). So there is one process at a time that finds files by number.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "stat.h"
#include "bio.h"
#include "file.h"
#include "defs.h"

_Static_assert(sizeof(struct dinode) == 64, "i-nodes fill blocks");
_Static_assert(NINDIRECT == BSIZE / sizeof(uint), "numbers fill a block");
_Static_assert(FSSIZE <= BITS_PER_BLOCK, "the bitmap is one block");

static struct superblock super;

static struct spinlock lock = SPINLOCK("inodes");
static struct inode inodes[NINODE];

/* Find the file system on the disk. The first process does this: it sleeps. */
void fs_init(void)
{
	struct buf *b = buf_get(0);
	struct inode *ip;

	super = *(struct superblock *)b->data;
	buf_put(b);
	if (super.magic != FS_MAGIC || super.nblocks > BITS_PER_BLOCK)
		panic("there is no file system on the disk");
	log_init(&super);
	for (ip = inodes; ip < &inodes[NINODE]; ip++)
		sleeplock_init(&ip->lock, "inode");
}

/* ---- blocks ---- */

/* Fill a block with zeros. */
static void clear_block(uint block)
{
	struct buf *b = buf_get(block);

	memset(b->data, 0, BSIZE);
	tx_write(b);
	buf_put(b);
}

/* A free block, filled with zeros; 0 if the disk is full. */
static uint alloc_block(void)
{
	struct buf *bitmap = buf_get(super.bitmap_start);
	uint block;

	for (block = super.data_start; block < super.nblocks; block++) {
		uchar *byte = &bitmap->data[block / 8];
		uchar bit = 1 << block % 8;

		if (*byte & bit)
			continue;
		*byte |= bit;
		tx_write(bitmap);
		buf_put(bitmap);
		clear_block(block);
		return block;
	}
	buf_put(bitmap);
	return 0;
}

static void free_block(uint block)
{
	struct buf *bitmap = buf_get(super.bitmap_start);
	uchar *byte = &bitmap->data[block / 8];
	uchar bit = 1 << block % 8;

	if (!(*byte & bit))
		panic("free_block: block %d is free", block);
	*byte &= ~bit;
	tx_write(bitmap);
	buf_put(bitmap);
}

/* ---- i-nodes ---- */

/* The block of i-node @inum; *@disk is where it is in there. */
static struct buf *get_inode_block(uint inum, struct dinode **disk)
{
	struct buf *b = buf_get(super.inode_start + inum / INODES_PER_BLOCK);

	*disk = (struct dinode *)b->data + inum % INODES_PER_BLOCK;
	return b;
}

/* Write @ip's i-node back. Context: @ip is locked; a transaction. */
void inode_update(struct inode *ip)
{
	struct dinode *disk;
	struct buf *b = get_inode_block(ip->inum, &disk);

	*disk = ip->disk;
	tx_write(b);
	buf_put(b);
}

/*
 * A pointer to i-node @inum, not locked and perhaps not read yet; NULL if the
 * table is full.
 */
struct inode *inode_get(uint inum)
{
	struct inode *ip, *free = NULL;

	spin_lock(&lock);
	for (ip = inodes; ip < &inodes[NINODE]; ip++) {
		if (ip->users && ip->inum == inum)
			break;
		if (!ip->users && !free)
			free = ip;
	}
	if (ip == &inodes[NINODE]) {
		ip = free;
		if (ip) {
			ip->inum = inum;
			ip->valid = 0;
		}
	}
	if (ip)
		ip->users++;
	spin_unlock(&lock);
	return ip;
}

/* One more pointer to @ip, for somebody else. */
struct inode *inode_dup(struct inode *ip)
{
	spin_lock(&lock);
	ip->users++;
	spin_unlock(&lock);
	return ip;
}

void inode_lock(struct inode *ip)
{
	struct dinode *disk;
	struct buf *b;

	sleep_lock(&ip->lock);
	if (ip->valid)
		return;
	b = get_inode_block(ip->inum, &disk);
	ip->disk = *disk;
	buf_put(b);
	ip->valid = 1;
}

void inode_unlock(struct inode *ip)
{
	sleep_unlock(&ip->lock);
}

/* The number of a free i-node; 0 if there is none. */
static uint find_free_inode(void)
{
	struct dinode *disk;
	struct buf *b;
	uint inum;
	int is_free;

	for (inum = 1; inum < super.ninodes; inum++) {
		b = get_inode_block(inum, &disk);
		is_free = disk->type == 0;
		buf_put(b);
		if (is_free)
			return inum;
	}
	return 0;
}

/*
 * A new, empty file without links, locked. NULL if there is no i-node for it
 * on the disk or in memory.
 */
struct inode *inode_new(short type, short major, short minor)
{
	uint inum = find_free_inode();
	struct inode *ip = inum ? inode_get(inum) : NULL;

	if (!ip)
		return NULL;
	inode_lock(ip);
	memset(&ip->disk, 0, sizeof(ip->disk));
	ip->disk.type = type;
	ip->disk.major = major;
	ip->disk.minor = minor;
	inode_update(ip);
	return ip;
}

/* Give all blocks of @ip back. Context: @ip is locked; a transaction. */
static void free_contents(struct inode *ip)
{
	struct dinode *disk = &ip->disk;
	struct buf *b;
	uint i;

	for (i = 0; i < NDIRECT; i++)
		if (disk->direct[i])
			free_block(disk->direct[i]);
	if (!disk->indirect)
		return;
	b = buf_get(disk->indirect);
	for (i = 0; i < NINDIRECT; i++)
		if (((uint *)b->data)[i])
			free_block(((uint *)b->data)[i]);
	buf_put(b);
	free_block(disk->indirect);
}

static void delete(struct inode *ip)
{
	inode_lock(ip);
	free_contents(ip);
	memset(&ip->disk, 0, sizeof(ip->disk));
	inode_update(ip);
	ip->valid = 0;
	inode_unlock(ip);
}

/*
 * Delete the files that were in use, but had no name any longer, when the power failed.
 * The first process does this, after fs_init().
 */
void fs_clean(void)
{
	struct dinode *disk;
	struct inode *ip;
	struct buf *b;
	uint inum;
	int nameless;

	for (inum = 1; inum < super.ninodes; inum++) {
		b = get_inode_block(inum, &disk);
		nameless = disk->type != 0 && disk->nlink == 0;
		buf_put(b);
		if (!nameless)
			continue;
		tx_begin();
		ip = inode_get(inum);
		delete(ip);
		inode_put(ip);
		tx_end();
	}
}

/*
 * The caller does not use its pointer to @ip any longer. Context: @ip is not
 * locked; a transaction. If this is the last pointer nobody can get another
 * one: that takes a pointer, or a transaction.
 */
void inode_put(struct inode *ip)
{
	int last;

	if (!tx_running())
		panic("inode_put: no transaction");
	spin_lock(&lock);
	last = ip->users == 1;
	spin_unlock(&lock);
	if (last && ip->valid && ip->disk.nlink == 0)
		delete(ip);
	spin_lock(&lock);
	ip->users--;
	spin_unlock(&lock);
}

/* Context: @ip is locked. */
void inode_stat(const struct inode *ip, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->type = ip->disk.type;
	st->dev = ROOTDEV;
	st->ino = ip->inum;
	st->nlink = ip->disk.nlink;
	st->size = ip->disk.size;
}

/* ---- contents ---- */

/*
 * The number in *@slot; if it is 0, first a new block's, which stays 0 if the
 * disk is full.
 */
static uint fill_slot(uint *slot)
{
	if (*slot == 0)
		*slot = alloc_block();
	return *slot;
}

/*
 * Which block of the disk is block @n of @ip? One is added if there is none
 * yet; 0 if the disk is full. Context: @ip is locked; a transaction; the caller
 * calls inode_update().
 */
static uint grow_to_block(struct inode *ip, uint n)
{
	struct buf *b;
	uint *slot, block;

	if (n < NDIRECT)
		return fill_slot(&ip->disk.direct[n]);
	if (!fill_slot(&ip->disk.indirect))
		return 0;
	b = buf_get(ip->disk.indirect);
	slot = (uint *)b->data + (n - NDIRECT);
	block = *slot;
	if (!block) {
		block = fill_slot(slot);
		tx_write(b);
	}
	buf_put(b);
	return block;
}

/* The same for a block that is there. Context: @ip is locked. */
static uint block_of(struct inode *ip, uint n)
{
	struct buf *b;
	uint block;

	if (n < NDIRECT)
		return ip->disk.direct[n];
	b = buf_get(ip->disk.indirect);
	block = ((uint *)b->data)[n - NDIRECT];
	buf_put(b);
	return block;
}

static uint min(uint a, uint b)
{
	return a < b ? a : b;
}

/*
 * Read up to @n bytes from @offset; returns how many there were. Context: @ip
 * is locked; @dst can be written without a fault.
 */
uint inode_read(struct inode *ip, void *dst, uint offset, uint n)
{
	uint done, part;
	struct buf *b;

	if (offset >= ip->disk.size)
		return 0;
	n = min(n, ip->disk.size - offset);
	for (done = 0; done < n; done += part, offset += part) {
		b = buf_get(block_of(ip, offset / BSIZE));
		part = min(n - done, BSIZE - offset % BSIZE);
		memmove((char *)dst + done, b->data + offset % BSIZE, part);
		buf_put(b);
	}
	return done;
}

/*
 * Write @n bytes at @offset, which is not past the end. Returns how many: fewer
 * if the disk or the file is full. Context: @ip is locked; a transaction; @src
 * can be read without a fault.
 */
uint inode_write(struct inode *ip, const void *src, uint offset, uint n)
{
	uint done, part, block;
	struct buf *b;

	for (done = 0; done < n; done += part, offset += part) {
		if (offset >= MAXFILE * BSIZE)
			break;
		block = grow_to_block(ip, offset / BSIZE);
		if (!block)
			break;
		b = buf_get(block);
		part = min(n - done, BSIZE - offset % BSIZE);
		memmove(b->data + offset % BSIZE, (const char *)src + done,
			part);
		tx_write(b);
		buf_put(b);
	}
	if (offset > ip->disk.size)
		ip->disk.size = offset;
	inode_update(ip);
	return done;
}
