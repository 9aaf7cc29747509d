// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * descriptor.c - a program that closes descriptors which it does not know keeps its heap's.
 *
 * Daemons close all descriptors, and then give up the right to open the device again. So
 * these functions spare the harness's descriptor: for the program it is not open. Another
 * file may have its number: then the harness moves. A program that makes the system call
 * itself is not stopped; then spare.h helps.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "descriptor.h"
#include "direct.h"
#include "next.h"

/* From glibc 2.34 and 2.36. */
int close_range(unsigned int first, unsigned int last, int flags);

EXPORT int close(int fd)
{
	if (pet_is_descriptor(fd)) {
		errno = EBADF;
		return -1;
	}
	return NEXT(close)(fd);
}

/* With CLOSE_RANGE_CLOEXEC nothing is closed now, and the descriptor is so anyway. */
EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
	int descriptor = pet_descriptor();
	unsigned int own = descriptor;

	if (descriptor < 0 || own < first || own > last ||
	    (flags & CLOSE_RANGE_CLOEXEC))
		return NEXT(close_range)(first, last, flags);
	if (own > first && NEXT(close_range)(first, own - 1, flags))
		return -1;
	if (own == last && own > first)
		return 0;
	if (own == last) /* for an unknown flag, and for CLOSE_RANGE_UNSHARE */
		return NEXT(close_range)(~0U, ~0U, flags);
	return NEXT(close_range)(own + 1, last, flags);
}

EXPORT void closefrom(int first)
{
	int own = pet_descriptor();

	first = first < 0 ? 0 : first;
	if (own > first)
		NEXT(close_range)(first, own - 1, 0);
	NEXT(closefrom)(own >= first ? own + 1 : first);
}

EXPORT int dup2(int from, int to)
{
	if (from != to && pet_is_descriptor(to))
		pet_leave_descriptor();
	return NEXT(dup2)(from, to);
}

EXPORT int dup3(int from, int to, int flags)
{
	if (from != to && pet_is_descriptor(to))
		pet_leave_descriptor();
	return NEXT(dup3)(from, to, flags);
}
