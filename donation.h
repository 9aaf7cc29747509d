/* SPDX-License-Identifier: GPL-2.0 */
/*
 * donation.h - memory on its way from Linux into the pool, and back.
 */
#ifndef PETMEM_DONATION_H
#define PETMEM_DONATION_H

#include "petmem.h"

/**
 * petmem_donate() - take offline memory into the pool
 * @extent: which
 *
 * What the caller says is checked, not believed: whole memory blocks of real RAM
 * that Linux has offline, maps, does not keep its own page structs in, and that belong to
 * no driver. Pages of them that have failed are donated as such.
 *
 * Return: 0 or an error as petmem.h lists them for PETMEM_IOC_DONATE.
 * Context: may sleep; the caller has checked the privilege.
 */
int petmem_donate(const struct petmem_extent *extent);

/**
 * petmem_release() - take back a donation; its memory may go online again
 * @extent: which
 *
 * Return: 0 or an error as petmem.h lists them for PETMEM_IOC_RELEASE.
 * Context: may sleep; the caller has checked the privilege.
 */
int petmem_release(const struct petmem_extent *extent);

/**
 * petmem_donation_init() - begin to guard donated memory
 *
 * From here on the machine does not hibernate while there is some, for what is offline is
 * not saved, and pages of it that fail are noticed.
 *
 * Return: 0 or a negative errno.
 */
int petmem_donation_init(void);

/** petmem_donation_exit() - undo petmem_donation_init(). */
void petmem_donation_exit(void);

#endif /* PETMEM_DONATION_H */
