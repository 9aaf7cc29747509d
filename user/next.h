/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * next.h - the function that a program would call if this library were not preloaded:
 * the next library's, or the C library's.
 */
#ifndef PETMEM_NEXT_H
#define PETMEM_NEXT_H

#include <dlfcn.h>

#define EXPORT __attribute__((visibility("default")))

/* Threads may look it up at the same time: all of them find the same. */
static inline void *next_function(void **found, const char *name)
{
	void *function = __atomic_load_n(found, __ATOMIC_RELAXED);

	if (!function) {
		function = dlsym(RTLD_NEXT, name);
		__atomic_store_n(found, function, __ATOMIC_RELAXED);
	}
	return function;
}

/* NEXT(close)(fd) calls it. */
#define NEXT(_name)                                                 \
	({                                                          \
		static void *_found;                                \
                                                                    \
		(__typeof__(&_name))next_function(&_found, #_name); \
	})

#endif /* PETMEM_NEXT_H */
