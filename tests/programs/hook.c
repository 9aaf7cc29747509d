// SPDX-License-Identifier: GPL-2.0
/*
 * hook.c - a library to preload beside petmem-run's: it puts a function of its own in place
 * of each of the C library's that an allocator may call, and wants memory in each call, as
 * libfakeroot does. The C library's own headers would declare these functions otherwise.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

typedef long call(long a, long b, long c, long d, long e, long f, long g);

#define HOOK(_name)                                                        \
	long _name(long a, long b, long c, long d, long e, long f, long g) \
	{                                                                  \
		void *volatile memory = malloc(64);                        \
		call *real = (call *)dlsym(RTLD_NEXT, #_name);             \
                                                                           \
		free(memory);                                              \
		return real(a, b, c, d, e, f, g);                          \
	}

HOOK(open)
HOOK(openat)
HOOK(creat)
HOOK(close)
HOOK(read)
HOOK(write)
HOOK(readlink)
HOOK(fstat)
HOOK(fcntl)
HOOK(ioctl)
HOOK(mmap)
HOOK(munmap)
HOOK(madvise)
HOOK(mprotect)
HOOK(sbrk)
HOOK(syscall)
HOOK(clock_gettime)
HOOK(sched_yield)
