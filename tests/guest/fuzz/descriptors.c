// SPDX-License-Identifier: GPL-2.0
/* descriptors.c - the open files of a program. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "descriptors.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* Files that are opened by name; those that the directory lacks are made. */
static const struct {
	const char *name;
	int flags;
} files[] = {
	{ PETMEM_DEVICE, O_RDWR },
	{ "file", O_RDWR | O_CREAT },
	{ "direct", O_RDWR | O_CREAT | O_DIRECT },
	{ "/dev/zero", O_RDWR },
	{ "/dev/null", O_RDWR },
	{ "/proc/self/mem", O_RDWR },
	{ "/proc/self/maps", O_RDONLY },
	{ "/proc/self/smaps", O_RDONLY },
	{ "/proc/self/smaps_rollup", O_RDONLY },
	{ "/proc/self/numa_maps", O_RDONLY },
	{ "/proc/self/pagemap", O_RDONLY },
	{ "/proc/self/clear_refs", O_WRONLY },
	{ "/proc/self/environ", O_RDONLY },
	{ "/proc/self/exe", O_RDONLY },
	{ ".", O_RDONLY | O_DIRECTORY },
};

static void keep(size_t *used, int fd)
{
	if (*used < DESCRIPTORS)
		program.descriptors[(*used)++] = fd;
}

static void open_pair(size_t *used, int type)
{
	int pair[2];

	if (type ? socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair)
		 : pipe2(pair, O_NONBLOCK))
		return;
	keep(used, pair[0]);
	keep(used, pair[1]);
}

static int open_user_faults(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd,
			 O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	if (fd >= 0)
		ioctl(fd, UFFDIO_API, &api);
	return fd;
}

static int open_memory(void)
{
	int fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && ftruncate(fd, 4 * PAGE) < 0)
		return -1;
	return fd;
}

static int open_file(size_t i)
{
	return open(files[i].name, files[i].flags | O_CLOEXEC | O_NONBLOCK,
		    0600);
}

void descriptors_open(void)
{
	size_t used = 0;

	for (size_t i = 0; i < COUNT_OF(files); i++)
		keep(&used, open_file(i));
	open_pair(&used, 0);
	open_pair(&used, SOCK_STREAM);
	open_pair(&used, SOCK_DGRAM);
	keep(&used, open_user_faults());
	keep(&used, open_memory());
	keep(&used, epoll_create1(EPOLL_CLOEXEC));
	keep(&used, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	keep(&used, syscall(SYS_pidfd_open, getpid(), 0));
	while (used < DESCRIPTORS)
		keep(&used, -1);
}

int descriptor_draw(struct flow *flow)
{
	int fd = program.descriptors[draw(flow, DESCRIPTORS)];

	return one_in(flow, 8) ? program.device : fd;
}

/* The numbers for the results and KCOV are never closed. */
void close_one(struct flow *flow, const struct action *action)
{
	int *fd = &program.descriptors[draw(flow, DESCRIPTORS)];

	action_count(action, *fd >= 0 ? close(*fd) : -1);
	*fd = -1;
}

void duplicate_one(struct flow *flow, const struct action *action)
{
	int *fd = &program.descriptors[draw(flow, DESCRIPTORS)];
	int other = descriptor_draw(flow);

	if (*fd < 0)
		*fd = dup(other);
	else if (*fd != program.device)
		dup2(other, *fd);
	action_count(action, *fd);
}

/* Open the device with flags of all kinds. */
void open_device(struct flow *flow, const struct action *action)
{
	static const int flags[] = { O_RDWR,
				     O_RDWR | O_CLOEXEC,
				     O_RDWR | O_DIRECT,
				     O_RDWR | O_APPEND | O_NONBLOCK,
				     O_RDONLY,
				     O_WRONLY,
				     O_PATH,
				     O_RDWR | O_TRUNC | O_CREAT };
	int fd = open(PETMEM_DEVICE, flags[draw(flow, COUNT_OF(flags))], 0666);

	action_count(action, fd);
	if (fd >= 0)
		close(fd);
}

void open_one(struct flow *flow, const struct action *action)
{
	int *fd = &program.descriptors[draw(flow, DESCRIPTORS)];
	size_t which = draw(flow, COUNT_OF(files));

	if (*fd < 0)
		*fd = open_file(which);
	action_count(action, *fd);
}

static void send_descriptor(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	char byte = 0;
	struct iovec data = { &byte, sizeof(byte) };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sendmsg(socket, &message, 0);
}

static int receive_descriptor(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	char byte;
	struct iovec data = { &byte, sizeof(byte) };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(socket, &message, 0) > 0 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/*
 * A child opens the device, binds its memory to it and sends it to its parent. The parent
 * goes on with it when the child is gone.
 */
void pass_device(struct flow *flow, const struct action *action)
{
	struct petmem_alloc request = { .size = PAGE * (1 + draw(flow, 8)) };
	int sockets[2], fd;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
		return;
	child = flow_fork(flow);
	if (child == 0) {
		fd = open(PETMEM_DEVICE, O_RDWR);
		ioctl(fd, PETMEM_IOC_ALLOC, &request);
		send_descriptor(sockets[1], fd);
		_exit(0);
	}
	close(sockets[1]);
	fd = receive_descriptor(sockets[0]);
	close(sockets[0]);
	waitpid(child, NULL, 0);
	action_count(action, fd);
	if (fd >= 0) {
		close(program.device);
		program.device = fd;
	}
}
