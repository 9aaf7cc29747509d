/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* pool_picture.h - draw the machine's memory, and what petmem has of it: `petmem pool'. */
#ifndef PETMEM_POOL_PICTURE_H
#define PETMEM_POOL_PICTURE_H

#include "blocks.h"
#include "picture.h"

/*
 * Draw all memory blocks, node by node, and each donated range. Returns a picture that
 * the caller frees, or NULL after a message.
 */
struct picture *pool_picture(int device, const struct blocks *blocks);

#endif /* PETMEM_POOL_PICTURE_H */
