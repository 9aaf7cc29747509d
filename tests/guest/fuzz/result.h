/* SPDX-License-Identifier: GPL-2.0 */
/*
 * result.h - the reports of hostile programs to the runner, in memory that all share.
 */
#ifndef FUZZ_RESULT_H
#define FUZZ_RESULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ACTIONS_MAX 512

/* No program may ever see these. */
enum finding {
	FOREIGN_DATA, /* a word that another program wrote */
	PRIVILEGE, /* a command of the administrator's succeeded */
	SPIN, /* a fault that is resolved again and again, and stays */
	FINDINGS,
};

struct result {
	_Atomic uint64_t programs;
	_Atomic uint64_t steps;
	_Atomic uint64_t finding[FINDINGS]; /* how often */
	_Atomic uint64_t culprit[FINDINGS]; /* the seed of the first program */
	/* How often each action was begun, and how often the kernel granted it. */
	_Atomic uint32_t begun[ACTIONS_MAX];
	_Atomic uint32_t granted[ACTIONS_MAX];
};

extern struct result *result;

/*
 * Make the result. After exec a program finds it again with result_attach().
 */
void result_create(void);
bool result_attach(void);

/* A program saw a finding. */
void report(enum finding finding, uint64_t seed);

/* Print the findings as TAP comments. Returns true if there are any. */
bool result_has_finding(void);

#endif /* FUZZ_RESULT_H */
