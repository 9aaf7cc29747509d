/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Where every program begins. exec() leaves on the stack
 *
 *	esp -> 0xffffffff	a return address that leads nowhere
 *	       argc
 *	       argv
 *
 * which is what a function called with two arguments expects to find. main() is
 * called with its real return address in place of the first word.
 */
	.globl	_start
	.cfi_sections .debug_frame
_start:
	.cfi_startproc
	.cfi_undefined eip	/* nobody has called this: gdb stops here */
	addl	$4, %esp
	call	main
	call	exit
	.cfi_endproc

	.section .note.GNU-stack, "", @progbits
