/* SPDX-License-Identifier: GPL-2.0 */
/* descriptors.h - the open files of a program, of as many kinds as there are. */
#ifndef FUZZ_DESCRIPTORS_H
#define FUZZ_DESCRIPTORS_H

#include "action.h"

/* Open one of each kind that this kernel and user can have. None of them blocks. */
void descriptors_open(void);

/* Draw one of them, or the device, or none. */
int descriptor_draw(struct flow *flow);

/* Actions. */
void close_one(struct flow *flow, const struct action *action);
void duplicate_one(struct flow *flow, const struct action *action);
void open_device(struct flow *flow, const struct action *action);
void open_one(struct flow *flow, const struct action *action);
void pass_device(struct flow *flow, const struct action *action);

#endif /* FUZZ_DESCRIPTORS_H */
