// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * seccomp.c - a program that restricts its system calls keeps its heap.
 *
 * A filter may kill a process that calls ioctl(). So the heap makes no more calls from the
 * moment that the program asks for a filter, whatever the filter allows: see spare.h. The
 * program may ask by prctl(), or by syscall(), as libseccomp does.
 */
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptor.h"
#include "heap.h"
#include "next.h"

EXPORT int prctl(int operation, ...)
{
	unsigned long argument[4];
	va_list arguments;
	bool allowed;
	int result;
	size_t i;

	va_start(arguments, operation);
	for (i = 0; i < sizeof(argument) / sizeof(argument[0]); i++)
		argument[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	allowed = operation == PR_SET_SECCOMP && heap_allow_calls(false);
	result = NEXT(prctl)(operation, argument[0], argument[1], argument[2],
			     argument[3]);
	if (allowed && result)
		heap_allow_calls(true);
	return result;
}

HIDDEN long seccomp_call(long number, long operation, long flags,
			 void *argument);
HIDDEN void *seccomp_next_syscall(void);

/* What syscall() does for a program that wants a filter. */
long seccomp_call(long number, long operation, long flags, void *argument)
{
	bool sets = operation == SECCOMP_SET_MODE_STRICT ||
		    operation == SECCOMP_SET_MODE_FILTER;
	bool allowed = sets && heap_allow_calls(false);
	long result = NEXT(syscall)(number, operation, flags, argument);

	if (allowed && result < 0)
		heap_allow_calls(true);
	return result;
}

void *seccomp_next_syscall(void)
{
	return NEXT(syscall);
}

_Static_assert(SYS_seccomp == 317, "the code below has the call's number");

/*
 * For all other calls it is a jump, which leaves the stack as it was: there are calls that
 * return twice. The registers with arguments are kept.
 */
__asm__(".globl syscall\n"
	".type syscall, @function\n"
	"syscall:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	cmp $317, %rdi\n"
	"	je seccomp_call\n"
	"	push %rdi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push %rsi\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push %rdx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push %rcx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push %r8\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push %r9\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	sub $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call seccomp_next_syscall\n"
	"	add $8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop %r9\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop %r8\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop %rcx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop %rdx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop %rsi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	pop %rdi\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	jmp *%rax\n"
	"	.cfi_endproc\n"
	".size syscall, . - syscall\n");
