/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unmap.h - unmap a range of the region. pgtables.h has the rules. Context of all functions:
 * the family's lock is held.
 */
#ifndef PETMEM_UNMAP_H
#define PETMEM_UNMAP_H

#include <linux/mm_types.h>
#include <linux/types.h>

struct petmem_account;
struct petmem_gather;

/**
 * petmem_pgtables_unshare_edges() - unshare the tables that a range covers in part
 * @mm: the address space
 * @account: the family's
 * @start: first address, page-aligned, in the region
 * @end: address after the last, page-aligned
 * @replaced: as for petmem_pgtables_unshare(), with room for two paths
 *
 * A table in which no page of the range is mapped stays as it is.
 *
 * Return: 0; -ENOMEM when a table has to be copied and there is no page for it.
 * Context: may sleep; the mmap lock is held for writing.
 */
int petmem_pgtables_unshare_edges(struct mm_struct *mm,
				  struct petmem_account *account, u64 start,
				  u64 end, struct petmem_gather *replaced);

/**
 * petmem_pgtables_unmap() - unmap all pages of a range
 * @mm: the address space
 * @start: first address, page-aligned, in the region
 * @end: address after the last, page-aligned; petmem_pgtables_unshare_edges() came before
 * @gather: empty; gets the references
 *
 * When this returns, no processor has a translation of the unmapped part.
 *
 * Return: @end, or the address where to continue when @gather is full.
 * Context: may sleep. The mmap lock and the VMA's lock are held for writing, which keeps
 * Linux's walkers out of the tables until they are freed. Lockless walkers have interrupts
 * off, so the shootdown waits for them.
 */
u64 petmem_pgtables_unmap(struct mm_struct *mm, u64 start, u64 end,
			  struct petmem_gather *gather);

#endif /* PETMEM_UNMAP_H */
