/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cleaner.h - clear free pages ahead of time: see zero.h.
 */
#ifndef PETMEM_CLEANER_H
#define PETMEM_CLEANER_H

/**
 * petmem_cleaner_init() - start the cleaner
 *
 * Return: 0 or a negative errno.
 * Context: module initialisation.
 */
int petmem_cleaner_init(void);

/** petmem_cleaner_exit() - stop the cleaner, and wait until it has stopped */
void petmem_cleaner_exit(void);

#endif /* PETMEM_CLEANER_H */
