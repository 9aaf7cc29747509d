/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring.h - just enough of io_uring for one request at a time (man 7 io_uring).
 */
#ifndef RING_H
#define RING_H

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"

struct ring {
	int fd;
	struct io_uring_params params;
	char *submission, *completion;
	struct io_uring_sqe *entries;
};

/* The case is skipped where there is no io_uring. */
static inline struct ring new_ring(void)
{
	struct ring ring = { 0 };
	struct io_uring_params *params = &ring.params;

	ring.fd = syscall(SYS_io_uring_setup, 1, params);
	if (ring.fd < 0)
		skip_case("no io_uring");
	ring.submission = mmap(NULL,
			       params->sq_off.array +
				       params->sq_entries * sizeof(uint32_t),
			       PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
			       IORING_OFF_SQ_RING);
	ring.completion =
		mmap(NULL,
		     params->cq_off.cqes +
			     params->cq_entries * sizeof(struct io_uring_cqe),
		     PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd,
		     IORING_OFF_CQ_RING);
	ring.entries = mmap(NULL, sizeof(*ring.entries), PROT_READ | PROT_WRITE,
			    MAP_SHARED, ring.fd, IORING_OFF_SQES);
	CHECK(ring.submission != MAP_FAILED && ring.completion != MAP_FAILED &&
	      ring.entries != MAP_FAILED);
	return ring;
}

static inline _Atomic uint32_t *ring_word(char *memory, uint32_t offset)
{
	return (_Atomic uint32_t *)(memory + offset);
}

/*
 * Read from a file into memory; a kernel thread does it if @flags is IOSQE_ASYNC.
 * Returns what read() would, or minus errno.
 */
static inline int ring_read(struct ring *ring, unsigned int flags, int file,
			    void *memory, size_t size)
{
	struct io_uring_params *params = &ring->params;
	_Atomic uint32_t *head =
		ring_word(ring->completion, params->cq_off.head);
	uint32_t done = *head;
	struct io_uring_cqe *results =
		(void *)(ring->completion + params->cq_off.cqes);

	ring->entries[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.flags = flags,
		.fd = file,
		.addr = (uintptr_t)memory,
		.len = size,
		.off = -1,
	};
	*ring_word(ring->submission, params->sq_off.array) = 0;
	++*ring_word(ring->submission, params->sq_off.tail);
	CHECK(syscall(SYS_io_uring_enter, ring->fd, 1, 1,
		      IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	CHECK(*ring_word(ring->completion, params->cq_off.tail) == done + 1);
	*head = done + 1;
	return results[done & (params->cq_entries - 1)].res;
}

/* Pin memory for the ring. */
static inline int ring_register(struct ring *ring, void *memory, size_t size)
{
	struct iovec buffer = { memory, size };

	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS,
		       &buffer, 1);
}

#endif /* RING_H */
