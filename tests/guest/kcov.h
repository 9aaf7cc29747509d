/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kcov.h - the code of petmem.ko that the threads of a test have run.
 *
 * The kernel's KCOV writes the address of each place that a thread passes into a
 * buffer of the thread's. Those in the module are kept in a set that a process, all
 * its children and all their threads share:
 *
 *	kcov_init(8);		as root, in the first process
 *	kcov_enter();		in each thread and in each child
 *	kcov_collect();		there, now and then: a full buffer takes no more
 *	kcov_print(stdout);	in the first process, when the others have ended
 *
 * Where the kernel has no KCOV, all of this does nothing. See Documentation/dev-tools/
 * kcov.rst in Linux.
 */
#ifndef KCOV_H
#define KCOV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Make the set, and at most @threads buffers, one for each thread at a time. Returns
 * false where there is no KCOV, or no module.
 */
bool kcov_init(unsigned int threads);

/*
 * From now on, record the code that the calling thread runs in the kernel, if a buffer
 * is free. The thread keeps the buffer until it ends.
 */
void kcov_enter(void);

/* Add to the set the code that the calling thread has run since its last call. */
void kcov_collect(void);

/*
 * Add the remaining contents of the buffers to the set. A place may be missed while
 * other threads use their buffers. Returns the number of places in the set.
 */
size_t kcov_finish(void);

/* Has any place of a function been reached? The name is as in /proc/kallsyms. */
bool kcov_reached(const char *function);

/*
 * Print the set: lines of "kcov: " and offsets from the beginning of the module's .text,
 * in hexadecimal, separated by blanks. Each is the address behind a call of
 * __sanitizer_cov_trace_pc().
 */
void kcov_print(FILE *stream);

#endif /* KCOV_H */
