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
 * petmem_reservation_lock() - keep Linux's walkers out of the region
 * @process: the process
 *
 * Context: the process's mmap lock is held for writing. Releasing it undoes this.
 */
void petmem_reservation_lock(struct petmem_process *process);

/**
 * petmem_reservation_fault() - handle page faults, taking the locks for it
 * @process: the caller's process
 * @addr: any address
 * @end: address after the last page, a multiple of the page size
 * @error_code: PETMEM_FAULT_*
 *
 * Return: as petmem_handle_pagefaults(), except for -EAGAIN; -EINTR.
 * Context: process context, mmap lock not held.
 */
int petmem_reservation_fault(struct petmem_process *process, u64 addr, u64 end,
			     u32 error_code);

/**
 * petmem_reservation_notify() - tell other mmu notifiers that translations are gone
 * @process: the process; its region is reserved
 * @start: first address
 * @end: address after the last
 *
 * Virtual machines and devices that use a process's addresses keep translations of their
 * own. When this returns, they have dropped those of the range.
 *
 * Context: may sleep; the process's mmap lock or the VMA's lock is held, but no lock of
 * petmem's that an mmu notifier takes. Nothing is mapped in the range.
 */
void petmem_reservation_notify(struct petmem_process *process, u64 start,
			       u64 end);

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
