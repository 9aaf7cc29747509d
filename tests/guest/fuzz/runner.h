/* SPDX-License-Identifier: GPL-2.0 */
/*
 * runner.h - run hostile programs, one after the other: from outside, as root, and
 * outliving them.
 */
#ifndef FUZZ_RUNNER_H
#define FUZZ_RUNNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Prepare everything that the programs need and may not make themselves. */
void runner_init(void);

/*
 * Run programs for @seconds, @workers at a time, with seeds that come from @seed. Returns
 * true if all of them have ended, the pool has all its pages again, and neither the kernel
 * nor a program has seen a mistake.
 */
bool run_group(uint64_t seed, unsigned int seconds, unsigned int workers);

/* Run one program, to its end. The result is as for a group. */
bool run_alone(uint64_t seed);

/* A process that holds nearly all of the pool, until it is killed. */
pid_t start_hog(void);
void stop_hog(pid_t hog);

#endif /* FUZZ_RUNNER_H */
