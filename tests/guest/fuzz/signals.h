/* SPDX-License-Identifier: GPL-2.0 */
/* signals.h - actions: signals at any moment, and some whose frames lie in petmem memory. */
#ifndef FUZZ_SIGNALS_H
#define FUZZ_SIGNALS_H

#include "action.h"

/* The alternate signal stack in petmem memory, and a signal. */
void stand_on_petmem(struct flow *flow, const struct action *action);

/* Some hundred signals, one each 50 to 300 microseconds, whatever goes on. */
void signal_storm(struct flow *flow, const struct action *action);

/* Signals to a relative. */
void signal_relative(struct flow *flow, const struct action *action);

#endif /* FUZZ_SIGNALS_H */
