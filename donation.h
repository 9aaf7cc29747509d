/* SPDX-License-Identifier: GPL-2.0 */
/*
 * donation.h - memory on its way from Linux into the pool, and back.
 */
#ifndef PETMEM_DONATION_H
#define PETMEM_DONATION_H

#include "petmem.h"

/**
 * petmem_donate() - take offline memory into the pool
 * @extent: the memory
 *
 * The extent is checked. It has to be whole memory blocks of real RAM, offline, in the
 * direct map, without the struct pages of the memory in it, and not a driver's. Pages in
 * it that have failed are donated as failed pages.
 *
 * Return: 0 or an error as petmem.h lists them for PETMEM_IOC_DONATE.
 * Context: may sleep; the caller has checked the privilege.
 */
int petmem_donate(const struct petmem_extent *extent);

/**
 * petmem_release() - give a donation back to Linux, which may bring it online again
 * @extent: exactly as it was donated
 *
 * Return: 0 or an error as petmem.h lists them for PETMEM_IOC_RELEASE.
 * Context: may sleep; the caller has checked the privilege.
 */
int petmem_release(const struct petmem_extent *extent);

/**
 * petmem_donation_init() - begin to guard donated memory
 *
 * From now on, the machine does not hibernate while memory is donated, because hibernation
 * does not save offline memory; and pages that fail are noticed.
 *
 * Return: 0 or a negative errno.
 */
int petmem_donation_init(void);

/** petmem_donation_exit() - undo petmem_donation_init(). */
void petmem_donation_exit(void);

#endif /* PETMEM_DONATION_H */
