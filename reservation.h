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
 * petmem_reservation_make() - have the region of the caller reserved
 * @file: an open /dev/petmem
 * @native: how faults are to come in
 *
 * Return: 0, also when it is there already and in this way. -EBUSY when it is there in
 * the other way, or there is a page table of Linux's. -EEXIST when something else is
 * in the region, -EAGAIN when another thread unmapped it just now, -EOPNOTSUPP for
 * native faults on a kernel without what they need, -ENOMEM, -EINTR.
 * Context: process context, mmap lock not held.
 */
int petmem_reservation_make(struct file *file, bool native);

/**
 * petmem_reservation_lock() - keep Linux's walkers out of the region
 * @process: whose
 *
 * Context: the mmap lock is held for writing, and releasing it undoes this.
 */
void petmem_reservation_lock(struct petmem_process *process);

/**
 * petmem_reservation_fault() - petmem_handle_pagefault(), for who has no lock
 * @process: who; the caller's
 * @addr: any address
 * @end: address behind the last page that faults, a multiple of the page size
 * @error_code: PETMEM_FAULT_*
 *
 * Return: as petmem_handle_pagefault(), of the first that fails, but for -EAGAIN; -EINTR.
 * Context: process context, mmap lock not held.
 */
int petmem_reservation_fault(struct petmem_process *process, u64 addr, u64 end,
			     u32 error_code);

/**
 * petmem_reservation_notify() - translations are gone: tell the other notifiers
 * @process: whose; its region is reserved
 * @start: first address
 * @end: address behind the last
 *
 * Virtual machines and devices that work on a process's addresses keep translations
 * of their own. They have dropped those of the range when this returns.
 *
 * Context: may sleep; the mmap lock or the VMA's is held; no lock of petmem's that an
 * mmu notifier takes. Nothing is mapped in the range.
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
