// SPDX-License-Identifier: GPL-2.0
/*
 * sysproc.c - system calls about processes, memory and time.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "proc.h"
#include "sys.h"
#include "defs.h"

int sys_fork(void)
{
	return fork();
}

int sys_exit(void)
{
	exit();
}

int sys_wait(void)
{
	return wait();
}

int sys_kill(void)
{
	int pid;

	if (arg_int(0, &pid) < 0)
		return -1;
	return kill(pid);
}

int sys_getpid(void)
{
	return this_proc()->pid;
}

int sys_sbrk(void)
{
	int n;

	if (arg_int(0, &n) < 0)
		return -1;
	return move_break(n);
}

int sys_sleep(void)
{
	int n;

	if (arg_int(0, &n) < 0 || n < 0)
		return -1;
	return sleep_ticks(n);
}

int sys_uptime(void)
{
	return uptime();
}
