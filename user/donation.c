// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * donation.c - move memory blocks from Linux to the module and back.
 *
 * A donation first takes every block offline and only then hands them over, so
 * that a run that fails takes no memory away from programs that already use it.
 */

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "donation.h"
#include "interrupt.h"

/* How long the kernel may try to empty one block. */
#define OFFLINE_SECONDS 30

/* What has to be left to Linux of the memory that it calls available. */
#define SPARED_BYTES (64 * MEGABYTE)

enum fate {
	UNTRIED,
	REFUSED, /* it stays with Linux */
	OFFLINE, /* this run took it offline */
	DONATED, /* by this run */
};

struct candidate {
	uint64_t number;
	enum block_zone zone;
	enum fate fate;
	int err; /* why it was refused, a negative errno */
};

struct donation {
	int device;
	const struct blocks *blocks;
	struct candidate *candidates; /* the best first */
	size_t count;
	size_t needed; /* blocks */
	size_t held; /* how many candidates are OFFLINE or DONATED */
};

static uint64_t in_megabytes(const struct blocks *blocks, size_t count)
{
	return count * (blocks->size / MEGABYTE);
}

/* Blocks that hold so many megabytes; it says so if they hold more. */
static uint64_t round_up(const struct blocks *blocks, uint64_t megabytes)
{
	uint64_t block = blocks->size / MEGABYTE;
	uint64_t count = megabytes / block + (megabytes % block != 0);

	if (megabytes % block)
		printf("petmem: %llu MB rounded up to %llu MB, whole blocks of %llu MB\n",
		       (unsigned long long)megabytes,
		       (unsigned long long)in_megabytes(blocks, count),
		       (unsigned long long)block);
	return count;
}

/* "donated 256 MB (2 blocks of 128 MB)" */
static void report(const char *done, const struct blocks *blocks, size_t count)
{
	printf("petmem: %s %llu MB (%zu %s of %llu MB)\n", done,
	       (unsigned long long)in_megabytes(blocks, count), count,
	       count == 1 ? "block" : "blocks",
	       (unsigned long long)in_megabytes(blocks, 1));
}

static bool bring_online(const struct blocks *blocks, uint64_t number,
			 enum block_zone zone)
{
	int err = blocks_online(blocks, number, zone);

	if (!err)
		return true;
	warnx("memory%llu is offline and could not be brought back online: %s",
	      (unsigned long long)number, strerror(-err));
	warnx("try again: echo online > %s/memory%llu/state", blocks->root,
	      (unsigned long long)number);
	return false;
}

static int better_first(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;

	if ((a->zone == BLOCK_ZONE_MOVABLE) != (b->zone == BLOCK_ZONE_MOVABLE))
		return a->zone == BLOCK_ZONE_MOVABLE ? -1 : 1;
	return a->number > b->number ? -1 : 1;
}

static int find_candidates(struct donation *d)
{
	const struct block *block = d->blocks->list;
	const struct block *end = block + d->blocks->count;

	/* One more than needed: none is an error to calloc. */
	d->candidates = calloc(d->blocks->count + 1, sizeof(*d->candidates));
	if (!d->candidates)
		return -ENOMEM;
	for (; block < end; block++)
		if (block->online && block->zone != BLOCK_ZONE_NONE)
			d->candidates[d->count++] = (struct candidate){
				.number = block->number,
				.zone = block->zone,
			};
	qsort(d->candidates, d->count, sizeof(*d->candidates), better_first);
	return 0;
}

/* How many bytes programs could still have; no limit if Linux does not tell. */
static uint64_t available(void)
{
	unsigned long long kilobytes;
	uint64_t bytes = UINT64_MAX;
	char line[128];
	FILE *meminfo = fopen("/proc/meminfo", "re");

	if (!meminfo)
		return bytes;
	while (fgets(line, sizeof(line), meminfo))
		if (sscanf(line, "MemAvailable: %llu kB", &kilobytes) == 1)
			bytes = kilobytes * 1024;
	fclose(meminfo);
	return bytes;
}

/*
 * Does Linux have room for what is in the blocks yet to be taken? Without, it
 * looks for some until its OOM killer ends programs, this one not excepted.
 * What this run has taken is not available any more.
 */
static bool enough_available(const struct donation *d)
{
	uint64_t missing = (d->needed - d->held) * d->blocks->size;
	uint64_t bytes = available();

	if (bytes >= SPARED_BYTES && bytes - SPARED_BYTES >= missing)
		return true;
	warnx("%llu MB cannot be had: %llu MB are missing, %llu MB available, of which Linux keeps %llu MB",
	      (unsigned long long)in_megabytes(d->blocks, d->needed),
	      (unsigned long long)(missing / MEGABYTE),
	      (unsigned long long)(bytes / MEGABYTE), SPARED_BYTES / MEGABYTE);
	return false;
}

static int offline(const struct donation *d, const struct candidate *c)
{
	int err;

	interrupt_allow(OFFLINE_SECONDS);
	err = blocks_offline(d->blocks, c->number);
	interrupt_forbid();
	return err == -EINTR && !interrupt_signal() ? -ETIMEDOUT : err;
}

/*
 * Take candidates offline until enough are held. Returns 0; an errno that every
 * block would give; EINTR; ENOSPC if there are too few; ECANCELED, after a
 * message, if Linux cannot do without.
 */
static int take_blocks(struct donation *d)
{
	struct candidate *c = d->candidates;
	struct candidate *end = c + d->count;

	for (; c < end && d->held < d->needed; c++) {
		if (c->fate != UNTRIED)
			continue;
		if (interrupt_signal())
			return -EINTR;
		if (!enough_available(d))
			return -ECANCELED;
		c->err = offline(d, c);
		if (c->err == -EACCES || c->err == -EROFS)
			return c->err;
		c->fate = c->err ? REFUSED : OFFLINE;
		d->held += !c->err;
	}
	if (interrupt_signal())
		return -EINTR;
	return d->held < d->needed ? -ENOSPC : 0;
}

/* Back to Linux, for the use it had. False, after a message, if refused. */
static bool put_back(struct donation *d, struct candidate *c)
{
	uint64_t size = d->blocks->size;
	int err = 0;

	if (c->fate == DONATED)
		err = device_release(d->device, c->number * size, size);
	/* ENOENT: another run has released it in the meantime. */
	if (err && err != -ENOENT) {
		warnx("memory%llu stays donated: %s; later: petmem --release",
		      (unsigned long long)c->number, strerror(-err));
		return false;
	}
	c->fate = REFUSED;
	d->held--;
	return bring_online(d->blocks, c->number, c->zone);
}

/*
 * Donate what is offline. A block that the module cannot use, though another
 * may do, is put back; any other error is returned after a message.
 */
static int hand_over(struct donation *d)
{
	uint64_t size = d->blocks->size;
	struct candidate *c = d->candidates;
	struct candidate *end = c + d->count;

	for (; c < end; c++) {
		if (c->fate != OFFLINE)
			continue;
		c->err = device_donate(d->device, c->number * size, size);
		if (!c->err) {
			c->fate = DONATED;
			continue;
		}
		if (c->err == -EOPNOTSUPP && put_back(d, c))
			continue;
		warnx("the module refused memory%llu: %s%s",
		      (unsigned long long)c->number, strerror(-c->err),
		      c->err == -EPERM ? " (run as root)" : "");
		return c->err;
	}
	return 0;
}

static const char *meaning(int err)
{
	switch (-err) {
	case EBUSY:
		return "it holds memory that cannot be moved";
	case EINVAL:
		return "it has a hole or spans zones, or somebody else took it offline";
	case ENOMEM:
		return "there is no room for what it holds";
	case EPERM:
		return "a part of the kernel needs it";
	case ETIMEDOUT:
		return "what it holds could not be moved in time";
	case EOPNOTSUPP:
		return "the module cannot use it";
	default:
		return "the kernel says why: dmesg";
	}
}

/* One line for each reason; it names the first block that gave it. */
static void explain_refusals(const struct donation *d)
{
	const struct candidate *c = d->candidates;
	size_t i, j, others;

	for (i = 0; i < d->count; i++) {
		for (j = 0; j < i && c[j].err != c[i].err; j++)
			;
		if (c[i].fate != REFUSED || j < i)
			continue;
		for (others = 0, j = i + 1; j < d->count; j++)
			others += c[j].err == c[i].err;
		if (others)
			warnx("memory%llu and %zu more: %s (%s)",
			      (unsigned long long)c[i].number, others,
			      strerror(-c[i].err), meaning(c[i].err));
		else
			warnx("memory%llu: %s (%s)",
			      (unsigned long long)c[i].number,
			      strerror(-c[i].err), meaning(c[i].err));
	}
}

static void explain(const struct donation *d, int err)
{
	unsigned long long needed = in_megabytes(d->blocks, d->needed);

	if (err == -EACCES) {
		warnx("%s: %s: run as root", d->blocks->root, strerror(-err));
	} else if (err == -EROFS) {
		warnx("%s: %s: memory cannot be taken offline in a container",
		      d->blocks->root, strerror(-err));
	} else if (err == -EINTR) {
		warnx("interrupted: %s", strsignal(interrupt_signal()));
	} else if (err == -ENOSPC && d->count < d->needed) {
		warnx("%llu MB cannot be had: Linux has %llu MB in blocks that may go offline",
		      needed,
		      (unsigned long long)in_megabytes(d->blocks, d->count));
	} else if (err == -ENOSPC) {
		warnx("%llu MB cannot be had: only %llu MB went offline",
		      needed,
		      (unsigned long long)in_megabytes(d->blocks, d->held));
		explain_refusals(d);
	}
}

/* Undo what this run did, the last first. */
static void give_back(struct donation *d)
{
	struct candidate *c = d->candidates + d->count;
	bool all = true;

	while (c-- > d->candidates)
		if (c->fate == OFFLINE || c->fate == DONATED)
			all &= put_back(d, c);
	if (all)
		warnx("nothing was donated");
	else
		warnx("not all of it could be undone: see above");
}

bool donate(int device, const struct blocks *blocks, uint64_t megabytes)
{
	struct donation d = { .device = device, .blocks = blocks };
	int err = find_candidates(&d);

	if (err) {
		warnx("%s", strerror(-err));
		return false;
	}
	d.needed = round_up(blocks, megabytes);
	if (d.count < d.needed)
		err = -ENOSPC;
	/* Again, for blocks that went offline and then proved of no use. */
	do {
		if (!err)
			err = take_blocks(&d);
		if (!err)
			err = hand_over(&d);
	} while (!err && d.held < d.needed);

	if (err) {
		explain(&d, err);
		give_back(&d);
	} else {
		report("donated", blocks, d.needed);
	}
	free(d.candidates);
	return !err;
}

/*
 * Take one donated range back and bring its blocks online. Returns 0, or an
 * errno after a message. *online counts the blocks that Linux has again.
 */
static int release_range(int device, const struct blocks *blocks,
			 const struct petmem_block *range, uint64_t *online)
{
	unsigned long long pages = range->size / PETMEM_PAGE_SIZE;
	uint64_t number = range->start / blocks->size;
	uint64_t end = number + range->size / blocks->size;
	int err = device_release(device, range->start, range->size);

	if (err == -EBUSY) {
		warnx("memory%llu is in use and stays donated: %llu of %llu pages are free",
		      (unsigned long long)number,
		      (unsigned long long)range->free_pages, pages);
		return err;
	}
	if (err) {
		warnx("memory%llu stays donated: %s%s",
		      (unsigned long long)number, strerror(-err),
		      err == -EPERM ? " (run as root)" : "");
		return err;
	}
	for (; number < end; number++) {
		if (bring_online(blocks, number, BLOCK_ZONE_MOVABLE))
			++*online;
		else
			err = -EIO;
	}
	return err;
}

bool release(int device, const struct blocks *blocks, uint64_t megabytes)
{
	uint64_t wanted = round_up(blocks, megabytes);
	uint64_t online = 0;
	struct petmem_block *ranges;
	size_t count, i;
	bool failed = false;
	int err = device_ranges(device, &ranges, &count);

	if (err) {
		warnx("%s: %s", PETMEM_DEVICE, strerror(-err));
		return false;
	}
	for (i = 0; i < count && (!megabytes || online < wanted); i++) {
		if (interrupt_signal()) {
			warnx("interrupted: %s", strsignal(interrupt_signal()));
			failed = true;
			break;
		}
		if (release_range(device, blocks, &ranges[i], &online))
			failed = true;
	}
	free(ranges);
	report("released", blocks, online);
	if (!megabytes)
		return !failed;
	if (online < wanted)
		warnx("%llu MB were asked for",
		      (unsigned long long)in_megabytes(blocks, wanted));
	return online >= wanted;
}
