/* SPDX-License-Identifier: GPL-2.0 */
/*
 * reservation.h - the mapping of the device that covers the region.
 */
#ifndef PETMEM_RESERVATION_H
#define PETMEM_RESERVATION_H

#include <linux/fs.h>
#include <linux/mm_types.h>
#include <linux/types.h>

struct petmem_process;

/**
 * petmem_reservation_make() - reserve the region in the caller's address space
 * @file: an open /dev/petmem
 * @native: the fault mode
 *
 * Return: 0, also when it is reserved already in this mode. -EBUSY when it is reserved in
 * the other mode, or contains a page table of Linux's. -EEXIST when something else is
 * in the region, -EAGAIN when another thread unmapped it just now, -EOPNOTSUPP for
 * native faults on a kernel without what they need, -ENOMEM, -EINTR.
 * Context: process context, mmap lock not held.
 */
int petmem_reservation_make(struct file *file, bool native);

/**
 * petmem_reservation_mmap() - the mmap operation of /dev/petmem
 * @file: the open device
 * @vma: must be the whole region, shared; without any access: faults raise signals;
 *	readable and writable: faults are native
 *
 * Return: 0, -EINVAL, -EBUSY, -EOPNOTSUPP, -ENOMEM.
 * Context: the mmap lock is held for writing.
 */
int petmem_reservation_mmap(struct file *file, struct vm_area_struct *vma);

/**
 * petmem_reservation_get_unmapped_area() - where a mapping of /dev/petmem may lie
 * @file: the open device
 * @addr: where it is wanted
 * @len: in bytes
 * @pgoff: in pages
 * @flags: MAP_*
 *
 * At one place only. mremap() asks too, before it moves anything.
 *
 * Return: the place, or -EINVAL.
 * Context: the mmap lock is held for writing.
 */
unsigned long petmem_reservation_get_unmapped_area(struct file *file,
						   unsigned long addr,
						   unsigned long len,
						   unsigned long pgoff,
						   unsigned long flags);

#endif /* PETMEM_RESERVATION_H */
