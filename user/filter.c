// SPDX-License-Identifier: GPL-2.0 OR MIT
/* filter.c - does a seccomp filter that the program was started with forbid ioctl()? */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "direct.h"
#include "filter.h"
#include "petmem.h"

/* /proc/self/status is shorter. */
#define STATUS_SIZE 4096

/*
 * prctl() may be what the filter forbids. The dynamic linker has opened and read files
 * under it.
 */
static bool has_filter(void)
{
	char text[STATUS_SIZE];
	int fd = direct_open("/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	long length;

	if (fd < 0)
		return false;
	length = direct_call(SYS_read, fd, (long)text, sizeof(text) - 1, 0, 0,
			     0);
	direct_close(fd);
	text[length < 0 ? 0 : length] = '\0';
	return strstr(text, "\nSeccomp:\t2\n") != NULL;
}

/* A descriptor that is not open gives EBADF, if the call gets as far. */
static bool is_refused(void)
{
	direct_ioctl(-1, PETMEM_IOC_VERSION, NULL);
	return errno != EBADF;
}

/* The child's end sends no signal to the program. */
static bool child_is_refused(void)
{
	long child = direct_call(SYS_clone, 0, 0, 0, 0, 0, 0);
	int status = 0;

	if (!child)
		direct_call(SYS_exit_group, is_refused(), 0, 0, 0, 0, 0);
	return child < 0 ||
	       direct_call(SYS_wait4, child, (long)&status, __WALL, 0, 0, 0) <
		       0 ||
	       status;
}

bool filter_forbids_ioctl(void)
{
	int saved_errno = errno;
	bool forbids = has_filter() && child_is_refused();

	errno = forbids ? EPERM : saved_errno;
	return forbids;
}
