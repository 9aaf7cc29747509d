/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * tools.h - tell the tools that look for mistakes in a program about its allocations, so
 * that they report overruns and uses after a free of petmem's memory as for malloc().
 *
 * A program that was compiled with a sanitizer has its functions; elsewhere the weak names
 * here are NULL. Valgrind is told by an instruction sequence that does nothing elsewhere.
 *
 * With PETMEM_NO_TOOLS, nothing is told: for an allocator that has its own blocks.
 */
#ifndef PETMEM_TOOLS_H
#define PETMEM_TOOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "direct.h"

#ifndef PETMEM_NO_TOOLS
#define TOOL __attribute__((weak))
#else
#define TOOL __attribute__((weak, visibility("hidden")))
#endif

void __asan_poison_memory_region(const volatile void *addr, size_t size) TOOL;
void __asan_unpoison_memory_region(const volatile void *addr, size_t size) TOOL;
void __msan_unpoison(const volatile void *addr, size_t size) TOOL;
void __tsan_acquire(void *addr) TOOL;
void __tsan_release(void *addr) TOOL;

/* Valgrind's requests, as its manual numbers them, and memcheck's own. */
#define VALGRIND_RUNNING 0x1001UL
#define VALGRIND_MALLOC_LIKE 0x1301UL
#define VALGRIND_FREE_LIKE 0x1302UL
#define MEMCHECK_NO_ACCESS 0x4d430000UL
#define MEMCHECK_DEFINED 0x4d430002UL

/* Returns 0 if the program does not run in valgrind. */
static inline unsigned long valgrind_request(unsigned long request,
					     const void *addr, size_t size,
					     bool zeroed)
{
	volatile unsigned long arguments[] = { request, (unsigned long)addr,
					       size,	0,
					       zeroed,	0 };
	unsigned long result = 0;

	/* The rotations add up to 128 bits. */
	__asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\t"
			 "rolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
			 "xchgq %%rbx, %%rbx"
			 : "+d"(result)
			 : "a"(arguments)
			 : "cc", "memory");
	return result;
}

static inline bool tools_watch(void)
{
#ifdef PETMEM_NO_TOOLS
	return false;
#else
	return __asan_poison_memory_region || __msan_unpoison ||
	       __tsan_acquire || valgrind_request(VALGRIND_RUNNING, NULL, 0, 0);
#endif
}

/* Memory that one thread frees may be what another one allocates next. */
static char tools_order __attribute__((unused));

/*
 * AddressSanitizer writes a byte for each 8 that it poisons: of a large allocation, more than
 * there is memory. So only the beginning of one that is freed is poisoned; the rest has no
 * pages any more. And only what may have been poisoned before is unpoisoned: by this copy of
 * the library up to tools_poison_end, by another one mostly at the beginning.
 */
#define TOOLS_MAX_POISON (64UL << 20)
static unsigned long tools_poison_end __attribute__((unused));

static inline void tools_poison(const void *addr, size_t size)
{
	unsigned long end = (unsigned long)addr + size, old;

	if (!size)
		return;
	old = __atomic_load_n(&tools_poison_end, __ATOMIC_SEQ_CST);
	while (old < end &&
	       !__atomic_compare_exchange_n(&tools_poison_end, &old, end, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	__asan_poison_memory_region(addr, size);
}

static inline void tools_unpoison(const void *addr, size_t size)
{
	unsigned long start = (unsigned long)addr, end = start + size;
	unsigned long limit =
		__atomic_load_n(&tools_poison_end, __ATOMIC_SEQ_CST);

	if (limit < start + TOOLS_MAX_POISON)
		limit = start + TOOLS_MAX_POISON;
	__asan_unpoison_memory_region(addr,
				      (end < limit ? end : limit) - start);
}

/* An allocation of @size bytes, in whole pages of @room bytes, all zero. */
static inline void tools_allocated(void *addr, size_t size, size_t room)
{
	if (__tsan_acquire)
		__tsan_acquire(&tools_order);
	if (__msan_unpoison)
		__msan_unpoison(addr, room);
	if (__asan_poison_memory_region) {
		tools_unpoison(addr, size);
		tools_poison((char *)addr + size, room - size);
	}
	valgrind_request(VALGRIND_MALLOC_LIKE, addr, size, true);
}

/* An allocation is going to be freed. */
static inline void tools_freed(void *addr, size_t room)
{
	if (__tsan_release)
		__tsan_release(&tools_order);
	if (__asan_poison_memory_region)
		tools_poison(addr,
			     room < TOOLS_MAX_POISON ? room : TOOLS_MAX_POISON);
	/* The size is in the place of a red zone's: there is none. */
	valgrind_request(VALGRIND_FREE_LIKE, addr, 0, false);
}

/* The program knows how much there is. */
static inline void tools_usable(const void *addr, size_t room)
{
	if (__asan_unpoison_memory_region)
		tools_unpoison(addr, room);
	valgrind_request(MEMCHECK_DEFINED, addr, room, false);
}

/*
 * ThreadSanitizer maps what it does not use itself, so that nobody gets it. Its shadow of
 * the region is there and has no other use, so that the region can have the place. Nothing
 * else can be there.
 */
static inline void tools_make_room(void *region, size_t size)
{
	if (__tsan_acquire)
		direct_munmap(region, size);
}

#endif /* PETMEM_TOOLS_H */
