/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cleaner.h - free pages are cleared ahead, so that a fault need not do it.
 */
#ifndef PETMEM_CLEANER_H
#define PETMEM_CLEANER_H

/**
 * petmem_cleaner_init() - start it
 *
 * Return: 0, or why not.
 * Context: module initialisation.
 */
int petmem_cleaner_init(void);

/** petmem_cleaner_exit() - stop it, and wait until it has stopped. */
void petmem_cleaner_exit(void);

/**
 * petmem_cleaner_wake() - pages were freed
 *
 * Context: any but interrupts.
 */
void petmem_cleaner_wake(void);

#endif /* PETMEM_CLEANER_H */
