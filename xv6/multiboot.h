/* SPDX-License-Identifier: GPL-2.0 */
/*
 * multiboot.h - what a Multiboot (version 1) loader wants and gives.
 */
#ifndef MULTIBOOT_H
#define MULTIBOOT_H

#define MB_HEADER_MAGIC	0x1badb002	/* in the kernel's first 8 KB */
#define MB_WANT_MEMORY	0x2		/* header flag: tell us about RAM */
#define MB_LOADER_MAGIC	0x2badb002	/* in eax when the kernel starts */

#define MB_HAS_MMAP	0x40		/* info flag: mmap_* are valid */
#define MB_RAM		1		/* type of a range that can be used */

#ifndef __ASSEMBLER__

struct multiboot_info {
	uint flags;
	uint unused[10];
	uint mmap_length;	/* bytes */
	uint mmap_addr;		/* physical */
};

/* A range of physical addresses. */
struct multiboot_range {
	uint size;		/* of what follows */
	unsigned long long base;
	unsigned long long length;
	uint type;
} __attribute__((packed));

#endif
#endif
