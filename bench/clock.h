/* SPDX-License-Identifier: GPL-2.0 */
/*
 * clock.h - what the benchmark measures with.
 *
 * Under `vm/run --icount` the guest's time stamp counter goes up by one for each
 * instruction that the guest executes, including its kernel's. Time in which everybody
 * sleeps passes at once and is counted, too, as if one instruction took a nanosecond. So
 * code that is measured must not sleep, or the idle meter has to run.
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
 * Find out what the clock itself costs, and check that it counts instructions. Ends the
 * program if it does not.
 */
void clock_init(void);

/*
 * Wait for the timer's next interrupt, so that the code that follows is interrupted at
 * the same places in each run.
 */
void clock_align(void);

/*
 * Start the idle meter: a child that runs when nobody else wants to, and counts. It
 * ends with the caller.
 */
void clock_meter_idle(void);

/* How many instructions the idle meter has executed, while nobody else wanted to run. */
uint64_t clock_idle(void);

/* The time in nanoseconds, for what instructions cannot show. */
uint64_t clock_nanoseconds(void);

#endif /* BENCH_CLOCK_H */
