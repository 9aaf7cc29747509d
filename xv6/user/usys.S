/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * System-call stubs. The kernel finds the number in eax and the arguments above
 * the return address, where the caller of the stub has pushed them; the result
 * comes back in eax. Every other register is preserved.
 */
#include "syscall.h"
#include "traps.h"

#define STUB(name)				\
	.globl	name;				\
name:						\
	movl	$SYS_##name, %eax;		\
	int	$T_SYSCALL;			\
	ret

STUB(fork)
STUB(exit)
STUB(wait)
STUB(pipe)
STUB(read)
STUB(kill)
STUB(exec)
STUB(fstat)
STUB(chdir)
STUB(dup)
STUB(getpid)
STUB(sbrk)
STUB(sleep)
STUB(uptime)
STUB(open)
STUB(write)
STUB(mknod)
STUB(unlink)
STUB(link)
STUB(mkdir)
STUB(close)
STUB(mmap)
STUB(munmap)

	.section .note.GNU-stack, "", @progbits
