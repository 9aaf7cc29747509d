/* SPDX-License-Identifier: GPL-2.0 */
/* signals.h - actions: signals whose frames lie in petmem memory. */
#ifndef FUZZ_SIGNALS_H
#define FUZZ_SIGNALS_H

#include "action.h"

/* The alternate signal stack in petmem memory, and a signal. */
void stand_on_petmem(struct flow *flow, const struct action *action);

#endif /* FUZZ_SIGNALS_H */
