/* SPDX-License-Identifier: GPL-2.0 */
/* counters.h - collect the counters of all files, for the ioctls and for sysfs. */
#ifndef PETMEM_COUNTERS_H
#define PETMEM_COUNTERS_H

#include <linux/sysfs.h>

#include "petmem.h"

/**
 * petmem_read_status() - fill in a status
 * @status: see petmem.h; all fields are set
 *
 * Context: may sleep.
 */
void petmem_read_status(struct petmem_status *status);

/**
 * petmem_read_counters() - fill in counters and limits
 * @counters: see petmem.h; all fields are set
 */
void petmem_read_counters(struct petmem_counters *counters);

/* The device's directory "counters", with one file for each number. Anybody may read it. */
extern const struct attribute_group *petmem_counter_groups[];

#endif /* PETMEM_COUNTERS_H */
