/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* map_picture.h - draw a process's region: `petmem map'. */
#ifndef PETMEM_MAP_PICTURE_H
#define PETMEM_MAP_PICTURE_H

#include "picture.h"

/*
 * Draw the memory that a process has allocated, and how much of it is mapped. Returns a
 * picture that the caller frees, or NULL after a message.
 */
struct picture *map_picture(int device, unsigned int pid);

#endif /* PETMEM_MAP_PICTURE_H */
