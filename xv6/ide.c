// SPDX-License-Identifier: GPL-2.0
/*
 * ide.c - a disk that lasts: the first drive of the first IDE controller. A block
 * is a sector. The driver asks the controller again and again whether it is done,
 * which is simple, and fast enough for this kernel's disk.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "x86.h"
#include "bio.h"
#include "defs.h"

#define IDE		0x1f0

/* Registers of the controller, and the bits of them that are used. */
#define DATA		(IDE + 0)	/* 16 bits at a time */
#define SECTORS		(IDE + 2)	/* how many */
#define LBA_0_7		(IDE + 3)	/* the first one's number */
#define LBA_8_15	(IDE + 4)
#define LBA_16_23	(IDE + 5)
#define DRIVE		(IDE + 6)
#define  DRIVE_FIRST	0xe0		/* with numbers, not cylinders */
#define STATUS		(IDE + 7)	/* when read */
#define  STATUS_ERROR	0x21		/* ... of the command, or of the drive */
#define  STATUS_DATA	0x08		/* DATA can be read or written */
#define  STATUS_READY	0x40
#define  STATUS_BUSY	0x80
#define  STATUS_NO_BUS	0xff
#define COMMAND		(IDE + 7)	/* when written */
#define  READ		0x20
#define  WRITE		0x30
#define  FLUSH		0xe7		/* write what is still in the drive's cache */
#define CONTROL		0x3f6
#define  NO_INTERRUPTS	0x02

/* One process at a time uses the drive. */
static struct sleeplock lock = SLEEPLOCK("ide");

/* Wait until the drive is done, and @bit of its status is set. */
static void wait_for(uchar bit)
{
	uchar status;

	do {
		status = inb(STATUS);
		if (!(status & STATUS_BUSY) && (status & STATUS_ERROR))
			panic("ide: the disk fails, status 0x%x", status);
	} while ((status & STATUS_BUSY) || !(status & bit));
}

/* Start @command for sector @block. */
static void start(uint block, uchar command)
{
	wait_for(STATUS_READY);
	outb(SECTORS, 1);
	outb(LBA_0_7, block & 0xff);
	outb(LBA_8_15, block >> 8 & 0xff);
	outb(LBA_16_23, block >> 16 & 0xff);
	outb(DRIVE, DRIVE_FIRST);
	outb(COMMAND, command);
}

static void ide_read(uint block, void *data)
{
	ushort *words = data;
	uint i;

	sleep_lock(&lock);
	start(block, READ);
	wait_for(STATUS_DATA);
	for (i = 0; i < BSIZE / sizeof(*words); i++)
		words[i] = inw(DATA);
	sleep_unlock(&lock);
}

/*
 * Returns when the block is where a power cut does not reach it: the log relies on
 * the order of its writes.
 */
static void ide_write(uint block, const void *data)
{
	const ushort *words = data;
	uint i;

	sleep_lock(&lock);
	start(block, WRITE);
	wait_for(STATUS_DATA);
	for (i = 0; i < BSIZE / sizeof(*words); i++)
		outw(DATA, words[i]);
	wait_for(STATUS_READY);
	outb(COMMAND, FLUSH);
	wait_for(STATUS_READY);
	sleep_unlock(&lock);
}

const struct block_device ide_disk = {
	.read = ide_read,
	.write = ide_write,
};

/* Is there such a drive? */
int ide_find(void)
{
	uchar status;

	outb(DRIVE, DRIVE_FIRST);
	outb(CONTROL, NO_INTERRUPTS);
	status = inb(STATUS);
	return status != STATUS_NO_BUS && (status & STATUS_READY);
}
