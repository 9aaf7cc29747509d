/* SPDX-License-Identifier: GPL-2.0 */
/*
 * random.h - random numbers that can be repeated.
 *
 * Each step of each thread starts a stream of its own, from the thread's seed and
 * the step's number: a step's numbers depend on nothing that happened before. So a
 * program can be repeated, and steps can be left out of it without changing the others.
 */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

/* A number that looks random and depends on two others (splitmix64). */
static inline uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline struct random random_stream(uint64_t seed, uint64_t step)
{
	return (struct random){ mix(seed, step) };
}

static inline uint64_t random_next(struct random *random)
{
	return mix(random->state++, 0);
}

#endif /* FUZZ_RANDOM_H */
