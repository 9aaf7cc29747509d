/* SPDX-License-Identifier: GPL-2.0 */
/* counters.h - what is counted, put together; for the ioctls, and in sysfs. */
#ifndef PETMEM_COUNTERS_H
#define PETMEM_COUNTERS_H

#include <linux/sysfs.h>

#include "petmem.h"

/**
 * petmem_read_status() - set all of a status
 * @status: as petmem.h says
 *
 * Context: may sleep.
 */
void petmem_read_status(struct petmem_status *status);

/**
 * petmem_read_counters() - set all counters and limits
 * @counters: as petmem.h says
 */
void petmem_read_counters(struct petmem_counters *counters);

/* The device's directory "counters": a file for each number, which anybody may read. */
extern const struct attribute_group *petmem_counter_groups[];

#endif /* PETMEM_COUNTERS_H */
