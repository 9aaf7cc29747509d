/* SPDX-License-Identifier: GPL-2.0 */
/*
 * populate.h - map the pages of a range before they are touched.
 */
#ifndef PETMEM_POPULATE_H
#define PETMEM_POPULATE_H

#include <linux/types.h>

struct petmem_process;

/**
 * petmem_populate_vspace() - map all pages of a range, for writing
 * @process: the process
 * @addr: in an allocated range
 * @size: in bytes; not beyond the end of this range
 *
 * Return: 0; -EFAULT when the pages do not lie in one allocated range; -ENOMEM when the pool
 * is empty, or -EINTR: then some pages are mapped.
 */
int petmem_populate_vspace(struct petmem_process *process, u64 addr, u64 size);

#endif /* PETMEM_POPULATE_H */
