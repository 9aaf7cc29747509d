/* SPDX-License-Identifier: GPL-2.0 */
/*
 * access.h - read or write the memory of a process from outside.
 */
#ifndef PETMEM_ACCESS_H
#define PETMEM_ACCESS_H

#include <linux/types.h>

struct petmem_process;

/**
 * petmem_access_vspace() - read or write a process's memory from outside
 * @process: the process
 * @addr: address in the process
 * @buffer: the kernel's memory to copy from or to
 * @size: in bytes
 * @write: true: copy to the process's memory
 *
 * Return: the number of bytes copied, which may be less than @size; if no byte could be
 * copied, an error as from petmem_handle_pagefault(), except -EAGAIN.
 * Context: the mmap lock of the process is held for reading.
 */
int petmem_access_vspace(struct petmem_process *process, u64 addr, void *buffer,
			 int size, bool write);

#endif /* PETMEM_ACCESS_H */
