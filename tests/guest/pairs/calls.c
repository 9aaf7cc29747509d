// SPDX-License-Identifier: GPL-2.0
/* calls.c - operations: Linux's memory system calls, with every flag. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "operation.h"

#define NODE_BITS 64

/* ---- Ranges ---- */

struct range {
	void *start;
	size_t size;
};

/* Draw a page, 2 MiB, all memory in use, or the whole region. */
static struct range range_draw(struct side *side)
{
	char *page = slot_address(slot_draw(side));

	switch (draw(side, 4)) {
	case 0:
		return (struct range){ page, PAGE };
	case 1:
		return (struct range){ scene.large, LARGE };
	case 2:
		return (struct range){ scene.sparse, GIB };
	default:
		return (struct range){ REGION, PETMEM_REGION_SIZE };
	}
}

/* ---- Nodes ---- */

void run_mbind(struct side *side)
{
	enum { MODES = 8, MODE_FLAGS_SHIFT = 13, MODE_FLAGS = 8, FLAGS = 16 };
	struct range range = range_draw(side);
	unsigned long nodes = draw(side, 4);
	int mode = draw(side, MODES);

	if (draw(side, 4) == 0)
		mode |= draw(side, MODE_FLAGS) << MODE_FLAGS_SHIFT;
	syscall(SYS_mbind, range.start, range.size, mode, &nodes, NODE_BITS,
		draw(side, FLAGS));
	syscall(SYS_get_mempolicy, &mode, &nodes, NODE_BITS, range.start,
		draw(side, 8));
}

void run_migrate(struct side *side)
{
	unsigned long from = 1 + draw(side, 3), to = 1 + draw(side, 3);

	syscall(SYS_migrate_pages, side->process, NODE_BITS, &from, &to);
}

void run_move(struct side *side)
{
	enum { PAGES = 16, FLAGS = 8 };
	int nodes[PAGES], status[PAGES];
	void *pages[PAGES];

	for (int i = 0; i < PAGES; i++) {
		pages[i] = slot_address(slot_draw(side));
		nodes[i] = draw(side, 2);
	}
	syscall(SYS_move_pages, side->process, PAGES, pages,
		draw(side, 2) ? nodes : NULL, status, draw(side, FLAGS));
}

/* ---- Advice ---- */

static int advice_draw(struct side *side)
{
	enum { LINEAR = 27, POISONING = 99, POISONINGS = 6 };
	uint64_t advice = draw(side, LINEAR + POISONINGS);

	return advice < LINEAR ? advice : advice - LINEAR + POISONING;
}

void run_madvise(struct side *side)
{
	struct range range = range_draw(side);
	struct iovec vector = { range.start, range.size };
	int advice = advice_draw(side);
	int process;

	if (draw(side, 4)) {
		madvise(range.start, range.size, advice);
		return;
	}
	process = syscall(SYS_pidfd_open, side->process, 0);
	syscall(SYS_process_madvise, process, &vector, 1, advice, 0);
	if (process >= 0)
		close(process);
}

/* ---- userfaultfd ---- */

/* Newer than some C libraries' headers. */
#define FEATURES 18
#define FEATURE_WP_UNPOPULATED (1ULL << 13)
#define FEATURE_WP_ASYNC (1ULL << 15)
#define MODES 8

static uint64_t features_draw(struct side *side)
{
	switch (draw(side, 3)) {
	case 0:
		return 0;
	case 1:
		return FEATURE_WP_ASYNC |
		       (draw(side, 2) ? FEATURE_WP_UNPOPULATED : 0);
	default:
		return 1ULL << draw(side, FEATURES);
	}
}

static int open_faults(struct side *side)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = features_draw(side),
	};
	int fd = syscall(SYS_userfaultfd,
			 O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* All commands of userfaultfd begin with a range. */
struct request {
	struct uffdio_range range;
	uint64_t rest[4];
};

void run_uffd(struct side *side)
{
	enum { COMMANDS = 16 };
	struct range range = range_draw(side);
	struct uffdio_range target = { (uintptr_t)range.start, range.size };
	struct uffdio_register whole = {
		.range = target,
		.mode = draw(side, MODES),
	};
	int fd = open_faults(side);

	if (fd < 0)
		return;
	ioctl(fd, UFFDIO_REGISTER, &whole);
	for (unsigned int number = 2; number < COMMANDS; number++) {
		struct request request = { .range = target };
		size_t size = sizeof(target) + 8 * draw(side, 4);

		request.rest[0] = draw(side, 4);
		ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, UFFDIO, number, size),
		      &request);
	}
	ioctl(fd, UFFDIO_UNREGISTER, &target);
	close(fd);
}

/* ---- Calls that must be refused, or do nothing ---- */

static void change_mapping(struct side *side, struct range range)
{
	char *place = (char *)range.start + PAGE;

	switch (draw(side, 4)) {
	case 0:
		munmap(place, PAGE);
		break;
	case 1:
		mmap(place, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 2:
		mremap(range.start, range.size, range.size, MREMAP_MAYMOVE);
		break;
	default:
		mremap(range.start, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	}
}

void run_protect(struct side *side)
{
	struct range range = range_draw(side);
	unsigned char resident;

	mprotect(range.start, range.size, draw(side, 8));
	pkey_mprotect(range.start, range.size, draw(side, 8), -1);
	mlock2(range.start, range.size, draw(side, 2));
	munlock(range.start, range.size);
	msync(range.start, range.size, draw(side, 8));
	mincore(range.start, PAGE, &resident);
	change_mapping(side, range);
}

/* ---- Copies by the kernel ---- */

void run_readv(struct side *side)
{
	uint64_t word;
	struct iovec local = { &word, sizeof(word) };
	struct iovec remote = { word_for_calls(side, slot_draw(side)),
				sizeof(word) };

	if (process_vm_readv(side->process, &local, 1, &remote, 1, 0) > 0)
		process_vm_writev(side->process, &local, 1, &remote, 1, 0);
}

void run_copy(struct side *side)
{
	uint64_t *from = word_for_calls(side, slot_draw(side));
	uint64_t *to = word_for_calls(side, slot_draw(side));
	bool faults = side->lenient || !is_native();
	int pipes[2];

	CHECK(pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0);
	if (write(pipes[1], from, sizeof(*from)) == sizeof(*from))
		CHECK(read(pipes[0], to, sizeof(*to)) == sizeof(*to) || faults);
	else
		CHECK(faults);
	close(pipes[0]);
	close(pipes[1]);
}
