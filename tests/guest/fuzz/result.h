/* SPDX-License-Identifier: GPL-2.0 */
/*
 * result.h - what hostile programs tell the runner, in memory that all of them share.
 */
#ifndef FUZZ_RESULT_H
#define FUZZ_RESULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ACTIONS_MAX 512

/* What no program may ever see. */
enum finding {
	FOREIGN_DATA, /* a word that another program wrote */
	PRIVILEGE, /* a command succeeded that is the administrator's */
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
 * Make it. A program that has gone through exec finds it again with result_attach().
 */
void result_create(void);
bool result_attach(void);

/* A program saw a finding. */
void report(enum finding finding, uint64_t seed);

/* Say what there is to say, as TAP's comments. Returns true if there is a finding. */
bool result_has_finding(void);

#endif /* FUZZ_RESULT_H */
