// SPDX-License-Identifier: GPL-2.0
/* descriptors.c - memory belongs to the address space, not to the descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

static uint64_t allocate_by(int device)
{
	struct petmem_alloc request = { .size = PAGE };

	CHECK(ioctl(device, PETMEM_IOC_ALLOC, &request) == 0);
	return request.addr;
}

static void init_twice(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGE);
	memory[0] = 1;
	CHECK(init_petmem() == 0);
	CHECK(memory[0] == 1);
	CHECK(must_malloc(PAGE) == memory + PAGE);
}

static void closed_early(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(4 * PAGE);
	fill(memory, PAGE, 1);
	CHECK(syscall(SYS_close_range, 3, ~0U, 0) == 0 || errno == ENOSYS);
	CHECK(holds(memory, PAGE, 1));
	/* The harness opens the device again. */
	fill(memory + PAGE, PAGE, 2);
	pet_free(memory);
	CHECK(faults(memory, READ));
}

/* The number now belongs to another file, which must not get petmem's ioctls. */
static void number_reused(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(4 * PAGE);
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			CHECK(dup2(STDERR_FILENO, fd) == fd);
	fill(memory, PAGE, 1);
	CHECK(holds(memory, PAGE, 1));
}

static void closed_without_harness(void)
{
	struct petmem_status before = pool_status();
	int device = open_device();
	struct petmem_fault fault = { .addr = allocate_by(device) };

	CHECK(ioctl(device, PETMEM_IOC_FAULT, &fault) == 0);
	CHECK(close(device) == 0);
	*(char *)(uintptr_t)fault.addr = 1;
	CHECK(pool_status().free_pages < before.free_pages);
}

/* A stranger gets memory of its own. */
static void act_as_stranger(int device)
{
	struct petmem_fault fault = { .addr = PETMEM_REGION_START };
	struct petmem_free free = { .addr = PETMEM_REGION_START };

	CHECK(ioctl(device, PETMEM_IOC_FREE, &free) == -1 && errno == EINVAL);
	CHECK(ioctl(device, PETMEM_IOC_FAULT, &fault) == -1 && errno == EFAULT);
	CHECK(allocate_by(device) == PETMEM_REGION_START);
	CHECK(ioctl(device, PETMEM_IOC_FAULT, &fault) == 0);
	CHECK(is_zero(REGION, PAGE));
	memset(REGION, 0x55, PAGE);
	CHECK(ioctl(device, PETMEM_IOC_FREE, &free) == 0);
}

/* A child has its parent's memory, by any descriptor. */
static void use_inherited(void *argument)
{
	struct petmem_free free = { .addr = PETMEM_REGION_START };
	int device = *(int *)argument;

	CHECK(holds(REGION, PAGE, 3));
	CHECK(allocate_by(device) == PETMEM_REGION_START + PAGE);
	CHECK(ioctl(device, PETMEM_IOC_FREE, &free) == 0);
	CHECK(faults(REGION, READ));
	act_as_stranger(device);
}

static void inherited(void)
{
	int device = open_device();
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGE);
	fill(memory, PAGE, 3);
	join(spawn(use_inherited, &device));
	CHECK(holds(memory, PAGE, 3));
}

static void send_descriptor(int socket, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	CHECK(sendmsg(socket, &message, 0) == 1);
}

static int receive_descriptor(int socket)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	int fd;

	CHECK(recvmsg(socket, &message, 0) == 1);
	header = CMSG_FIRSTHDR(&message);
	CHECK(header != NULL);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static void receive_and_use(void *argument)
{
	act_as_stranger(receive_descriptor(((int *)argument)[1]));
}

static void passed(void)
{
	int sockets[2];
	char *memory;
	pid_t stranger;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	stranger = spawn(receive_and_use, sockets);
	connect_petmem();
	memory = must_malloc(PAGE);
	fill(memory, PAGE, 4);
	send_descriptor(sockets[0], open_device());
	join(stranger);
	CHECK(holds(memory, PAGE, 4));
}

static const struct guest_case cases[] = {
	{ "init_petmem twice", init_twice },
	{ "all descriptors closed early", closed_early },
	{ "the descriptor's number used for another file", number_reused },
	{ "closed, without the harness", closed_without_harness },
	{ "inherited by a child", inherited },
	{ "passed to a stranger", passed },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
