// SPDX-License-Identifier: GPL-2.0
/* transfers.c - actions: bytes out of petmem memory and into it again. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "transfers.h"

/* A pipe, or a pair of sockets. Both ends never block. */
static bool open_ends(struct flow *flow, int ends[2])
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int type = types[draw(flow, COUNT_OF(types))];

	if (one_in(flow, 2))
		return pipe2(ends, O_NONBLOCK) == 0;
	return socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends) == 0;
}

static long send_bytes(struct flow *flow, int end, struct iovec *data)
{
	struct msghdr message = { .msg_iov = data, .msg_iovlen = 2 };

	switch (draw(flow, 5)) {
	case 0:
		return write(end, data[0].iov_base, data[0].iov_len);
	case 1:
		return writev(end, data, 2);
	case 2:
		return vmsplice(end, data, 2, draw(flow, 16));
	case 3:
		return sendmsg(end, &message,
			       one_in(flow, 2) ? MSG_ZEROCOPY : 0);
	default:
		return send(end, data[0].iov_base, data[0].iov_len, 0);
	}
}

static long receive_bytes(struct flow *flow, int end, struct iovec *data)
{
	struct msghdr message = { .msg_iov = data, .msg_iovlen = 2 };

	switch (draw(flow, 5)) {
	case 0:
		return read(end, data[0].iov_base, data[0].iov_len);
	case 1:
		return readv(end, data, 2);
	case 2:
		return vmsplice(end, data, 2, draw(flow, 16));
	case 3:
		return recvmsg(end, &message, one_in(flow, 2) ? MSG_PEEK : 0);
	default:
		return recv(end, data[0].iov_base, data[0].iov_len, 0);
	}
}

static void draw_data(struct flow *flow, struct iovec data[2])
{
	for (int i = 0; i < 2; i++) {
		data[i].iov_base = (void *)buffer_draw(flow);
		data[i].iov_len = 1 + draw(flow, 3 * PAGE);
	}
}

void transfer(struct flow *flow, const struct action *action)
{
	struct iovec from[2], to[2];
	int ends[2];
	long sent;

	draw_data(flow, from);
	draw_data(flow, to);
	if (!open_ends(flow, ends))
		return;
	sent = send_bytes(flow, ends[1], from);
	/* Memory unmapped or freed between the two must not be seen at the end. */
	if (one_in(flow, 4))
		flow_take(flow, action_draw_simple(flow));
	if (sent > 0)
		action_count(action, receive_bytes(flow, ends[0], to));
	close(ends[0]);
	close(ends[1]);
}
