/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.S - the first instructions. A Multiboot loader starts us in 32-bit
 * protected mode, without paging, at a physical address. The kernel is linked
 * at KERNBASE and up: turn paging on and go there.
 */
#include "memlayout.h"
#include "mmu.h"
#include "multiboot.h"

#define PHYS(symbol)	((symbol) - KERNBASE)

	.section .multiboot, "a"
	.balign 4
	.long	MB_HEADER_MAGIC
	.long	MB_WANT_MEMORY
	.long	-(MB_HEADER_MAGIC + MB_WANT_MEMORY)

	.text
	/* The loader knows physical addresses only. */
	.globl	entry
	.set	entry, PHYS(start)
start:
	movl	%eax, %esi		/* is the loader what it should be? */
	xorl	%ebp, %ebp		/* here the chain of callers ends */
	movl	$PHYS(boot_stack_top), %esp
	call	paging_on		/* relative: works at both addresses */
	movl	$boot_stack_top, %esp
	pushl	%ebx			/* what the loader says about memory */
	pushl	%esi
	movl	$kmain, %eax
	call	*%eax

/*
 * Turn paging on with boot_dir; the caller runs at a physical address, and
 * after this may go to a virtual one. Changes eax.
 */
	.globl	paging_on
paging_on:
	movl	%cr4, %eax
	orl	$CR4_PSE, %eax
	movl	%eax, %cr4
	movl	$PHYS(boot_dir), %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	orl	$(CR0_PG | CR0_WP | CR0_EM), %eax
	movl	%eax, %cr0
	ret

/*
 * The page directory to start with, all 4 MB pages: the first 4 MB where they
 * are, so that the next instruction is still there, and all RAM at KERNBASE.
 * vm.c makes the final one.
 */
	.data
	.balign	PGSIZE
	.globl	boot_dir
boot_dir:
	.long	PTE_P | PTE_W | PTE_PS
	.fill	(KERNBASE >> 22) - 1, 4, 0
	.set	pa, 0
	.rept	PHYSTOP >> 22
	.long	pa + (PTE_P | PTE_W | PTE_PS)
	.set	pa, pa + PT_SPAN
	.endr
	.fill	PT_ENTRIES - (KERNBASE >> 22) - (PHYSTOP >> 22), 4, 0

	.bss
	.balign	PGSIZE
	.skip	PGSIZE
boot_stack_top:
