/* SPDX-License-Identifier: GPL-2.0 */
/*
 * slot.h - the slot: Linux's entry that leads to the region's PUD table.
 *
 * pgtables.h has the rules. Context of all functions, unless they say otherwise: the
 * caller holds the family's lock.
 */
#ifndef PETMEM_SLOT_H
#define PETMEM_SLOT_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * petmem_pgtables_prepare() - make sure that Linux's table with the slot exists
 * @mm: an address space that may be new
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep; the mmap lock of @mm is held for writing, the family's lock is not
 * held.
 */
int petmem_pgtables_prepare(struct mm_struct *mm);

/**
 * petmem_pgtables_attach() - put the empty region into an address space
 * @mm: a prepared address space
 *
 * Return: 0; -EBUSY when a table of Linux's is in the slot.
 * Context: the mmap lock of @mm is held for writing.
 */
int petmem_pgtables_attach(struct mm_struct *mm);

/**
 * petmem_pgtables_detach() - take the region out of an address space
 * @mm: the address space
 *
 * When this returns, no processor has a translation of the region any more.
 *
 * Return: the slot, to be shared with petmem_pgtables_share() or dropped with
 * petmem_gather_slot().
 * Context: may sleep. No walker of Linux's is in the region: the mmap lock of @mm is held
 * for writing, or @mm is at its end.
 */
u64 petmem_pgtables_detach(struct mm_struct *mm);

/**
 * petmem_pgtables_slot() - the slot of an address space
 * @mm: the address space
 *
 * Return: the value that petmem_pgtables_detach() would return; 0 when the region is not
 * reserved, or a fork has detached it for a moment.
 */
u64 petmem_pgtables_slot(struct mm_struct *mm);

/**
 * petmem_pgtables_share() - put a region into two address spaces
 * @parent: an address space that has the region, or from which it was detached
 * @child: a prepared address space
 * @slot: the slot of @parent
 *
 * When this returns, no processor can write to the region any more.
 *
 * Return: 0; -EBUSY when a table of Linux's is in the child's slot: then only the parent has
 * its region, as before.
 * Context: may sleep; the mmap locks of both are held for writing.
 */
int petmem_pgtables_share(struct mm_struct *parent, struct mm_struct *child,
			  u64 slot);

/**
 * petmem_slot_write() - set the slot of an address space
 * @mm: a prepared address space
 * @entry: the new value
 */
void petmem_slot_write(struct mm_struct *mm, u64 entry);

#endif /* PETMEM_SLOT_H */
