/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* proc.h - what /proc knows about processes. */
#ifndef PETMEM_PROC_H
#define PETMEM_PROC_H

#include <stddef.h>

/* The size of a process's name, with its final NUL. */
#define PROC_NAME_MAX 32

/* The name of a process; "?" if it is gone. Unprintable characters become dots. */
void proc_name(unsigned int pid, char name[PROC_NAME_MAX]);

/* All processes. Returns 0 and a list that the caller frees, or a negative errno. */
int proc_list(unsigned int **pids, size_t *count);

#endif /* PETMEM_PROC_H */
