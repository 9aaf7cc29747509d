/* SPDX-License-Identifier: GPL-2.0 */
/* touch.h - actions: normal use of memory, and stray accesses. */
#ifndef FUZZ_TOUCH_H
#define FUZZ_TOUCH_H

#include "action.h"

/* Read or write words of an allocation; see that no other program's are there. */
void touch(struct flow *flow, const struct action *action);

/* The same, again and again on one page, beside other threads. */
void touch_often(struct flow *flow, const struct action *action);

/* Read, write or run any address. */
void stray(struct flow *flow, const struct action *action);

/* Allocate, use all of it, free: an honest program. */
void work(struct flow *flow, const struct action *action);

/* Use the whole of an allocation. */
void touch_all(struct flow *flow, const struct action *action);

#endif /* FUZZ_TOUCH_H */
