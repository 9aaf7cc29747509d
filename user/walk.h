/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* walk.h - the path of an address through the page tables: `petmem walk'. */
#ifndef PETMEM_WALK_H
#define PETMEM_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* Print it for a process; 0 is this one. Returns false after a message. */
bool show_walk(int device, unsigned int pid, uint64_t addr);

#endif /* PETMEM_WALK_H */
