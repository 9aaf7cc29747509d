/* SPDX-License-Identifier: GPL-2.0 */
/* touch.h - actions: memory used as it is meant to be, and a little beside it. */
#ifndef FUZZ_TOUCH_H
#define FUZZ_TOUCH_H

#include "action.h"

/* Read or write words of an allocation; see that no other program's are there. */
void touch(struct flow *flow, const struct action *action);

/* The same, again and again on one page, while other threads do what they do. */
void touch_often(struct flow *flow, const struct action *action);

/* Read, write or run what is at any address. */
void stray(struct flow *flow, const struct action *action);

/* Allocate, use all of it, free: an honest program. */
void work(struct flow *flow, const struct action *action);

/* Use the whole of an allocation. */
void touch_all(struct flow *flow, const struct action *action);

#endif /* FUZZ_TOUCH_H */
