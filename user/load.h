/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* load.h - load the module, and say in plain words why the kernel refuses it. */
#ifndef PETMEM_LOAD_H
#define PETMEM_LOAD_H

#include <stdbool.h>

/*
 * Load petmem with modprobe. Returns true if it is loaded now. modprobe's messages
 * go to standard error, followed by advice on what to do.
 */
bool load_module(void);

#endif /* PETMEM_LOAD_H */
