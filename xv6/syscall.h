/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * syscall.h - system call numbers.
 *
 * A program puts the number into eax and executes `int $T_SYSCALL` (traps.h).
 * The arguments are 32-bit words on its stack at esp+4, esp+8, ...: just what
 * a C call of a stub leaves there. The result comes back in eax; -1 is failure.
 */
#ifndef SYSCALL_H
#define SYSCALL_H

#define SYS_fork	1
#define SYS_exit	2
#define SYS_wait	3
#define SYS_pipe	4
#define SYS_read	5
#define SYS_kill	6
#define SYS_exec	7
#define SYS_fstat	8
#define SYS_chdir	9
#define SYS_dup		10
#define SYS_getpid	11
#define SYS_sbrk	12
#define SYS_sleep	13
#define SYS_uptime	14
#define SYS_open	15
#define SYS_write	16
#define SYS_mknod	17
#define SYS_unlink	18
#define SYS_link	19
#define SYS_mkdir	20
#define SYS_close	21
#define SYS_mmap	22	/* this and the next with AFTER=mmap only */
#define SYS_munmap	23

#endif
