/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* load.h - load the module, and say in plain words why the kernel refuses it. */
#ifndef PETMEM_LOAD_H
#define PETMEM_LOAD_H

#include <stdbool.h>

/*
 * Load petmem with modprobe; true if it is loaded now. What modprobe says goes
 * to standard error, followed by what to do about it.
 */
bool load_module(void);

#endif /* PETMEM_LOAD_H */
