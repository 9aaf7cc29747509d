/* SPDX-License-Identifier: GPL-2.0 */
/* signals.h - actions: signals at any moment, and some whose frames lie in petmem memory. */
#ifndef FUZZ_SIGNALS_H
#define FUZZ_SIGNALS_H

#include "action.h"

/* Take a signal on an alternate stack in petmem memory. */
void stand_on_petmem(struct flow *flow, const struct action *action);

/* Send some hundred signals, one each 50 to 300 microseconds, whatever goes on. */
void signal_storm(struct flow *flow, const struct action *action);

/* Send signals to a relative. */
void signal_relative(struct flow *flow, const struct action *action);

#endif /* FUZZ_SIGNALS_H */
