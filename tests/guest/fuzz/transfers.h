/* SPDX-License-Identifier: GPL-2.0 */
/* transfers.h - actions: bytes out of petmem memory and into it again. */
#ifndef FUZZ_TRANSFERS_H
#define FUZZ_TRANSFERS_H

#include "action.h"

/* Send bytes through a pipe or a socket, by any of the calls for that. */
void transfer(struct flow *flow, const struct action *action);

#endif /* FUZZ_TRANSFERS_H */
