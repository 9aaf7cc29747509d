// SPDX-License-Identifier: GPL-2.0
/*
 * syscall.c - from `int $64` to the function that does it, and the only place
 * where pointers of a program are looked at.
 *
 * A program can pass anything: an address in page 0, in a hole, past its break,
 * in the kernel, a length that wraps around, a stack pointer that is no better.
 * The arg_...() functions return -1 for all of these. After they have returned
 * 0 the kernel uses the memory directly and without a fault, until the system
 * call is over.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "syscall.h"
#include "proc.h"
#include "vm.h"
#include "mmap.h"
#include "sys.h"
#include "defs.h"

/*
 * Does [va, va + n) lie in the calling process's memory? Of no bytes, all do: a
 * program may pass any pointer with them.
 */
static int in_bounds(uint va, uint n)
{
	struct proc *p = this_proc();

	/* Subtracting, because va + n may wrap around. */
	return n == 0 ||
	       (va >= USERBASE && va <= p->brk && n <= p->brk - va) ||
	       map_covers(va, n);
}

/* Make the @n bytes at @va ready for the kernel's @access, like vm_prepare(). */
static int prepare(uint va, uint n, int access)
{
	uint page;

	for (page = PAGE_DOWN(va); page < va + n; page += PGSIZE)
		if (give_promised(page, access) == VM_NO_MEMORY)
			return VM_NO_MEMORY;
	return vm_prepare(this_proc()->dir, va, n, access);
}

/*
 * May the calling process use the @n bytes at @buffer for @access? If this needs
 * memory and there is none, the process is killed. Context: they are in bounds.
 */
int user_prepare(void *buffer, uint n, int access)
{
	int result;

	if (n == 0)
		return 0;
	do {
		result = prepare((uint)buffer, n, access);
	} while (result == VM_NO_MEMORY && out_of_memory());
	return result == VM_OK ? 0 : -1;
}

/* Both of these: the kernel may use the memory now. */
static int user_range(uint va, uint n, int access)
{
	return in_bounds(va, n) ? user_prepare((void *)va, n, access) : -1;
}

/* Read the word at user address @va. */
int user_word(uint va, uint *word)
{
	if (user_range(va, sizeof(*word), VM_READ) < 0)
		return -1;
	*word = *(const uint *)va;
	return 0;
}

/*
 * Find the end of the string at user address @va, looking at each page before
 * its bytes. Returns the length, or -1.
 */
int user_string(uint va, const char **string)
{
	const char *s = (const char *)va;
	uint n, brk = this_proc()->brk;

	for (n = 0;; n++) {
		if ((n == 0 || (va + n) % PGSIZE == 0 ||
		     va + n == brk) &&
		    user_range(va + n, 1, VM_READ) < 0)
			return -1;
		if (s[n] == 0)
			break;
	}
	*string = s;
	return n;
}

/* Argument number @n of the system call, counted from 0. */
int arg_int(int n, int *value)
{
	uint esp = this_proc()->tf->esp;

	/* The return address of the stub lies below the arguments. */
	return user_word(esp + sizeof(uint) * (n + 1), (uint *)value);
}

/*
 * Argument @n is a pointer to @size bytes. The caller calls user_prepare() for
 * those that it is going to use.
 */
int arg_range(int n, void **buffer, uint size)
{
	int va;

	if (arg_int(n, &va) < 0 || !in_bounds(va, size))
		return -1;
	*buffer = (void *)va;
	return 0;
}

/* Argument @n is a pointer to @size bytes, for the kernel to @access. */
int arg_buffer(int n, void **buffer, uint size, int access)
{
	if (arg_range(n, buffer, size) < 0)
		return -1;
	return user_prepare(*buffer, size, access);
}

/* Argument @n is a string. Returns its length, or -1. */
int arg_string(int n, const char **string)
{
	int va;

	if (arg_int(n, &va) < 0)
		return -1;
	return user_string(va, string);
}

static int (*const calls[])(void) = {
	[SYS_fork] = sys_fork,	   [SYS_exit] = sys_exit,
	[SYS_wait] = sys_wait,	   [SYS_pipe] = sys_pipe,
	[SYS_read] = sys_read,	   [SYS_kill] = sys_kill,
	[SYS_exec] = sys_exec,	   [SYS_fstat] = sys_fstat,
	[SYS_chdir] = sys_chdir,   [SYS_dup] = sys_dup,
	[SYS_getpid] = sys_getpid, [SYS_sbrk] = sys_sbrk,
	[SYS_sleep] = sys_sleep,   [SYS_uptime] = sys_uptime,
	[SYS_open] = sys_open,	   [SYS_write] = sys_write,
	[SYS_mknod] = sys_mknod,   [SYS_unlink] = sys_unlink,
	[SYS_link] = sys_link,	   [SYS_mkdir] = sys_mkdir,
	[SYS_close] = sys_close,
#ifdef USE_MMAP
	[SYS_mmap] = sys_mmap,	   [SYS_munmap] = sys_munmap,
#endif
};

#define NCALLS	(sizeof(calls) / sizeof(calls[0]))

void syscall(void)
{
	struct proc *p = this_proc();
	uint number = p->tf->eax;

	if (number < NCALLS && calls[number]) {
		p->tf->eax = calls[number]();
		return;
	}
	kprintf("%s[%d]: there is no system call %d\n", p->name, p->pid, number);
	p->tf->eax = -1;
}
