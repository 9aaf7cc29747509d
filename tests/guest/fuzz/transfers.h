/* SPDX-License-Identifier: GPL-2.0 */
/* transfers.h - actions: bytes out of petmem memory and into it again. */
#ifndef FUZZ_TRANSFERS_H
#define FUZZ_TRANSFERS_H

#include "action.h"

/* Through a pipe or a socket, by each of the calls that there are for it. */
void transfer(struct flow *flow, const struct action *action);

#endif /* FUZZ_TRANSFERS_H */
