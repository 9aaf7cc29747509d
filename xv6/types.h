/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * types.h - short names for unsigned integers, shared by kernel, programs and
 * host tools. An address fits in a uint: this is a 32-bit machine.
 */
#ifndef TYPES_H
#define TYPES_H

typedef unsigned int uint;
typedef unsigned short ushort;
typedef unsigned char uchar;

#endif
