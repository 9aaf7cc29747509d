/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* descriptor.h - the harness's descriptor, for the library that protects it. */
#ifndef PETMEM_DESCRIPTOR_H
#define PETMEM_DESCRIPTOR_H

#include <stdbool.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* The number of the harness's open descriptor of the device; -1: it has none. */
HIDDEN int pet_descriptor(void);
HIDDEN bool pet_is_descriptor(int fd);

/*
 * Another file is going to have the descriptor's number: let the harness have another
 * number, if there is one.
 */
HIDDEN void pet_leave_descriptor(void);

#endif /* PETMEM_DESCRIPTOR_H */
