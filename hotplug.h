/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hotplug.h - keep Linux's memory hotplug away from donated memory.
 */
#ifndef PETMEM_HOTPLUG_H
#define PETMEM_HOTPLUG_H

#include <linux/types.h>

/**
 * petmem_hotplug_claim() - claim offline memory blocks
 * @start: physical address, a multiple of the memory block size
 * @size: in bytes, a multiple of the memory block size
 *
 * From now on, Linux neither brings the blocks online nor lets them be unplugged. It refuses
 * before it has written to any of their struct pages.
 *
 * Return: 0; -EBUSY when one of them is online, or claimed already; -EOPNOTSUPP when
 * Linux has no device for one of them.
 * Context: may sleep; no lock of the pool is held, because Linux may hold a block's
 * device lock while the memory notifier takes one.
 */
int petmem_hotplug_claim(u64 start, u64 size);

/**
 * petmem_hotplug_unclaim() - undo petmem_hotplug_claim()
 * @start: as for the claim
 * @size: as for the claim
 *
 * Context: as for petmem_hotplug_claim().
 */
void petmem_hotplug_unclaim(u64 start, u64 size);

/**
 * petmem_hotplug_nr_failed() - the number of failed pages, as Linux counts them
 * @start: physical address of claimed blocks
 * @size: of the blocks, in bytes
 *
 * Return: negative where this kernel does not count them.
 * Context: may sleep.
 */
long petmem_hotplug_nr_failed(u64 start, u64 size);

/**
 * petmem_hotplug_init() - begin to refuse attempts that come in spite of a claim
 *
 * Return: 0 or a negative errno.
 */
int petmem_hotplug_init(void);

/** petmem_hotplug_exit() - undo petmem_hotplug_init() */
void petmem_hotplug_exit(void);

#endif /* PETMEM_HOTPLUG_H */
