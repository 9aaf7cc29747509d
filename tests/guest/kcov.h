/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kcov.h - which code of petmem.ko the threads of a test have run.
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
 * Make the set, and buffers for so many threads at a time. Returns false where there
 * is no KCOV, or no module.
 */
bool kcov_init(unsigned int threads);

/*
 * What the calling thread runs in the kernel counts from now on, if a buffer is left.
 * It keeps the buffer until it ends.
 */
void kcov_enter(void);

/* Put what the calling thread has run since the last time into the set. */
void kcov_collect(void);

/*
 * Put what is left in the buffers into the set. While other threads are in their
 * buffers a place may be missed. Returns the number of places in the set.
 */
size_t kcov_finish(void);

/* Has any place of a function been reached? The name is as in /proc/kallsyms. */
bool kcov_reached(const char *function);

/*
 * Print the set: lines "kcov: " and offsets from the beginning of the module's .text,
 * in hexadecimal with a blank between. Each is the address behind a call of
 * __sanitizer_cov_trace_pc().
 */
void kcov_print(FILE *stream);

#endif /* KCOV_H */
