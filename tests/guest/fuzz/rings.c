// SPDX-License-Identifier: GPL-2.0
/* rings.c - actions: input and output that the kernel does later, or elsewhere. */
#define _GNU_SOURCE
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "descriptors.h"
#include "rings.h"

#define ENTRIES 8
#define BUFFERS 4

/* A ring as the kernel shares it. Nobody reads the results. */
struct ring {
	int fd;
	struct io_uring_params parameters;
	char *submissions; /* head, tail and array, where .sq_off says */
	struct io_uring_sqe *entries;
};

static size_t submissions_size(const struct ring *ring)
{
	return ring->parameters.sq_off.array +
	       ring->parameters.sq_entries * sizeof(uint32_t);
}

static size_t entries_size(const struct ring *ring)
{
	return ring->parameters.sq_entries * sizeof(struct io_uring_sqe);
}

static bool ring_open(struct ring *ring, uint32_t flags)
{
	*ring = (struct ring){ .parameters.flags = flags };
	ring->fd = syscall(SYS_io_uring_setup, ENTRIES, &ring->parameters);
	if (ring->fd < 0)
		return false;
	ring->submissions =
		mmap(NULL, submissions_size(ring), PROT_READ | PROT_WRITE,
		     MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, entries_size(ring), PROT_READ | PROT_WRITE,
			     MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return ring->submissions != MAP_FAILED && ring->entries != MAP_FAILED;
}

static void ring_close(struct ring *ring)
{
	if (ring->submissions && ring->submissions != MAP_FAILED)
		munmap(ring->submissions, submissions_size(ring));
	if (ring->entries && ring->entries != MAP_FAILED)
		munmap(ring->entries, entries_size(ring));
	close(ring->fd);
}

static struct io_uring_sqe entry_draw(struct flow *flow)
{
	static const uint8_t operations[] = {
		IORING_OP_READ,
		IORING_OP_WRITE,
		IORING_OP_READV,
		IORING_OP_WRITEV,
		IORING_OP_READ_FIXED,
		IORING_OP_READ_FIXED,
		IORING_OP_WRITE_FIXED,
		IORING_OP_WRITE_FIXED,
		IORING_OP_RECV,
		IORING_OP_SEND,
		IORING_OP_MADVISE,
		IORING_OP_STATX,
		IORING_OP_PROVIDE_BUFFERS,
	};

	return (struct io_uring_sqe){
		.opcode =
			one_in(flow, 8)
				? draw(flow, 64)
				: operations[draw(flow, COUNT_OF(operations))],
		.flags = one_in(flow, 2) ? 0 : draw(flow, 64),
		.fd = descriptor_draw(flow),
		.off = one_in(flow, 2) ? 0 : address_draw(flow),
		.addr = buffer_draw(flow),
		.len = PAGE * draw(flow, 4) + draw(flow, 3),
		.rw_flags = one_in(flow, 8) ? draw(flow, 64) : 0,
		.buf_index = draw(flow, BUFFERS),
	};
}

static long ring_submit(struct flow *flow, struct ring *ring)
{
	const struct io_sqring_offsets *at = &ring->parameters.sq_off;
	uint32_t *array = (uint32_t *)(ring->submissions + at->array);
	_Atomic uint32_t *tail = (void *)(ring->submissions + at->tail);
	unsigned int count = 1 + draw(flow, ENTRIES);

	for (unsigned int i = 0; i < count; i++) {
		ring->entries[i] = entry_draw(flow);
		array[i] = i;
	}
	atomic_store(tail, count);
	return syscall(SYS_io_uring_enter, ring->fd, count, draw(flow, 2),
		       draw(flow, 8), buffer_draw(flow), 8);
}

/* Pinned pages would outlive a free: petmem's must be refused. */
static void register_buffers(struct flow *flow, struct ring *ring)
{
	struct iovec buffers[BUFFERS];

	for (size_t i = 0; i < BUFFERS; i++) {
		buffers[i].iov_base = (void *)buffer_draw(flow);
		buffers[i].iov_len = one_in(flow, 4) ? length_draw(flow) : PAGE;
	}
	syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS,
		buffers, 1 + draw(flow, BUFFERS));
}

void ring_io(struct flow *flow, const struct action *action)
{
	uint32_t flags = one_in(flow, 8) ? IORING_SETUP_SQPOLL : 0;
	struct ring ring;

	if (one_in(flow, 4))
		flags |= 1U << draw(flow, 16);
	if (ring_open(&ring, flags)) {
		register_buffers(flow, &ring);
		syscall(SYS_io_uring_register, ring.fd, draw(flow, 40),
			buffer_draw(flow), draw(flow, 8));
		action_count(action, ring_submit(flow, &ring));
	}
	if (ring.fd >= 0 && !one_in(flow, 8))
		ring_close(&ring);
}

void asynchronous_io(struct flow *flow, const struct action *action)
{
	aio_context_t *context = (aio_context_t *)place_draw(
		flow, &(aio_context_t){ 0 }, sizeof(*context));
	struct iocb request = {
		.aio_lio_opcode = draw(flow, 9),
		.aio_fildes = descriptor_draw(flow),
		.aio_buf = buffer_draw(flow),
		.aio_nbytes = PAGE * draw(flow, 4),
	};
	struct iocb *requests[] = { place_draw(flow, &request,
					       sizeof(request)) };
	uint64_t events = buffer_draw(flow);
	struct timespec no_time = { 0, 0 };

	if (syscall(SYS_io_setup, 1 + draw(flow, 16), context) < 0)
		return;
	action_count(action, syscall(SYS_io_submit, *context, 1, requests));
	syscall(SYS_io_getevents, *context, 0, 8, events, &no_time);
	syscall(SYS_io_destroy, *context);
}
