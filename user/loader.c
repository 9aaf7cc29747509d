// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * loader.c - dlopen() without RTLD_DEEPBIND.
 *
 * A library that is loaded with it finds the C library's malloc() before the preloaded
 * one, but gets memory from the program, and from functions of the C library, which call
 * the preloaded one: it would hand jemalloc's memory to the C library's free(). So the
 * flag is left out.
 *
 * dlopen() looks at its caller's address: it searches the directories that the caller's
 * own file names. So these two are jumps, which leave the caller's address on the stack.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

#include "next.h"

#define HIDDEN __attribute__((visibility("hidden")))

_Static_assert(RTLD_DEEPBIND == 8, "the code below has the flag's number");

HIDDEN void *loader_next_dlopen(void);
HIDDEN void *loader_next_dlmopen(void);

void *loader_next_dlopen(void)
{
	return NEXT(dlopen);
}

void *loader_next_dlmopen(void)
{
	return NEXT(dlmopen);
}

/* The three registers with arguments are kept, and the stack stays aligned. */
#define WITHOUT_DEEPBIND(_name, _flags)                      \
	__asm__(".globl " #_name "\n"                        \
		".type " #_name ", @function\n" #_name ":\n" \
		"	.cfi_startproc\n"                          \
		"	endbr64\n"                                 \
		"	push %rdi\n"                               \
		"	.cfi_adjust_cfa_offset 8\n"                \
		"	push %rsi\n"                               \
		"	.cfi_adjust_cfa_offset 8\n"                \
		"	push %rdx\n"                               \
		"	.cfi_adjust_cfa_offset 8\n"                \
		"	call loader_next_" #_name "\n"       \
		"	pop %rdx\n"                                \
		"	.cfi_adjust_cfa_offset -8\n"               \
		"	pop %rsi\n"                                \
		"	.cfi_adjust_cfa_offset -8\n"               \
		"	pop %rdi\n"                                \
		"	.cfi_adjust_cfa_offset -8\n"               \
		"	and $~8, " _flags "\n"               \
		"	jmp *%rax\n"                               \
		"	.cfi_endproc\n"                            \
		".size " #_name ", . - " #_name "\n")

WITHOUT_DEEPBIND(dlopen, "%esi");
WITHOUT_DEEPBIND(dlmopen, "%edx");
