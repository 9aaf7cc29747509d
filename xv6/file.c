// SPDX-License-Identifier: GPL-2.0
/*
 * file.c - open files: what a descriptor stands for.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "stat.h"
#include "file.h"
#include "defs.h"

/*
 * What a write() of this many bytes can change fits into a transaction: the
 * blocks it fills, one more if it starts within a block, the indirect block,
 * the i-node and the bitmap.
 */
#define PIECE	((LOGBLOCKS - 4) * BSIZE)

static struct spinlock lock = SPINLOCK("files");
static struct file files[NFILE];

/* A new file with one user, the caller; NULL if there are too many. */
struct file *file_new(void)
{
	struct file *f;

	spin_lock(&lock);
	for (f = files; f < &files[NFILE]; f++) {
		if (f->users)
			continue;
		memset(f, 0, sizeof(*f));
		f->users = 1;
		spin_unlock(&lock);
		return f;
	}
	spin_unlock(&lock);
	return NULL;
}

struct file *file_dup(struct file *f)
{
	spin_lock(&lock);
	f->users++;
	spin_unlock(&lock);
	return f;
}

/* The caller does not use @f any longer. Not in a transaction. */
void file_close(struct file *f)
{
	struct file last = { 0 };

	spin_lock(&lock);
	if (f->users == 1)
		last = *f;	/* the entry may have a new user soon */
	f->users--;
	spin_unlock(&lock);

	if (last.type == FILE_PIPE)
		pipe_close(last.pipe, last.writable);
	if (last.inode) {
		tx_begin();
		inode_put(last.inode);
		tx_end();
	}
}

int file_stat(struct file *f, struct stat *st)
{
	if (!f->inode)
		return -1;
	inode_lock(f->inode);
	inode_stat(f->inode, st);
	inode_unlock(f->inode);
	return 0;
}

/*
 * How many bytes can a read of @n give at most? What an i-node gives is settled
 * here: with the file growing meanwhile, read_inode() gives no more.
 */
uint file_most(struct file *f, uint n)
{
	uint most = PIPESIZE, size;

	if (f->type == FILE_DEVICE)
		most = f->device->most;
	if (f->type == FILE_INODE) {
		inode_lock(f->inode);
		size = f->inode->disk.size;
		most = f->offset < size ? size - f->offset : 0;
		inode_unlock(f->inode);
	}
	return n < most ? n : most;
}

static int read_inode(struct file *f, char *dst, int n)
{
	int got;

	inode_lock(f->inode);
	got = inode_read(f->inode, dst, f->offset, n);
	f->offset += got;
	inode_unlock(f->inode);
	return got;
}

/* The device may sleep: the i-node is locked for the offset only. */
static int read_device(struct file *f, char *dst, int n)
{
	uint offset;
	int got;

	inode_lock(f->inode);
	offset = f->offset;
	inode_unlock(f->inode);
	got = f->device->read(dst, n, offset);
	if (got > 0) {
		inode_lock(f->inode);
		f->offset += got;
		inode_unlock(f->inode);
	}
	return got;
}

/* Context of this and the next: @n is not negative, @dst is prepared. */
int file_read(struct file *f, char *dst, int n)
{
	if (!f->readable)
		return -1;
	if (n == 0)
		return 0;
	switch (f->type) {
	case FILE_PIPE:
		return pipe_read(f->pipe, dst, n);
	case FILE_DEVICE:
		return read_device(f, dst, n);
	default:
		return read_inode(f, dst, n);
	}
}

/* Each piece is a transaction. -1 if nothing at all could be written. */
static int write_inode(struct file *f, const char *src, int n)
{
	int done = 0, part, wrote;

	while (done < n) {
		part = n - done < PIECE ? n - done : PIECE;
		tx_begin();
		inode_lock(f->inode);
		wrote = inode_write(f->inode, src + done, f->offset, part);
		f->offset += wrote;
		inode_unlock(f->inode);
		tx_end();
		done += wrote;
		if (wrote < part)
			break;
	}
	return done == 0 && n > 0 ? -1 : done;
}

int file_write(struct file *f, const char *src, int n)
{
	if (!f->writable)
		return -1;
	if (n == 0)
		return 0;
	switch (f->type) {
	case FILE_PIPE:
		return pipe_write(f->pipe, src, n);
	case FILE_DEVICE:
		return f->device->write(src, n);
	default:
		return write_inode(f, src, n);
	}
}
