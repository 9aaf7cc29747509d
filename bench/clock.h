/* SPDX-License-Identifier: GPL-2.0 */
/*
 * clock.h - what the benchmark measures with.
 *
 * Under `vm/run --icount` the guest's time stamp counter goes up by one for each
 * instruction that the guest executes, its kernel's included. Time that an idle guest
 * sleeps passes at once and is counted too: so nothing that is measured may sleep
 * while no other thread can run.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

static inline uint64_t clock_read(void)
{
	return __builtin_ia32_rdtsc();
}

/* How many instructions were executed since @start, without those of the clock. */
uint64_t clock_since(uint64_t start);

/*
 * Find out what the clock itself costs, and that it counts instructions. Ends the
 * program where it does not.
 */
void clock_init(void);

/* The time in nanoseconds, for what instructions cannot tell. */
uint64_t clock_nanoseconds(void);

#endif /* BENCH_CLOCK_H */
