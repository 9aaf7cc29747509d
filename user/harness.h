/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * harness.h - memory from petmem for a program.
 *
 *	#include "harness.h"
 *
 *	if (init_petmem())
 *		err(1, "petmem");
 *	char *p = pet_malloc(8192);
 *	...
 *	pet_free(p);
 *
 * The functions work like their namesakes in the C library, with the same
 * errors. Each allocation starts on a page of its own. Its pages cost nothing
 * until they are touched, and read as zeros at first, so more memory can be
 * allocated than there is; a program that touches more than there is gets
 * SIGSEGV.
 *
 * To know:
 * - Page faults arrive as SIGSEGV. A program that handles SIGSEGV itself sets
 *   up its handler before init_petmem(), which passes on to it every fault that
 *   is not petmem's. SIGSEGV must not be blocked where petmem memory is
 *touched.
 * - init_petmem() gives its thread an alternate signal stack if it has none.
 *   In other threads the handler uses the thread's own stack.
 * - A child made by fork() starts without the parent's petmem memory. It need
 *   not call init_petmem() again.
 * - A page fault inside a system call raises no signal: read() into a petmem
 *   page that the program has not touched yet fails with EFAULT.
 * - The device's descriptor is marked close-on-exec; if the program closes it,
 *   the library opens another.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Connect the process to the module. Needed once, before the other functions;
 * more calls do no harm. Safe to call from several threads.
 * Returns 0, or -1 with errno: as from opening /dev/petmem, EPROTONOSUPPORT
 * when the module speaks another version of the protocol, ENOMEM.
 */
int init_petmem(void);

/*
 * Return memory, or NULL with errno: ENOMEM when the addresses do not suffice,
 * ENODEV before init_petmem(), EEXIST when the program itself has put something
 * where petmem's memory would lie. A size of 0 gives a unique pointer.
 */
void *pet_malloc(size_t size);
void *pet_calloc(size_t count, size_t size);

/* EINVAL: alignment is not a power of two. */
void *pet_aligned_alloc(size_t alignment, size_t size);

/*
 * Change an allocation's size, moving it if need be. pet_realloc(NULL, size) is
 * pet_malloc(size); pet_realloc(pointer, 0) frees and returns NULL. On failure
 * the allocation stays as it was. A move copies, and so touches, every page
 * that both sizes have.
 */
void *pet_realloc(void *pointer, size_t size);

/*
 * Give an allocation back; NULL does nothing. errno is kept. A pointer that is
 * not the beginning of a live allocation ends the program by abort(), here and
 * in pet_realloc().
 */
void pet_free(void *pointer);

/*
 * Print the process's memory map into the kernel log (dmesg).
 * Returns 0, or -1 with errno: EAGAIN when called too often.
 */
int pet_dump(void);

/*
 * Drop what the processors remember of the translation of one page. The module
 * does this itself wherever it is needed; this is for experiments.
 * Returns 0, or -1 with errno: EINVAL for an address that is not petmem's.
 */
int pet_invlpg(void *address);

#ifdef __cplusplus
}
#endif

#endif /* HARNESS_H */
