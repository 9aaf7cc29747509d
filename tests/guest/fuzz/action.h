/* SPDX-License-Identifier: GPL-2.0 */
/*
 * action.h - the things that a hostile program may do. They stand in the table in
 * actions.c, one a line.
 */
#ifndef FUZZ_ACTION_H
#define FUZZ_ACTION_H

#include <stdint.h>

#include "values.h"

#define ARGUMENTS 6

struct action {
	const char *name;
	unsigned int weight; /* how often it is drawn, beside the others */
	void (*run)(struct flow *flow, const struct action *action);
	long number; /* of the system call, or of the ioctl */
	struct value arguments[ARGUMENTS];
	bool branches; /* makes threads or processes: not without end */
};

/* Draw an action of the table; and one that does not branch. */
const struct action *action_draw(struct flow *flow);
const struct action *action_draw_simple(struct flow *flow);

/* Do it, but for one that branches where the flow is deep already. */
void action_take(struct flow *flow, const struct action *action);

/* A granted call, or a refused one. */
void action_count(const struct action *action, long outcome);

/* Print, as TAP's comments, how often each was begun and granted. */
void actions_print(void);

/* How an action is run, if the table has no function of its own for it. */
void run_call(struct flow *flow, const struct action *action);
void run_ioctl(struct flow *flow, const struct action *action);

#endif /* FUZZ_ACTION_H */
