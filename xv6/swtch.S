/* SPDX-License-Identifier: GPL-2.0 */
/*
 * void switch_stack(uint **save, uint *load): leave this kernel stack and
 * continue on another one, where that one called switch_stack(). Everything
 * worth keeping is on the stack: the return address and the registers that a C
 * function must not change. A new stack needs four words and an address.
 */
	.text
	.globl	switch_stack
switch_stack:
	movl	4(%esp), %eax
	movl	8(%esp), %edx
	pushl	%ebp
	pushl	%ebx
	pushl	%esi
	pushl	%edi
	movl	%esp, (%eax)
	movl	%edx, %esp
	popl	%edi
	popl	%esi
	popl	%ebx
	popl	%ebp
	ret
