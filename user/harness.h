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
 * errors. Each allocation starts on a page of its own. Its pages take no memory
 * until they are touched, and read as zeros at first. So a program can allocate
 * more memory than there is; if it touches more, it gets SIGSEGV.
 *
 * Good to know:
 * - fork() works as with any memory: the child has what the parent had, and
 *   each sees its own writes. The child need not call init_petmem() again.
 * - There are two fault modes. The program chooses one, and PETMEM_FAULTS=signal
 *   or PETMEM_FAULTS=native in the environment overrides its choice:
 *
 *   signal: page faults arrive as SIGSEGV, and a handler of this library resolves
 *   them. A program that handles SIGSEGV itself installs its handler before
 *   init_petmem(); the library passes on to it every fault that is not petmem's.
 *   SIGSEGV must not be blocked while petmem memory is touched. init_petmem()
 *   gives its thread an alternate signal stack if it has none; in other threads
 *   the handler uses the thread's own stack. A page fault inside a system call
 *   raises no signal: read() into a page that the program has not touched yet,
 *   or has not written since a fork, fails with EFAULT. If the kernel has to put
 *   a signal's frame on such a page (of an alternate stack, or of a thread's own
 *   as it grows), the process dies by SIGSEGV instead. Words that clone() asks
 *   the kernel to write there are not written. pet_populate() maps pages ahead.
 *
 *   native: the kernel resolves page faults. There is no signal, and system calls
 *   work on all petmem memory, except those that pin pages.
 * - The device's descriptor is marked close-on-exec; if the program closes it,
 *   the library opens another.
 * - AddressSanitizer, and valgrind with native faults, report overruns and uses after
 *   pet_free() as for malloc(). After pet_usable_size(), all of an allocation may be used.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Connect the process to the module, once, before the other functions are used.
 * More calls do no harm. Safe to call from several threads. If another copy of this
 * library has connected the process, its fault mode holds.
 * Returns 0, or -1 with errno: an error from opening /dev/petmem, ENOMEM, or
 * EPROTONOSUPPORT if the module speaks another version of the protocol.
 */
int init_petmem(void);

/*
 * The same, with a choice of the fault mode, which holds for the life of the
 * process and for its children. PETMEM_FAULTS in the environment overrides it, unless
 * the flags have PETMEM_INSIST.
 * More errors: EBUSY: the other mode is in effect already. EOPNOTSUPP: this
 * kernel has no native faults; it may be older than 5.11. EINVAL: an unknown
 * flag, or a wrong value of a variable in the environment.
 */
#define PETMEM_NATIVE 1U
/* Whatever PETMEM_FAULTS says: for a library that needs this mode. */
#define PETMEM_INSIST 2U
int init_petmem_flags(unsigned int flags);

/*
 * Return memory, or NULL with errno: ENOMEM if there are not enough addresses,
 * ENODEV before init_petmem(), EEXIST if the program has mapped something of its
 * own where petmem's memory would lie. A size of 0 gives a unique pointer.
 */
void *pet_malloc(size_t size);
void *pet_calloc(size_t count, size_t size);

/* EINVAL: alignment is not a power of two. */
void *pet_aligned_alloc(size_t alignment, size_t size);

/*
 * Change an allocation's size, moving it if need be. pet_realloc(NULL, size) is
 * pet_malloc(size); pet_realloc(pointer, 0) frees and returns NULL. On failure
 * the allocation is unchanged. A move copies every page that both sizes have,
 * and so touches it.
 */
void *pet_realloc(void *pointer, size_t size);

/*
 * Returns the size of an allocation, rounded up to whole pages: all of it may be
 * used. Returns 0 if the pointer is not the beginning of a live allocation.
 */
size_t pet_usable_size(const void *pointer);

/*
 * Free an allocation; NULL does nothing. errno is preserved. A pointer that is
 * not the beginning of a live allocation ends the program by abort(), here and
 * in pet_realloc().
 */
void pet_free(void *pointer);

/*
 * Map all pages of a range now, as if each were written to. The range must lie in
 * one allocation.
 * Returns 0, or -1 with errno: EFAULT if it does not; ENOMEM if there is not
 * enough memory, in which case some pages may be mapped.
 */
int pet_populate(void *address, size_t size);

/*
 * From now on, let the first touch of a page map at most this many pages, a power of two
 * up to 512: its aligned group, as far as it lies in the same allocation. Walking an array
 * then takes fewer faults, but may take more memory than is touched. PETMEM_FAULT_AROUND
 * in the environment sets it from the start; otherwise it is 1.
 * Returns 0, or -1 with errno: EINVAL.
 */
int pet_fault_around(unsigned int pages);

/*
 * From now on, use 4 KiB pages only (0), or large pages, too (1, as at first). A first
 * touch then maps 2 MiB as one page, if the allocation covers an aligned 2 MiB, none of it
 * is mapped yet, and there is such a page. Allocations of 2 MiB and more then begin at a
 * multiple of 2 MiB. Large pages are cheaper to touch and to use, but take more memory
 * where little of them is touched. Memory that is mapped ahead may have pages of 1 GiB in
 * the same way. A touch never brings one: clearing it takes a tenth of a second or more.
 * PETMEM_LARGE_PAGES=0 or 1 in the environment sets it from the start.
 * Returns 0, or -1 with errno.
 */
int pet_large_pages(int on);

/*
 * From now on, map all of each new allocation at once (1), or stop doing so (0). While
 * this is on, an allocation fails with ENOMEM if there is not enough memory.
 * PETMEM_POPULATE=1 in the environment turns it on from the start.
 */
void pet_populate_always(int on);

/*
 * From now on, put a page that cannot be touched behind each allocation, so that
 * an overrun faults at once (1), or stop doing so (0). PETMEM_GUARD=1 in the
 * environment turns it on from the start.
 */
void pet_guard(int on);

/*
 * Print the process's memory map into the kernel log (dmesg).
 * Returns 0, or -1 with errno: EAGAIN if the user's processes have written too much
 * there.
 */
int pet_dump(void);

/*
 * Invalidate the TLB entries of one page on the processors that run the process. The
 * module does this itself wherever it is needed; this is for experiments.
 * Returns 0, or -1 with errno: EINVAL for an address that is not petmem's.
 */
int pet_invlpg(void *address);

#ifdef __cplusplus
}
#endif

#endif /* HARNESS_H */
