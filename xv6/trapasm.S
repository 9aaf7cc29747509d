/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trapasm.S - into the kernel and out of it. mmu.h has struct trapframe, which
 * this code builds from the bottom up.
 *
 * The lines that start with .cfi are no code: they tell gdb where each register of
 * the interrupted code is, so that a backtrace goes on in the program.
 */
#include "mmu.h"
#include "traps.h"

	.cfi_sections .debug_frame

/* Bit n set: the processor pushes an error code for trap n. */
#define HAS_ERROR_CODE	0x60227d00	/* 8, 10..14, 17, 21, 29, 30 */

/*
 * Offsets count from the place behind eflags. If the trap came from the kernel, the
 * stack goes on there. If it came from a program (bits 0 and 1 of cs are set), its
 * esp is there: this is what the expression says.
 */
#define CS_OFFSET		8
#define DW_CFA_val_expression	0x16
#define DW_REG_esp		4
#define DW_OP_deref		0x06
#define DW_OP_dup		0x12
#define DW_OP_and		0x1a
#define DW_OP_minus		0x1c
#define DW_OP_bra		0x28
#define DW_OP_skip		0x2f
#define DW_OP_lit(n)		(0x30 + (n))

	.text
	.cfi_startproc simple
	.cfi_signal_frame
	.cfi_def_cfa esp, 12
	.cfi_offset eip, -12
	.cfi_escape DW_CFA_val_expression, DW_REG_esp, 13, DW_OP_dup, \
		DW_OP_lit(CS_OFFSET), DW_OP_minus, DW_OP_deref, DW_OP_lit(3), DW_OP_and, \
		DW_OP_bra, 3, 0, DW_OP_skip, 1, 0, DW_OP_deref

/* NTRAP stubs of 16 bytes: stub n is for trap n. */
	.balign	16
	.globl	trap_stubs
trap_stubs:
	.set	n, 0
	.rept	NTRAP
	.balign	16
	.if	n >= 32 || !((HAS_ERROR_CODE >> (n & 31)) & 1)
	.cfi_def_cfa_offset 12
	pushl	$0
	.endif
	.cfi_def_cfa_offset 16
	pushl	$n
	.cfi_def_cfa_offset 20
	jmp	trap_entry
	.set	n, n + 1
	.endr

trap_entry:
	.cfi_remember_state
	pushal
	.cfi_adjust_cfa_offset 32
	.cfi_offset eax, -24
	.cfi_offset ecx, -28
	.cfi_offset edx, -32
	.cfi_offset ebx, -36
	.cfi_offset ebp, -44
	.cfi_offset esi, -48
	.cfi_offset edi, -52
	pushl	%ds
	pushl	%es
	pushl	%fs
	pushl	%gs
	.cfi_adjust_cfa_offset 16
	movw	$SEL_KDATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	cld
	pushl	%esp
	.cfi_adjust_cfa_offset 4
	call	trap
	addl	$4, %esp
	.cfi_adjust_cfa_offset -4

restore:
	popl	%gs
	popl	%fs
	popl	%es
	popl	%ds
	.cfi_adjust_cfa_offset -16
	popal
	.cfi_restore_state
	addl	$8, %esp	/* trapno, err */
	.cfi_adjust_cfa_offset -8
	iret
	.cfi_endproc

/* void trap_leave(struct trapframe *tf): go to where *tf says. Never returns. */
	.globl	trap_leave
trap_leave:
	movl	4(%esp), %esp
	jmp	restore
