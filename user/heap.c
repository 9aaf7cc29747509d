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
 * - The renamed calls. jemalloc's bookkeeping, and the first arena before it has hooks,
 *   use mmap(). So the Makefile renames mmap() and the like in the archive to the heap_*
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
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jemalloc/jemalloc.h>

#include "direct.h"
#include "filter.h"
#include "harness.h"
#include "heap.h"
#include "petmem.h"
#include "run.h"
#include "shortage.h"
#include "spare.h"
#include "tools.h"

/* A 2 MiB page begins at a multiple of this, and so must jemalloc's own blocks. */
#define LARGE_PAGE (2UL * 1024 * 1024)

/*
 * jemalloc reads this when it starts; MALLOC_CONF in the environment overrides it.
 * - oversize_threshold: large objects get no arena of their own, made without hooks.
 * - retain, dss: these ways to memory would bypass the hooks.
 * - *_decay_ms: freed memory goes back to the pool after about a second of use.
 */
const char *malloc_conf = "oversize_threshold:0,retain:false,dss:disabled,"
			  "dirty_decay_ms:1000,muzzy_decay_ms:0";

/*
 * The size of a heap whose next pages may be large ones: a small program has none. Before,
 * 4 KiB pages cost less than large ones that are not used.
 */
#define SMALL_HEAP (4UL * 1024 * 1024)

static enum { UNKNOWN, PETMEM, LINUX } source;
static bool falls_back; /* PETMEM_FALLBACK=1; set before source */
static bool pages_fixed; /* by PETMEM_LARGE_PAGES; set before source */
static atomic_bool silent; /* the module cannot be called */
static atomic_size_t extents_size; /* of those in petmem */
static atomic_bool small_pages;

/* ---- Where the memory comes from ---- */

/* Not by stdio, which may allocate memory. */
static void say(const char *text)
{
	ssize_t written = direct_write(STDERR_FILENO, text, strlen(text));

	(void)written; /* nothing to be done about it */
}

bool heap_allow_calls(bool allow)
{
	return !atomic_exchange(&silent, !allow);
}

static void use_small_pages(bool small)
{
	if (!pages_fixed && atomic_exchange(&small_pages, small) != small)
		pet_large_pages(!small);
}

/* The program may change its environment later, so it is read now. */
static void read_environment(void)
{
	falls_back = run_may_fall_back();
	pages_fixed = secure_getenv("PETMEM_LARGE_PAGES") != NULL;
}

/*
 * Decide it once, at jemalloc's first request, which comes under jemalloc's own lock. A
 * program that petmem-run started can use petmem; one that this program starts may have
 * lost the right to.
 */
static bool on_petmem(void)
{
	int saved_errno = errno;

	if (source == UNKNOWN)
		read_environment();
	if (source == UNKNOWN && !filter_forbids_ioctl() &&
	    init_petmem_flags(PETMEM_NATIVE | PETMEM_INSIST) == 0) {
		source = PETMEM;
		spare_prepare();
		use_small_pages(true);
	} else if (source == UNKNOWN) {
		say("petmem-run: " PETMEM_DEVICE ": ");
		say(strerrordesc_np(errno));
		if (!falls_back) {
			say("\n");
			_exit(RUN_EXIT_NO_PETMEM);
		}
		say(": using ordinary memory\n");
		source = LINUX;
	}
	errno = saved_errno;
	return source == PETMEM;
}

static bool may_call(void)
{
	return on_petmem() && !atomic_load(&silent);
}

static bool is_petmem(const void *pointer)
{
	return (uintptr_t)pointer < HEAP_ORDINARY_START;
}

/*
 * Only an extent of 2 MiB or more can have large pages. It gets them if the heap has grown,
 * and the pool has plenty: where little of them is used, others would miss the rest.
 */
static void choose_pages(size_t size, enum shortage shortage)
{
	static atomic_bool has_grown;

	if (!may_call() || size < LARGE_PAGE)
		return;
	if (atomic_load(&extents_size) + size > SMALL_HEAP)
		atomic_store(&has_grown, true);
	use_small_pages(!atomic_load(&has_grown) ||
			shortage != POOL_HAS_PLENTY);
}

/*
 * A block of jemalloc's bookkeeping is large so that it lasts: most of it is not used for a
 * long time. No large page comes to 2 MiB of which a small one is mapped. The first one is
 * used at once. A thread that does the same at this moment may get a large page.
 */
static void keep_small(void *block)
{
	if (!may_call() || pages_fixed || atomic_load(&small_pages))
		return;
	pet_large_pages(0);
	*(volatile char *)block = 0;
	pet_large_pages(1);
}

/* Returns the next addresses of the slot for ordinary memory, or 0 at its end. */
static uintptr_t next_ordinary(size_t size, size_t alignment)
{
	static atomic_uintptr_t next = HEAP_ORDINARY_START;
	uintptr_t old = atomic_load(&next), addr;

	do {
		addr = (old + alignment - 1) & -alignment;
		if (addr > HEAP_END - size) {
			atomic_store(&next, HEAP_ORDINARY_START);
			return 0;
		}
	} while (!atomic_compare_exchange_weak(&next, &old, addr + size));
	return addr;
}

/*
 * Map ordinary memory in its slot. The program may have mapped something there, or the
 * addresses have been handed out before: then later ones are tried, up to the end and once
 * more from the beginning.
 */
static void *map_ordinary(size_t size, size_t alignment)
{
	int ends = 0;
	uintptr_t addr;
	void *memory;

	if (alignment < PETMEM_PAGE_SIZE)
		alignment = PETMEM_PAGE_SIZE;
	while (size <= PETMEM_REGION_SIZE && ends < 2) {
		addr = next_ordinary(size, alignment);
		if (!addr) {
			ends++;
			continue;
		}
		memory = direct_mmap((void *)addr, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS |
					     MAP_FIXED_NOREPLACE,
				     -1, 0);
		if (memory != MAP_FAILED || errno != EEXIST)
			return memory;
		if (alignment < LARGE_PAGE)
			alignment = LARGE_PAGE;
	}
	errno = ENOMEM;
	return MAP_FAILED;
}

/* From now on, if the user accepts it; on_petmem() says so if this is so from the start. */
static void *fall_back(size_t size, size_t alignment)
{
	static atomic_bool said;
	void *pointer;

	if (on_petmem() && !falls_back)
		return NULL;
	if (on_petmem() && !atomic_exchange(&said, true))
		say("petmem-run: no more memory from " PETMEM_DEVICE
		    ": using ordinary memory\n");
	pointer = map_ordinary(size, alignment);
	return pointer == MAP_FAILED ? NULL : pointer;
}

/* As spare_take(). */
static void *take_memory(size_t size, size_t alignment, bool *zero)
{
	void *pointer = NULL;

	if (may_call())
		pointer = pet_aligned_alloc(alignment, size);
	if (!pointer && on_petmem())
		pointer = spare_take(size, alignment, zero);
	else
		*zero = true;
	if (!pointer) {
		*zero = true;
		pointer = fall_back(size, alignment);
	}
	if (pointer)
		valgrind_request(MEMCHECK_DEFINED, pointer, size, false);
	return pointer;
}

/*
 * Only a whole allocation can be freed. Anything else is kept until memory cannot be
 * allocated any more.
 */
static void give_back(void *pointer, size_t size)
{
	if (!is_petmem(pointer))
		direct_munmap(pointer, size);
	else if (may_call() && pet_usable_size(pointer) == size)
		pet_free(pointer);
	else
		spare_keep(pointer, size);
}

/*
 * ---- When the pool gets empty ----
 *
 * With PETMEM_FALLBACK=1, ordinary memory takes over before the pool is empty. When it is
 * short, all that is allocated gets its pages, so that no touch finds the pool empty. A
 * write to a page that is shared after a fork may still do so.
 */

static enum shortage ask_pool(size_t size)
{
	enum shortage shortage = POOL_HAS_PLENTY;

	if (may_call() && (falls_back || size >= LARGE_PAGE))
		shortage = shortage_ask(atomic_load(&extents_size), size);
	if (falls_back)
		shortage_populate(shortage);
	return shortage;
}

/* As take_memory(), from a pool that may be short. */
static void *take_in_shortage(size_t size, size_t alignment, bool *zero,
			      enum shortage shortage)
{
	void *pointer;

	if (!falls_back || !may_call() || shortage == POOL_HAS_PLENTY)
		return take_memory(size, alignment, zero);
	if (shortage == POOL_IS_SHORT) {
		pointer = take_memory(size, alignment, zero);
		if (!pointer || !is_petmem(pointer) ||
		    pet_populate(pointer, size) == 0)
			return pointer;
		give_back(pointer, size);
	}
	*zero = true;
	return fall_back(size, alignment);
}

/* ---- The hooks ---- */

static void *extent_alloc(extent_hooks_t *hooks, void *new_addr, size_t size,
			  size_t alignment, bool *zero, bool *commit,
			  unsigned int arena)
{
	enum shortage shortage;
	void *pointer;

	(void)hooks;
	(void)arena;
	if (new_addr)
		return NULL; /* petmem chooses where */
	if (size >= LARGE_PAGE && alignment < LARGE_PAGE)
		alignment = LARGE_PAGE;
	shortage = ask_pool(size);
	choose_pages(size, shortage);
	pointer = take_in_shortage(size, alignment, zero, shortage);
	if (!pointer)
		return NULL;
	*commit = true;
	if (is_petmem(pointer))
		atomic_fetch_add(&extents_size, size);
	return pointer;
}

/* Returns false: the memory is not jemalloc's any more. */
static bool extent_dalloc(extent_hooks_t *hooks, void *addr, size_t size,
			  bool committed, unsigned int arena)
{
	(void)hooks;
	(void)committed;
	(void)arena;
	give_back(addr, size);
	if (is_petmem(addr))
		atomic_fetch_sub(&extents_size, size);
	return false;
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

/*
 * Some of jemalloc's inside. It makes arenas as threads come, and its public functions can
 * give hooks only to an arena that exists, at the price of their own bookkeeping, some 100
 * KB.
 *
 * je_arena_config_default, a struct arena_config_s, is what each new arena gets. The
 * Makefile makes jemalloc's own definition a weak one, so that this one counts.
 */
const struct {
	extent_hooks_t *extent_hooks;
	bool metadata_use_hooks; /* no: bookkeeping comes from heap_mmap() */
} je_arena_config_default = { .extent_hooks = &hooks };

/* The first arena has the hooks of its base. */
struct base_s *je_b0get(void);
extent_hooks_t *je_base_extent_hooks_set(struct base_s *base,
					 extent_hooks_t *hooks);

__attribute__((constructor)) static void set_up(void)
{
	void *volatile memory = malloc(1); /* it may be the first request */

	free(memory);
	if (!je_b0get())
		return; /* valgrind has its own functions in place of these */
	je_base_extent_hooks_set(je_b0get(), &hooks);
	if (may_call())
		spare_reserve();
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
	bool zero = true;
	void *pointer;

	if (addr && !on_petmem())
		return direct_mmap(addr, size, prot, flags, fd, offset);
	if (addr) {
		errno = EEXIST;
		return MAP_FAILED;
	}
	pointer = take_in_shortage(size, size >= LARGE_PAGE ? LARGE_PAGE : 1,
				   &zero, ask_pool(size));
	if (!pointer)
		return MAP_FAILED;
	if (size == LARGE_PAGE)
		keep_small(pointer);
	return pointer;
}

int heap_munmap(void *addr, size_t size)
{
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
