/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dump.h - print the memory map of a process to the kernel log.
 */
#ifndef PETMEM_DUMP_H
#define PETMEM_DUMP_H

#include <linux/types.h>

struct petmem_process;

/**
 * petmem_dump_vspace() - print the memory map to the kernel log
 * @process: the process
 *
 * Return: 0; -EAGAIN, with nothing printed, when the user's processes have written too
 * much to the log (petmem_account_may_log()); -ENOMEM.
 */
int petmem_dump_vspace(struct petmem_process *process);

#endif /* PETMEM_DUMP_H */
