/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* map.h - draw a process's region: `petmem map'. */
#ifndef PETMEM_MAP_PICTURE_H
#define PETMEM_MAP_PICTURE_H

#include "picture.h"

/*
 * The picture of what a process has allocated, and what of it is mapped. The caller
 * frees it. NULL after a message.
 */
struct picture *map_picture(int device, unsigned int pid);

#endif /* PETMEM_MAP_PICTURE_H */
