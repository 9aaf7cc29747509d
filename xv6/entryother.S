/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entryother.S - the first instructions of every further processor. It wakes
 * up in 16-bit real mode at AP_START, where main.c has copied this code; it
 * goes to protected mode, turns paging on and continues in ap_main() on the
 * stack that main.c left in ap_stack.
 */
#include "memlayout.h"
#include "mmu.h"

/* Where a symbol of this file is once the code has been copied. */
#define COPIED(symbol)	((symbol) - ap_begin + AP_START)

	.text
	.code16
	.globl	ap_begin, ap_end
ap_begin:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	COPIED(gdt_pointer)
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$SEL_KCODE, $COPIED(protected)

	.code32
protected:
	movw	$SEL_KDATA, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$AP_STACK_TOP, %esp
	movl	$(paging_on - KERNBASE), %eax
	call	*%eax
	movl	ap_stack, %esp
	xorl	%ebp, %ebp
	movl	$ap_main, %eax
	call	*%eax

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9a000000ffff	/* SEL_KCODE */
	.quad	0x00cf92000000ffff	/* SEL_KDATA */
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	COPIED(gdt)
ap_end:
