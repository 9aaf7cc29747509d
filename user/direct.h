/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * direct.h - system calls that no other library can come between.
 *
 * The C library's functions can be replaced by any preloaded library, and the
 * replacement may want memory. Below an allocator that would wait for the
 * allocator's own lock, or never end. These calls go to the kernel. None of them is
 * a cancellation point.
 */
#ifndef PETMEM_DIRECT_H
#define PETMEM_DIRECT_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* The kernel returns an error as one of the last addresses. */
#define DIRECT_MAX_ERROR 4095UL

/* Returns the result, or -1 with errno. */
static inline long direct_call(long number, long a, long b, long c, long d,
			       long e, long f)
{
	register long fourth __asm__("r10") = d;
	register long fifth __asm__("r8") = e;
	register long sixth __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth),
			   "r"(fifth), "r"(sixth)
			 : "rcx", "r11", "memory");
	if ((unsigned long)result < -DIRECT_MAX_ERROR)
		return result;
	errno = -result;
	return -1;
}

static inline int direct_ioctl(int fd, unsigned long request, void *argument)
{
	return direct_call(SYS_ioctl, fd, request, (long)argument, 0, 0, 0);
}

static inline int direct_fcntl(int fd, int command, long argument)
{
	return direct_call(SYS_fcntl, fd, command, argument, 0, 0, 0);
}

/* On x86-64 the kernel's struct stat is the C library's. */
static inline int direct_fstat(int fd, struct stat *status)
{
	return direct_call(SYS_fstat, fd, (long)status, 0, 0, 0, 0);
}

static inline int direct_open(const char *path, int flags, mode_t mode)
{
	return direct_call(SYS_openat, AT_FDCWD, (long)path, flags, mode, 0, 0);
}

static inline int direct_close(int fd)
{
	return direct_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline ssize_t direct_write(int fd, const void *text, size_t size)
{
	return direct_call(SYS_write, fd, (long)text, size, 0, 0, 0);
}

static inline void *direct_mmap(void *addr, size_t size, int prot, int flags,
				int fd, off_t offset)
{
	return (void *)direct_call(SYS_mmap, (long)addr, size, prot, flags, fd,
				   offset);
}

static inline int direct_munmap(void *addr, size_t size)
{
	return direct_call(SYS_munmap, (long)addr, size, 0, 0, 0, 0);
}

static inline int direct_mprotect(void *addr, size_t size, int prot)
{
	return direct_call(SYS_mprotect, (long)addr, size, prot, 0, 0, 0);
}

#endif /* PETMEM_DIRECT_H */
