/* SPDX-License-Identifier: GPL-2.0 */
/*
 * action.h - the actions of a hostile program. Each is one line of the table in
 * actions.c.
 */
#ifndef FUZZ_ACTION_H
#define FUZZ_ACTION_H

#include <stdint.h>

#include "values.h"

#define ARGUMENTS 6

struct action {
	const char *name;
	unsigned int weight; /* how often it is drawn, relative to the others */
	void (*run)(struct flow *flow, const struct action *action);
	long number; /* of the system call, or of the ioctl */
	struct value arguments[ARGUMENTS];
	bool branches; /* makes threads or processes: to a limited depth */
};

/* Draw an action of the table; and one that does not branch. */
const struct action *action_draw(struct flow *flow);
const struct action *action_draw_simple(struct flow *flow);

/* Do it, unless it branches and the flow is deep already. */
void action_take(struct flow *flow, const struct action *action);

/* Count a call, granted or refused. */
void action_count(const struct action *action, long outcome);

/* Print how often each action was begun and granted, as TAP comments. */
void actions_print(void);

/* Run an action that has no function of its own in the table. */
void run_call(struct flow *flow, const struct action *action);
void run_ioctl(struct flow *flow, const struct action *action);

#endif /* FUZZ_ACTION_H */
