// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * transfer.c - move memory blocks from Linux to the module and back.
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
#include "interrupt.h"
#include "progress.h"
#include "transfer.h"

/* How long the kernel may try to empty one block. */
#define OFFLINE_SECONDS 30

/* Linux keeps at least this much of the memory that it calls available. */
#define SPARED_BYTES (64 * MEGABYTE)

enum fate {
	UNTRIED,
	REFUSED, /* it stays with Linux */
	OFFLINE, /* this run took it offline */
	DONATED, /* by this run */
};

/* A request, in blocks. */
struct want {
	int node;
	size_t needed;
	size_t held; /* how many candidates are OFFLINE or DONATED for it */
};

struct candidate {
	uint64_t number;
	int node;
	enum block_zone zone;
	bool whole; /* all of its aligned 1 GiB can be taken, as far as is known */
	enum fate fate;
	struct want *want; /* the request that holds it, or NULL */
	int err; /* why it was refused, a negative errno */
};

struct donation {
	int device;
	const struct blocks *blocks;
	struct candidate *candidates; /* the best first */
	size_t count;
	struct want *wants;
	size_t want_count;
	size_t needed; /* blocks, of all wants */
	size_t missing; /* those of them that are not held yet */
};

static uint64_t in_megabytes(const struct blocks *blocks, size_t count)
{
	return count * (blocks->size / MEGABYTE);
}

/* The number of blocks for that many megabytes. Says so if it has to round up. */
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

/* The end of a message about one node: " on node 1", or nothing. */
struct place {
	char text[32];
};

static struct place place(int node)
{
	struct place result = { "" };

	if (node != NODE_ANY)
		snprintf(result.text, sizeof(result.text), " on node %d", node);
	return result;
}

/* "donated 256 MB (2 blocks of 128 MB)" */
static void report(const char *done, const struct blocks *blocks, size_t count,
		   int node)
{
	printf("petmem: %s %llu MB (%zu %s of %llu MB)%s\n", done,
	       (unsigned long long)in_megabytes(blocks, count), count,
	       count == 1 ? "block" : "blocks",
	       (unsigned long long)in_megabytes(blocks, 1), place(node).text);
}

static bool bring_online(const struct blocks *blocks, uint64_t number,
			 enum block_zone zone)
{
	int err = blocks_online(blocks, number, zone);

	progress_clear();
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

	/* One more than needed: calloc() of none may return NULL. */
	d->candidates = calloc(d->blocks->count + 1, sizeof(*d->candidates));
	if (!d->candidates)
		return -ENOMEM;
	for (; block < end; block++)
		if (block->online && block->zone != BLOCK_ZONE_NONE)
			d->candidates[d->count++] = (struct candidate){
				.number = block->number,
				.node = block->node,
				.zone = block->zone,
			};
	qsort(d->candidates, d->count, sizeof(*d->candidates), better_first);
	return 0;
}

static int find_wants(struct donation *d, const struct request *requests,
		      size_t count)
{
	struct want *want;
	size_t i;

	d->wants = calloc(count + 1, sizeof(*d->wants));
	if (!d->wants)
		return -ENOMEM;
	d->want_count = count;
	for (i = 0; i < count; i++) {
		want = &d->wants[i];
		want->node = requests[i].node;
		want->needed = round_up(d->blocks, requests[i].megabytes) +
			       requests[i].blocks;
		d->needed += want->needed;
	}
	d->missing = d->needed;
	return 0;
}

/* Do two blocks lie in the same aligned 1 GiB, zone and node? */
static bool are_mates(const struct donation *d, const struct candidate *a,
		      const struct candidate *b)
{
	uint64_t blocks = GIGABYTE / d->blocks->size;

	return blocks && a->number / blocks == b->number / blocks &&
	       a->zone == b->zone && a->node == b->node;
}

static bool is_whole(const struct donation *d, const struct candidate *c)
{
	size_t i, found = 0;

	for (i = 0; i < d->count; i++)
		found += are_mates(d, c, &d->candidates[i]);
	return found == GIGABYTE / d->blocks->size;
}

/* A block of this 1 GiB stays with Linux, so none of them is in a whole one. */
static void not_whole(struct donation *d, const struct candidate *c)
{
	size_t i;

	for (i = 0; i < d->count; i++)
		if (are_mates(d, c, &d->candidates[i]))
			d->candidates[i].whole = false;
}

/*
 * If a request is for 1 GiB or more, prefer blocks that make up a whole aligned 1 GiB: the
 * module can map that as one page.
 */
static void prefer_whole(struct donation *d)
{
	bool wanted = false;
	size_t i;

	for (i = 0; i < d->want_count; i++)
		wanted |= d->wants[i].needed * d->blocks->size >= GIGABYTE;
	if (!wanted)
		return;
	for (i = 0; i < d->count; i++)
		d->candidates[i].whole = is_whole(d, &d->candidates[i]);
}

static bool suits(const struct candidate *c, const struct want *want)
{
	return want->node == NODE_ANY || want->node == c->node;
}

static size_t count_suitable(const struct donation *d, const struct want *want)
{
	size_t i, count = 0;

	for (i = 0; i < d->count; i++)
		count += suits(&d->candidates[i], want);
	return count;
}

/* The bytes that programs could still get; UINT64_MAX if Linux does not say. */
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
 * Does Linux have room for the contents of the blocks that are still to be taken? If
 * not, it would look for room until its OOM killer ends programs, perhaps this one. The
 * available memory no longer includes what this run has taken.
 */
static bool enough_available(const struct donation *d)
{
	uint64_t missing = d->missing * d->blocks->size;
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

	progress_show("petmem: took %llu of %llu MB; memory%llu is next",
		      (unsigned long long)in_megabytes(d->blocks,
						       d->needed - d->missing),
		      (unsigned long long)in_megabytes(d->blocks, d->needed),
		      (unsigned long long)c->number);
	interrupt_allow(OFFLINE_SECONDS);
	err = blocks_offline(d->blocks, c->number);
	interrupt_forbid();
	progress_clear();
	return err == -EINTR && !interrupt_signal() ? -ETIMEDOUT : err;
}

/* Like take_blocks(), for blocks of one kind. Too few of them are no error. */
static int take_kind(struct donation *d, struct want *want, bool movable,
		     bool whole)
{
	struct candidate *c = d->candidates;
	struct candidate *end = c + d->count;

	for (; c < end && want->held < want->needed; c++) {
		if (c->fate != UNTRIED || !suits(c, want) ||
		    (c->zone == BLOCK_ZONE_MOVABLE) != movable ||
		    c->whole != whole)
			continue;
		if (interrupt_signal())
			return -EINTR;
		if (!enough_available(d))
			return -ECANCELED;
		c->err = offline(d, c);
		if (c->err == -EACCES || c->err == -EROFS)
			return c->err;
		c->fate = c->err ? REFUSED : OFFLINE;
		if (c->err) {
			not_whole(d, c);
			continue;
		}
		c->want = want;
		want->held++;
		d->missing--;
	}
	return interrupt_signal() ? -EINTR : 0;
}

/*
 * Take candidates offline until a request has enough. Returns 0 or a negative errno:
 * EACCES or EROFS, which every block would give; EINTR; ENOSPC if there are too few;
 * ECANCELED, after a message, if Linux would have too little left.
 */
static int take_blocks(struct donation *d, struct want *want)
{
	static const struct {
		bool movable;
		bool whole;
	} kinds[] = { { true, true },
		      { true, false },
		      { false, true },
		      { false, false } };
	size_t i;
	int err;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		err = take_kind(d, want, kinds[i].movable, kinds[i].whole);
		if (err)
			return err;
	}
	return want->held < want->needed ? -ENOSPC : 0;
}

/* Give a block back to Linux, in the zone it had. False, after a message, if that fails. */
static bool put_back(struct donation *d, struct candidate *c)
{
	uint64_t size = d->blocks->size;
	int err = 0;

	if (c->fate == DONATED)
		err = device_release(d->device, c->number * size, size);
	/* ENOENT: another run has released it in the meantime. */
	if (err && err != -ENOENT) {
		warnx("memory%llu stays donated: %s; later: petmem release",
		      (unsigned long long)c->number, strerror(-err));
		return false;
	}
	c->fate = REFUSED;
	c->want->held--;
	c->want = NULL;
	d->missing++;
	progress_show("petmem: putting memory%llu back",
		      (unsigned long long)c->number);
	return bring_online(d->blocks, c->number, c->zone);
}

/*
 * Donate the blocks that are offline. A block that the module cannot use is put
 * back, so that another can be tried. Any other error is returned after a message.
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
		return "there is no room for its contents";
	case EPERM:
		return "a part of the kernel needs it";
	case ETIMEDOUT:
		return "its contents could not be moved in time";
	case EOPNOTSUPP:
		return "the module cannot use it";
	default:
		return "the kernel says why: dmesg";
	}
}

/* Does a candidate suit a request, and was it refused with this error? */
static bool refused(const struct candidate *c, const struct want *want, int err)
{
	return c->fate == REFUSED && suits(c, want) && c->err == err;
}

/* Print one line for each reason. It names the first block that gave it. */
static void explain_refusals(const struct donation *d, const struct want *want)
{
	const struct candidate *c = d->candidates;
	size_t i, j, others;

	for (i = 0; i < d->count; i++) {
		for (j = 0; j < i && !refused(&c[j], want, c[i].err); j++)
			;
		if (j < i || !refused(&c[i], want, c[i].err))
			continue;
		for (others = 0, j = i + 1; j < d->count; j++)
			others += refused(&c[j], want, c[i].err);
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

/* A request that all blocks together, tried or not, could not fill; or NULL. */
static const struct want *hopeless(const struct donation *d)
{
	size_t i;

	for (i = 0; i < d->want_count; i++)
		if (count_suitable(d, &d->wants[i]) < d->wants[i].needed)
			return &d->wants[i];
	return NULL;
}

static void explain_shortage(const struct donation *d)
{
	const struct want *want = hopeless(d);

	if (want) {
		warnx("%llu MB cannot be had: Linux has %llu MB in blocks that may go offline%s",
		      (unsigned long long)in_megabytes(d->blocks, want->needed),
		      (unsigned long long)in_megabytes(d->blocks,
						       count_suitable(d, want)),
		      place(want->node).text);
		return;
	}
	for (want = d->wants; want->held == want->needed; want++)
		;
	warnx("%llu MB cannot be had: only %llu MB went offline%s",
	      (unsigned long long)in_megabytes(d->blocks, want->needed),
	      (unsigned long long)in_megabytes(d->blocks, want->held),
	      place(want->node).text);
	explain_refusals(d, want);
}

static void explain(const struct donation *d, int err)
{
	if (err == -EACCES)
		warnx("%s: %s: run as root", d->blocks->root, strerror(-err));
	else if (err == -EROFS)
		warnx("%s: %s: memory cannot be taken offline in a container",
		      d->blocks->root, strerror(-err));
	else if (err == -EINTR)
		warnx("interrupted: %s", strsignal(interrupt_signal()));
	else if (err == -ENOSPC)
		explain_shortage(d);
}

/* Undo what this run did. */
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

static int take_and_hand_over(struct donation *d)
{
	int err = hopeless(d) ? -ENOSPC : 0;
	size_t i;

	/* Repeat if the module refused blocks: others take their places. */
	do {
		for (i = 0; !err && i < d->want_count; i++)
			err = take_blocks(d, &d->wants[i]);
		if (!err)
			err = hand_over(d);
	} while (!err && d->missing);
	return err;
}

bool donate(int device, const struct blocks *blocks,
	    const struct request *requests, size_t count)
{
	struct donation d = { .device = device, .blocks = blocks };
	size_t i;
	int err = find_candidates(&d);

	if (!err)
		err = find_wants(&d, requests, count);
	if (err) {
		warnx("%s", strerror(-err));
		goto out;
	}
	prefer_whole(&d);
	err = take_and_hand_over(&d);
	if (err) {
		explain(&d, err);
		give_back(&d);
		goto out;
	}
	for (i = 0; i < d.want_count; i++)
		report("donated", blocks, d.wants[i].needed, d.wants[i].node);
out:
	free(d.wants);
	free(d.candidates);
	return !err;
}

/*
 * Take one donated range back and bring its blocks online. Returns 0, or an errno after a
 * message. *online counts the blocks that are back online, of the number wanted.
 */
static int release_range(int device, const struct blocks *blocks,
			 const struct petmem_block *range, uint64_t wanted,
			 uint64_t *online)
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
		progress_show(
			"petmem: released %llu of %llu MB; memory%llu is next",
			(unsigned long long)in_megabytes(blocks, *online),
			(unsigned long long)in_megabytes(blocks, wanted),
			(unsigned long long)number);
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
	for (i = 0; !megabytes && i < count; i++)
		wanted += ranges[i].size / blocks->size;
	for (i = 0; i < count && online < wanted; i++) {
		if (interrupt_signal()) {
			warnx("interrupted: %s", strsignal(interrupt_signal()));
			failed = true;
			break;
		}
		if (release_range(device, blocks, &ranges[i], wanted, &online))
			failed = true;
	}
	free(ranges);
	report("released", blocks, online, NODE_ANY);
	if (!megabytes)
		return !failed;
	if (online < wanted)
		warnx("%llu MB were asked for",
		      (unsigned long long)in_megabytes(blocks, wanted));
	return online >= wanted;
}
