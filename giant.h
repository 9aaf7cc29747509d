/* SPDX-License-Identifier: GPL-2.0 */
/*
 * giant.h - use pages of 1 GiB. giant_page.h says what they are.
 */
#ifndef PETMEM_GIANT_H
#define PETMEM_GIANT_H

#include <linux/types.h>

struct petmem_process;

/**
 * petmem_populate_giant() - map an aligned 1 GiB as one page of zeros
 * @process: the process
 * @addr: a multiple of 1 GiB
 *
 * Return: 0; -EINTR; another error if smaller pages have to be used.
 * Context: may sleep, and takes long; no lock is held.
 */
int petmem_populate_giant(struct petmem_process *process, u64 addr);

#endif /* PETMEM_GIANT_H */
