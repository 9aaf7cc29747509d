/* SPDX-License-Identifier: GPL-2.0 */
/* rings.h - actions: input and output that the kernel does later, or elsewhere. */
#ifndef FUZZ_RINGS_H
#define FUZZ_RINGS_H

#include "action.h"

/* io_uring, with buffers that are registered and with others. */
void ring_io(struct flow *flow, const struct action *action);

/* io_submit() and its family. */
void asynchronous_io(struct flow *flow, const struct action *action);

#endif /* FUZZ_RINGS_H */
