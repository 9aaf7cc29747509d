/* SPDX-License-Identifier: GPL-2.0 */
/* ioctls.h - actions: the commands of petmem.h, beside run_ioctl(). */
#ifndef FUZZ_IOCTLS_H
#define FUZZ_IOCTLS_H

#include "action.h"

/* A command that petmem does not have, or has with another size or direction. */
void unknown_ioctl(struct flow *flow, const struct action *action);

#endif /* FUZZ_IOCTLS_H */
