// SPDX-License-Identifier: GPL-2.0
/*
 * ramdisk.c - a disk that is in memory: the file system's image is part of the
 * kernel (disk.S). It forgets everything at the end; see ide.c.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "bio.h"
#include "defs.h"

extern char disk_image[], disk_image_end[];

static char *at(uint block)
{
	if (block >= (uint)(disk_image_end - disk_image) / BSIZE)
		panic("ramdisk: there is no block %d", block);
	return disk_image + block * BSIZE;
}

static void ramdisk_read(uint block, void *data)
{
	memmove(data, at(block), BSIZE);
}

static void ramdisk_write(uint block, const void *data)
{
	memmove(at(block), data, BSIZE);
}

const struct block_device ramdisk = {
	.read = ramdisk_read,
	.write = ramdisk_write,
};
