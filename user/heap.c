// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * heap.c - libpetmem-malloc.so: a program's heap on petmem, by LD_PRELOAD.
 *
 * malloc() and its relatives are jemalloc's, from Debian's libjemalloc_pic.a: petmem
 * hands out whole pages, and jemalloc makes objects of them. jemalloc gets all its
 * memory, for its own bookkeeping, too, from here, in two ways:
 *
 * - The hooks. Each arena gets its extents (runs of pages) from them. There is no
 *   hook for splitting or merging, so an extent is one petmem allocation all its life,
 *   and jemalloc gives it back whole: petmem cannot free a part of an allocation.
 * - The renamed calls. The arenas exist, and need memory, before anybody can give them
 *   hooks. So the Makefile renames mmap() and the like in the archive to the heap_*
 *   functions below, which leaves the archive no other way to Linux's memory.
 *
 * Why jemalloc? mimalloc 2.0.9, with petmem as its one arena, was tried. It gave back none
 * of the 383 MB that a program had freed: it works with large arenas and would have to
 * give back parts of them, which petmem has no call for. It also took its thread
 * descriptors from Linux. jemalloc works with whole extents where mappings cannot be
 * split, and its locks survive fork() in a program with threads.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jemalloc/jemalloc.h>

#include "direct.h"
#include "harness.h"
#include "heap.h"
#include "next.h"
#include "petmem.h"
#include "run.h"

/* A 2 MiB page begins at a multiple of this, and so must jemalloc's own blocks. */
#define LARGE_PAGE (2UL * 1024 * 1024)

/*
 * jemalloc reads this when it starts; MALLOC_CONF in the environment overrides it.
 * - narenas: each gets its hooks beforehand, and costs some pages.
 * - oversize_threshold: large objects get no arena of their own, made without hooks.
 * - retain, dss: these ways to memory would bypass the hooks.
 * - *_decay_ms: freed memory goes back to the pool after about a second of use.
 */
const char *malloc_conf =
	"narenas:2,oversize_threshold:0,retain:false,dss:disabled,"
	"dirty_decay_ms:1000,muzzy_decay_ms:0";

static enum { UNKNOWN, PETMEM, LINUX } source;

/* ---- Where the memory comes from ---- */

/* Not by stdio, which may allocate memory. */
static void say(const char *text)
{
	ssize_t written = direct_write(STDERR_FILENO, text, strlen(text));

	(void)written; /* nothing to be done about it */
}

/*
 * Decide it once, at jemalloc's first request, which comes under jemalloc's own lock. A
 * program that petmem-run started can use petmem; one that this program starts may have
 * lost the right to.
 */
static bool on_petmem(void)
{
	int saved_errno = errno;

	if (source == UNKNOWN && init_petmem_flags(PETMEM_NATIVE | PETMEM_INSIST) == 0) {
		source = PETMEM;
	} else if (source == UNKNOWN) {
		say("petmem-run: " PETMEM_DEVICE ": ");
		say(strerrordesc_np(errno));
		if (!run_may_fall_back()) {
			say("\n");
			_exit(RUN_EXIT_NO_PETMEM);
		}
		say(": using ordinary memory\n");
		source = LINUX;
	}
	errno = saved_errno;
	return source == PETMEM;
}

/*
 * Ordinary memory, in its own slot. Another thread may take an address at the same time,
 * and the program may have mapped something there: then the next one is tried. All of it
 * has been tried when the addresses have been counted through once.
 */
static void *map_ordinary(size_t size, int prot, int flags)
{
	static atomic_uintptr_t next = HEAP_ORDINARY_START;
	uintptr_t step = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	uintptr_t tried, addr;
	void *memory;

	for (tried = 0; step <= PETMEM_REGION_SIZE && tried < PETMEM_REGION_SIZE;
	     tried += step) {
		addr = atomic_fetch_add(&next, step);
		if (addr + step > HEAP_END) {
			atomic_store(&next, HEAP_ORDINARY_START);
			continue;
		}
		memory = direct_mmap((void *)addr, size, prot,
				     flags | MAP_FIXED_NOREPLACE, -1, 0);
		if (memory != MAP_FAILED || errno != EEXIST)
			return memory;
	}
	errno = ENOMEM;
	return MAP_FAILED;
}

/* Only a whole allocation can be freed. Returns false for anything else. */
static bool give_back(void *pointer, size_t size)
{
	if (pet_usable_size(pointer) != size)
		return false;
	pet_free(pointer);
	return true;
}

/* ---- The hooks ---- */

static void *extent_alloc(extent_hooks_t *hooks, void *new_addr, size_t size,
			  size_t alignment, bool *zero, bool *commit,
			  unsigned int arena)
{
	void *pointer;

	(void)hooks;
	(void)arena;
	if (new_addr)
		return NULL; /* petmem chooses where */
	if (size >= LARGE_PAGE && alignment < LARGE_PAGE)
		alignment = LARGE_PAGE;
	pointer = pet_aligned_alloc(alignment, size);
	if (pointer) {
		*zero = true;
		*commit = true;
	}
	return pointer;
}

/* Returns true on failure: jemalloc then keeps the extent for itself. */
static bool extent_dalloc(extent_hooks_t *hooks, void *addr, size_t size,
			  bool committed, unsigned int arena)
{
	(void)hooks;
	(void)committed;
	(void)arena;
	return !give_back(addr, size);
}

static void extent_destroy(extent_hooks_t *hooks, void *addr, size_t size,
			   bool committed, unsigned int arena)
{
	extent_dalloc(hooks, addr, size, committed, arena);
}

static extent_hooks_t hooks = {
	.alloc = extent_alloc,
	.dalloc = extent_dalloc,
	.destroy = extent_destroy,
};

/* Setting the hooks of an arena that does not exist yet creates it. */
__attribute__((constructor)) static void hook_arenas(void)
{
	extent_hooks_t *pointer = &hooks;
	size_t size = sizeof(unsigned int);
	unsigned int count, i;
	char name[64];

	if (!on_petmem())
		return;
	if (mallctl("opt.narenas", &count, &size, NULL, 0))
		count = 0;
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "arena.%u.extent_hooks", i);
		if (mallctl(name, NULL, NULL, &pointer, sizeof(pointer)))
			count = 0;
	}
	if (!count) {
		say("petmem-run: jemalloc does not take the hooks\n");
		_exit(RUN_EXIT_NO_PETMEM);
	}
}

/*
 * ---- What jemalloc calls instead of the C library ----
 *
 * A preloaded library may have put something of its own in place of each of these
 * functions, which may want memory; so all of them go to the kernel.
 */

void *heap_mmap(void *addr, size_t size, int prot, int flags, int fd,
		off_t offset)
{
	void *pointer;

	if (!on_petmem())
		return addr ? direct_mmap(addr, size, prot, flags, fd, offset) :
			      map_ordinary(size, prot, flags);
	if (addr) {
		errno = EEXIST;
		return MAP_FAILED;
	}
	pointer = pet_aligned_alloc(size >= LARGE_PAGE ? LARGE_PAGE : 1, size);
	return pointer ? pointer : MAP_FAILED;
}

/* A part of an allocation cannot be freed. It is lost, with the pages that were touched. */
int heap_munmap(void *addr, size_t size)
{
	if (!on_petmem())
		return direct_munmap(addr, size);
	give_back(addr, size);
	return 0;
}

/* petmem takes no advice: pages that it dropped would have to read as zeros. */
int heap_madvise(void *addr, size_t size, int advice)
{
	if (!on_petmem())
		return direct_call(SYS_madvise, (long)addr, size, advice, 0, 0,
				   0);
	errno = EINVAL;
	return -1;
}

int heap_mprotect(void *addr, size_t size, int prot)
{
	if (!on_petmem())
		return direct_mprotect(addr, size, prot);
	errno = EINVAL;
	return -1;
}

/* jemalloc reads its configuration and the time by these, and writes its reports. */
long heap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return direct_call(number, a, b, c, d, e, f);
}

int heap_open(const char *path, int flags, mode_t mode)
{
	return direct_open(path, flags, mode);
}

int heap_creat(const char *path, mode_t mode)
{
	return direct_open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int heap_close(int fd)
{
	return direct_close(fd);
}

ssize_t heap_readlink(const char *path, char *text, size_t size)
{
	return direct_call(SYS_readlink, (long)path, (long)text, size, 0, 0, 0);
}

int heap_clock_gettime(clockid_t clock, struct timespec *now)
{
	return direct_call(SYS_clock_gettime, clock, (long)now, 0, 0, 0, 0);
}

int heap_sched_yield(void)
{
	return direct_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

void *heap_sbrk(intptr_t increment)
{
	(void)increment;
	errno = ENOMEM;
	return (void *)-1;
}

/* ---- The one function of the C library that jemalloc lacks ---- */

EXPORT void *pvalloc(size_t size)
{
	size_t page = PETMEM_PAGE_SIZE;

	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	return aligned_alloc(page, (size + page - 1) / page * page);
}
