// SPDX-License-Identifier: GPL-2.0
/*
 * pagers.c - the two ways by which a program can be a pager without petmem.
 *
 * userfaultfd: the thread that touches sleeps; another one reads the fault from a
 * descriptor and copies a page of zeros into place, which wakes the first.
 *
 * SIGSEGV and mprotect(): the memory is mapped without access; the handler of the
 * signal allows a page, and the access then faults once more, for Linux to map it.
 */
#define _GNU_SOURCE
#include "peers.h"

#include <err.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *map(size_t size, int protection)
{
	void *memory = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	if (memory == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	return memory;
}

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(uintptr_t)(PAGE_SIZE - 1);
}

/* ---- userfaultfd ---- */

static int uffd;
static char zeros[4096] __attribute__((aligned(4096)));

static void *serve_faults(void *unused)
{
	struct uffd_msg message;

	while (read(uffd, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_copy copy = {
			.dst = page_of(message.arg.pagefault.address),
			.src = (uintptr_t)zeros,
			.len = PAGE_SIZE,
		};

		/* EEXIST if two threads touched the same page. */
		ioctl(uffd, UFFDIO_COPY, &copy);
	}
	return unused;
}

bool uffd_set_up(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	pthread_t server;

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	return use_small_pages() && uffd >= 0 &&
	       ioctl(uffd, UFFDIO_API, &api) == 0 &&
	       pthread_create(&server, NULL, serve_faults, NULL) == 0;
}

void *uffd_get(size_t size)
{
	void *memory = map(size, PROT_READ | PROT_WRITE);
	struct uffdio_register range = {
		.range = { .start = (uintptr_t)memory, .len = size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (ioctl(uffd, UFFDIO_REGISTER, &range))
		err(EXIT_FAILURE, "UFFDIO_REGISTER");
	return memory;
}

/* ---- SIGSEGV and mprotect ---- */

static void allow_page(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	if (mprotect((void *)page_of((uintptr_t)info->si_addr), PAGE_SIZE,
		     PROT_READ | PROT_WRITE))
		_exit(EXIT_FAILURE);
}

bool segv_set_up(void)
{
	struct sigaction action = {
		.sa_sigaction = allow_page,
		.sa_flags = SA_SIGINFO,
	};

	return use_small_pages() && sigaction(SIGSEGV, &action, NULL) == 0;
}

void *segv_get(size_t size)
{
	return map(size, PROT_NONE);
}
