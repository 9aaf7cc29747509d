/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* device.h - /dev/petmem as the administrator's tool uses it. */
#ifndef PETMEM_DEVICE_H
#define PETMEM_DEVICE_H

#include <stddef.h>

#include "petmem.h"

/* Open the device and check its protocol. Returns -1 after a message on what to do. */
int device_open(void);

/*
 * All donated ranges, in order of address. Returns 0 and a list that the caller
 * frees (NULL if there are none), or a negative errno.
 */
int device_ranges(int device, struct petmem_block **list, size_t *count);

/* The same for all users who have petmem memory. */
int device_users(int device, struct petmem_user_counts **list, size_t *count);

/* Returns 0 or a negative errno. */
int device_donate(int device, __u64 start, __u64 size);
int device_release(int device, __u64 start, __u64 size);

#endif /* PETMEM_DEVICE_H */
