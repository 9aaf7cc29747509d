/* SPDX-License-Identifier: GPL-2.0 */
/*
 * giant_table.h - 1 GiB pages in the page tables of an address space.
 *
 * Context of all functions, unless they say otherwise: the family's lock is held.
 */
#ifndef PETMEM_GIANT_TABLE_H
#define PETMEM_GIANT_TABLE_H

#include <linux/mm_types.h>
#include <linux/types.h>

struct petmem_account;
struct petmem_gather;

/**
 * petmem_pgtables_is_empty() - is nothing mapped in an aligned 1 GiB?
 * @mm: the address space
 * @addr: an address of it
 */
bool petmem_pgtables_is_empty(struct mm_struct *mm, u64 addr);

/**
 * petmem_pgtables_set_giant() - enter a 1 GiB page, writable
 * @mm: the address space
 * @account: the family's
 * @addr: address, a multiple of 1 GiB
 * @page_addr: physical address; the tables take over the caller's reference
 * @replaced: as for petmem_pgtables_unshare()
 *
 * Return: 0; -EEXIST when something is mapped there; -ENOMEM when the pool has no pages
 * for the tables.
 * Context: may sleep. The mmap lock and the VMA's lock are held for writing, because Linux
 * must not find a page where it has just seen a table.
 */
int petmem_pgtables_set_giant(struct mm_struct *mm,
			      struct petmem_account *account, u64 addr,
			      uintptr_t page_addr,
			      struct petmem_gather *replaced);

/**
 * petmem_pgtables_split() - split all 1 GiB pages in a range
 * @mm: the address space
 * @start: first address, in the region
 * @end: address after the last, in the region
 */
void petmem_pgtables_split(struct mm_struct *mm, u64 start, u64 end);

#endif /* PETMEM_GIANT_TABLE_H */
