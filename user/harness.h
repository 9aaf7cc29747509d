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
 * - fork() works as with all memory: the child has what the parent had, and
 *   each sees its own writes. It need not call init_petmem() again.
 * - Page faults come in by one of two doors. Which one is the program's choice,
 *   and its user's, by PETMEM_FAULTS=signal or PETMEM_FAULTS=native in the
 *   environment:
 *
 *   signal: they arrive as SIGSEGV, and a handler of this library resolves
 *   them. A program that handles SIGSEGV itself sets up its handler before
 *   init_petmem(), which passes on to it every fault that is not petmem's.
 *   SIGSEGV must not be blocked where petmem memory is touched. init_petmem()
 *   gives its thread an alternate signal stack if it has none; in other threads
 *   the handler uses the thread's own stack. A page fault inside a system call
 *   raises no signal: read() into a page that the program has not touched yet,
 *   or has not written since a fork, fails with EFAULT. A signal that would have
 *   to go on such a page (of an alternate stack, or of a thread's own as it grows)
 *   kills by SIGSEGV instead, and words that clone() has the kernel write are not
 *   written. pet_populate() maps pages ahead.
 *
 *   native: the kernel resolves them. No signal, and system calls work on all
 *   petmem memory.
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
 * The same, with a choice of the door for page faults, which holds for the life
 * of the process and for its children. PETMEM_FAULTS in the environment
 * overrides it. Also EBUSY: the other door is in use already; EOPNOTSUPP: no
 * native faults on this kernel (older than 5.11); EINVAL: an unknown flag, or a variable
 * of the environment that is not as it is said here.
 */
#define PETMEM_NATIVE 1U
int init_petmem_flags(unsigned int flags);

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
 * The size that an allocation has, in whole pages: all of it may be used. 0 when
 * the pointer is not the beginning of a live allocation.
 */
size_t pet_usable_size(const void *pointer);

/*
 * Give an allocation back; NULL does nothing. errno is kept. A pointer that is
 * not the beginning of a live allocation ends the program by abort(), here and
 * in pet_realloc().
 */
void pet_free(void *pointer);

/*
 * Map all pages of a range now, as if each were written to. The range lies in
 * one allocation.
 * Returns 0, or -1 with errno: EFAULT when it does not, ENOMEM when there is not
 * enough memory; then some pages may be mapped.
 */
int pet_populate(void *address, size_t size);

/*
 * From now on, let one fault map up to so many pages, a power of two up to 512, where
 * they are allocated and the first touch of one is: so an array is walked with fewer
 * faults, and takes more memory than is touched. PETMEM_FAULT_AROUND in the
 * environment sets it from the start; otherwise it is 1.
 * Returns 0, or -1 with errno: EINVAL.
 */
int pet_fault_around(unsigned int pages);

/*
 * From now on, use 4 KiB pages only (0), or let a first touch bring a page of 2 MiB (1),
 * which is so at first: where an allocation covers an aligned 2 MiB, none of it is mapped
 * yet, and there is such a page. Allocations of 2 MiB and more begin at a multiple of
 * 2 MiB then. Large pages cost less to touch and to use, and more memory where little
 * of them is touched. What is mapped ahead may have pages of 1 GiB in the same way; a
 * touch never brings one, which would take a tenth of a second or more to clear.
 * PETMEM_LARGE_PAGES=0 or 1 in the environment sets it from the start.
 * Returns 0, or -1 with errno.
 */
int pet_large_pages(int on);

/*
 * From now on, map all of each new allocation at once, or stop doing so. Then an
 * allocation fails with ENOMEM when there is not enough memory. PETMEM_POPULATE=1 in
 * the environment turns it on from the start.
 */
void pet_populate_always(int on);

/*
 * From now on, put a page that cannot be touched behind each allocation, so that
 * an overrun dies at once; or stop doing so. PETMEM_GUARD=1 in the environment
 * turns it on from the start.
 */
void pet_guard(int on);

/*
 * Print the process's memory map into the kernel log (dmesg).
 * Returns 0, or -1 with errno: EAGAIN when the user's processes have written too much
 * there.
 */
int pet_dump(void);

/*
 * Drop what the processors that run the process remember of the translation of one
 * page. The module does this itself wherever it is needed; this is for experiments.
 * Returns 0, or -1 with errno: EINVAL for an address that is not petmem's.
 */
int pet_invlpg(void *address);

#ifdef __cplusplus
}
#endif

#endif /* HARNESS_H */
