// SPDX-License-Identifier: GPL-2.0
/*
 * log.c - transactions: changes to several blocks that happen completely or not
 * at all, even if the machine stops in the middle.
 *
 *	tx_begin()
 *		b = buf_get(block); change b->data; tx_write(b); buf_put(b); ...
 *	tx_end()
 *
 * tx_end() writes the changed blocks to the log first, then the log's head,
 * and only then to where they belong. A machine that stops before the head is
 * written has changed nothing; one that stops after it finds all it needs in
 * the log when it starts again. fs.h has the layout.
 *
 * There is one transaction at a time, of at most LOGBLOCKS blocks. A process
 * that wants another one waits. Bigger writes are done in pieces (file.c).
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "bio.h"
#include "defs.h"

_Static_assert(sizeof(struct log_head) == BSIZE, "the head is a block");
_Static_assert(LOGBLOCKS <= (BSIZE - sizeof(uint)) / sizeof(uint),
	       "the head has room for all blocks of a transaction");

/* Held from tx_begin() to tx_end(); guards what follows. */
static struct sleeplock tx = SLEEPLOCK("transaction");
static struct buf *changed[LOGBLOCKS];	/* pinned */
static struct log_head head;		/* .home: the numbers of the same */
static uint log_start;

/* Is the calling process in a transaction? */
int tx_running(void)
{
	return sleep_held(&tx);
}

void tx_begin(void)
{
	sleep_lock(&tx);
}

/* The caller has changed @b, which it has from buf_get(). */
void tx_write(struct buf *b)
{
	uint i;

	if (!tx_running())
		panic("tx_write: no transaction");
	for (i = 0; i < head.count; i++)
		if (changed[i] == b)
			return;
	if (head.count == LOGBLOCKS)
		panic("tx_write: the transaction is too big");
	buf_pin(b);
	changed[head.count] = b;
	head.home[head.count++] = b->block;
}

static void write_head(void)
{
	disk->write(log_start, &head);
}

/*
 * Nobody changes a buffer outside of a transaction, so the buffers need not be
 * locked for this.
 */
void tx_end(void)
{
	uint i;

	for (i = 0; i < head.count; i++)
		disk->write(log_start + 1 + i, changed[i]->data);
	if (head.count > 0)
		write_head();		/* now it has happened */
	for (i = 0; i < head.count; i++) {
		disk->write(head.home[i], changed[i]->data);
		buf_unpin(changed[i]);
	}
	if (head.count > 0) {
		head.count = 0;
		write_head();
	}
	sleep_unlock(&tx);
}

/*
 * Finish the transaction that the last run may have left in the log. Context:
 * called once, before any block but the superblock is used.
 */
void log_init(const struct superblock *super)
{
	static uchar data[BSIZE];
	uint i;

	if (super->log_blocks < LOGBLOCKS)
		panic("the file system's log is too small");
	log_start = super->log_start;
	disk->read(log_start, &head);
	for (i = 0; i < head.count; i++) {
		disk->read(log_start + 1 + i, data);
		disk->write(head.home[i], data);
	}
	head.count = 0;
	write_head();
}
