/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* filter.h - does a seccomp filter that the program was started with forbid ioctl()? */
#ifndef PETMEM_FILTER_H
#define PETMEM_FILTER_H

#include <stdbool.h>

/*
 * A filter may end the process in place of an error. So a child asks, if there is a filter.
 * Sets errno to EPERM if it returns true.
 */
bool filter_forbids_ioctl(void);

#endif /* PETMEM_FILTER_H */
