/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trapasm.S - into the kernel and out of it. mmu.h has struct trapframe, which
 * this code builds from the bottom up.
 */
#include "mmu.h"
#include "traps.h"

/* Bit n set: the processor pushes an error code for trap n. */
#define HAS_ERROR_CODE	0x60227d00	/* 8, 10..14, 17, 21, 29, 30 */

	.text

/* NTRAP stubs of 16 bytes: stub n is for trap n. */
	.balign	16
	.globl	trap_stubs
trap_stubs:
	.set	n, 0
	.rept	NTRAP
	.balign	16
	.if	n >= 32 || !((HAS_ERROR_CODE >> (n & 31)) & 1)
	pushl	$0
	.endif
	pushl	$n
	jmp	trap_entry
	.set	n, n + 1
	.endr

trap_entry:
	pushal
	pushl	%ds
	pushl	%es
	pushl	%fs
	pushl	%gs
	movw	$SEL_KDATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	cld
	pushl	%esp
	call	trap
	addl	$4, %esp

restore:
	popl	%gs
	popl	%fs
	popl	%es
	popl	%ds
	popal
	addl	$8, %esp	/* trapno, err */
	iret

/* void trap_leave(struct trapframe *tf): go to where *tf says. Never returns. */
	.globl	trap_leave
trap_leave:
	movl	4(%esp), %esp
	jmp	restore
