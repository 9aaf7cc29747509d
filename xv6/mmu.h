/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmu.h - what the processor's memory management looks at: control registers,
 * page tables, segments, gates.
 */
#ifndef MMU_H
#define MMU_H

/* Control registers */
#define CR0_PE	0x00000001	/* protected mode */
#define CR0_EM	0x00000004	/* no floating point: its instructions trap */
#define CR0_WP	0x00010000	/* read-only pages are read-only to the kernel too */
#define CR0_PG	0x80000000	/* paging */
#define CR4_PSE	0x00000010	/* a directory entry may map 4 MB by itself */

#define EFLAGS_FIXED	0x002	/* this bit is always set */
#define EFLAGS_IF	0x200	/* interrupts are enabled */

/*
 * A virtual address:
 *
 *	 31            22 21            12 11             0
 *	+----------------+----------------+----------------+
 *	| entry of the   | entry of the   | byte in        |
 *	| page directory | page table     | the page       |
 *	+----------------+----------------+----------------+
 *	  PDX(va)          PTX(va)
 *
 * An entry of either (a pde_t or a pte_t):
 *
 *	 31                           12 11 10  9  8  7  6  5  4  3  2  1  0
 *	+-------------------------------+--------+--+--+--+--+--+--+--+--+--+
 *	| physical address of the page  |     |C | G|PS| D| A|CD|WT| U| W| P|
 *	| or page table, bits 31..12    |     |OW|  |  |  |  |  |  |  |  |  |
 *	+-------------------------------+--------+--+--+--+--+--+--+--+--+--+
 *
 * Bits 9 to 11 are left to the system; PTE_COW is one of them, and the
 * processor takes no notice of it. The processor sets A when it uses the entry
 * and D when it writes to the page.
 */
#define PTE_P	0x001	/* present: without it the other bits mean nothing */
#define PTE_W	0x002	/* writable */
#define PTE_U	0x004	/* user mode may use it */
#define PTE_CD	0x010	/* not cached: for devices */
#define PTE_PS	0x080	/* in a directory: maps 4 MB, there is no table */
#define PTE_COW	0x200	/* ours: copy the page before the first write to it */

#define PGSIZE		4096
#define PT_ENTRIES	1024			/* entries in a table or directory */
#define PT_SPAN		(PT_ENTRIES * PGSIZE)	/* 4 MB: what one table maps */

#define PDX(va)		((uint)(va) >> 22)
#define PTX(va)		((uint)(va) >> 12 & 0x3ff)
#define PTE_ADDR(e)	((uint)(e) & ~0xfffu)
#define PTE_FLAGS(e)	((uint)(e) & 0xfff)

#define PAGE_UP(a)	(((uint)(a) + PGSIZE - 1) & ~(PGSIZE - 1u))
#define PAGE_DOWN(a)	((uint)(a) & ~(PGSIZE - 1u))

/* A page fault's error code says what was tried. */
#define FAULT_PRESENT	0x1	/* there is a page, but its entry forbids this */
#define FAULT_WRITE	0x2	/* it was a write */
#define FAULT_USER	0x4	/* in user mode */

/*
 * Segment selectors: index in the descriptor table * 8 + privilege. Segments
 * all cover 0..4 GB; they only tell user mode (3) from kernel mode (0).
 * Each CPU has a task-state segment (TSS), and the task register tells the
 * kernel which CPU it runs on.
 */
#define SEL_KCODE	0x08
#define SEL_KDATA	0x10
#define SEL_UCODE	(0x18 | 3)
#define SEL_UDATA	(0x20 | 3)
#define SEL_TSS(cpu)	(0x28 + 8 * (cpu))

#ifndef __ASSEMBLER__

typedef uint pde_t;
typedef uint pte_t;

/* The processor takes the kernel stack from here when it leaves user mode. */
struct tss {
	uint link;
	uint esp0;	/* top of the kernel stack */
	uint ss0;	/* its segment */
	uint unused[22];
	ushort trap;
	ushort iomap;	/* where the I/O permission bits start */
};

_Static_assert(sizeof(struct tss) == 104, "the processor defines this layout");

/* What the kernel's entry code leaves on the stack, lowest address first. */
struct trapframe {
	/* pushed by trap_entry */
	uint gs, fs, es, ds;
	uint edi, esi, ebp, unused_esp, ebx, edx, ecx, eax;
	/* pushed by the stub of this trap */
	uint trapno;
	/* pushed by the processor, err for some traps by the stub */
	uint err;
	uint eip;
	uint cs;
	uint eflags;
	/* only on a trap from user mode */
	uint esp;
	uint ss;
};

#endif
#endif
