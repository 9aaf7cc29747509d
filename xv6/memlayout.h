/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * memlayout.h - where things are in memory. The same picture for everyone:
 *
 *	virtual                                          physical
 *	0xffffffff +---------------------------------+
 *	           | nothing                         |
 *	DEVSPACE   | interrupt controllers           | -> the same addresses
 *	           +---------------------------------+
 *	           | RAM that is not used, read-only | -> PHYSTOP .. FIRMWARE_END
 *	KERNBASE   +---------------------------------+
 *	 + PHYSTOP | all of RAM, kernel included     | -> 0 .. PHYSTOP
 *	KERNBASE   +---------------------------------+
 *	           | nothing                         |
 *	the break  +---------------------------------+
 *	           | heap, grows up by sbrk()        |    pages from kalloc.c,
 *	           | stack, one page                 |    anywhere in RAM
 *	           | guard page: nothing             |
 *	           | program: text, data, bss        |
 *	USERBASE   +---------------------------------+
 *	           | page 0: nothing, so that a NULL |
 *	         0 | pointer cannot be followed      |
 *	           +---------------------------------+
 *
 * Everything below KERNBASE belongs to the process, everything from KERNBASE
 * up is the same in each process and closed to user mode.
 */
#ifndef MEMLAYOUT_H
#define MEMLAYOUT_H

/*
 * The first user address: programs are linked here (user.ld). All of part 1 hangs
 * on this number: exec.c loads nothing below it, vm.c maps nothing, and syscall.c
 * accepts no pointer.
 */
#ifdef BEFORE_NULL
#define USERBASE	0
#else
#define USERBASE	0x1000
#endif

#define KERNBASE	0x80000000	/* first kernel address */
#define KERNLOAD	0x100000	/* the kernel's first physical address */
#define PHYSTOP		0xe000000	/* end of the RAM in use: 224 MB */
#define FIRMWARE_END	0x70000000	/* RAM up to here can at least be read */
#define DEVSPACE	0xfec00000	/* IOAPIC; the CPUs' own APICs at +2 MB */
#define DEVSPACE_SIZE	0x400000

/* A page below 1 MB in which further processors start (entryother.S). */
#define AP_START	0x7000
#define AP_STACK_TOP	0x8000

#ifndef __ASSEMBLER__
/* RAM is mapped at KERNBASE: translating is adding or subtracting. */
#define V2P(a)	((uint)(a) - KERNBASE)
#define P2V(a)	((void *)((uint)(a) + KERNBASE))
#endif

#endif
