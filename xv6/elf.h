/* SPDX-License-Identifier: GPL-2.0 */
/*
 * elf.h - the parts of the ELF format that exec() reads.
 */
#ifndef ELF_H
#define ELF_H

#define ELF_MAGIC	0x464c457f	/* "\x7f" "ELF" */

/* At the start of the file. */
struct elf_header {
	uint magic;
	uchar ident[12];
	ushort type;
	ushort machine;
	uint version;
	uint entry;		/* address of the first instruction */
	uint phoff;		/* where the program headers are in the file */
	uint shoff;
	uint flags;
	ushort ehsize;
	ushort phentsize;
	ushort phnum;		/* how many program headers */
	ushort shentsize;
	ushort shnum;
	ushort shstrndx;
};

#define PT_LOAD	1	/* type: put it into memory */
#define PF_W	2	/* flags: writable */

/* One for each part of the file that becomes memory. */
struct elf_segment {
	uint type;
	uint offset;		/* in the file */
	uint vaddr;
	uint paddr;
	uint filesz;		/* bytes from the file ... */
	uint memsz;		/* ... and zeros up to here */
	uint flags;
	uint align;
};

#endif
