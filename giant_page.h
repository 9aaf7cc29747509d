/* SPDX-License-Identifier: GPL-2.0 */
/*
 * giant_page.h - pages of 1 GiB: in the pool, and as entries of a PUD table that bypass
 * their PMD table.
 *
 *   PUD table        PMD table                    memory
 *   +---------+ bit S
 *   |  entry -+------------------------------> |            |
 *   +---------+      +-------------+           |   1 GiB    |
 *                    | 512 entries +---------> |            |
 *                    +-------------+
 *
 * The PMD table exists all the same, and it is full. It is counted, copied and freed as if
 * the entry led to it, and so are the 512 pages of 2 MiB that it points to. Splitting a
 * 1 GiB page means making the entry lead to the table. That changes no count and takes no
 * page, so it cannot fail. For the processors only the page size changes, and they may
 * learn that late (Intel SDM volume 3A, section 4.10.2.3).
 *
 * The table's entries are read-only as long as an entry bypasses them. The record of the
 * first 2 MiB page holds the address of the table.
 *
 * Context of all, unless they say otherwise: as in pgtables.h.
 */
#ifndef PETMEM_GIANT_PAGE_H
#define PETMEM_GIANT_PAGE_H

#include <linux/types.h>

/**
 * petmem_alloc_giant() - take an aligned 1 GiB for data, as 512 pages of 2 MiB
 *
 * It may lie in several adjacent donations of one node. Each of the 512 pages is as from
 * petmem_alloc_large().
 *
 * Return: physical address; 0 when there is no such memory.
 * Context: may sleep; no family's lock is held.
 */
uintptr_t petmem_alloc_giant(void);

/**
 * petmem_giant_mark() - find out which GiB are whole, after extents came or went
 * @start: physical address of the change
 * @end: the address after it
 *
 * Context: petmem_extents_mutex and petmem_pool.lock are held.
 */
void petmem_giant_mark(u64 start, u64 end);

/**
 * petmem_giant_bypassed() - the entry for the PMD table that an entry of a PUD table bypasses
 * @entry: present
 *
 * Return: an entry that leads to the PMD table, writable if @entry is; @entry itself when it
 * is not a page.
 */
u64 petmem_giant_bypassed(u64 entry);

/**
 * petmem_giant_enter() - enter a 1 GiB page, writable
 * @entry: leads to an empty PMD table that nobody shares
 * @page_addr: physical address of 512 pages of 2 MiB; the caller's references to them
 *	go into the table
 *
 * Context: the locks keep Linux's walkers out of the region, except for lockless walkers,
 * which read an entry once. A table that a walker has found stays a table while it looks.
 */
void petmem_giant_enter(u64 *entry, uintptr_t page_addr);

/**
 * petmem_giant_split() - split a 1 GiB page
 * @entry: the page's entry of a PUD table; the caller replaces it
 *
 * Return: an entry that leads to the PMD table and allows the same writes.
 */
u64 petmem_giant_split(u64 entry);

/**
 * petmem_giant_share() - add an owner to a 1 GiB page whose entry is copied
 * @entry: the page's entry of a PUD table; becomes read-only, as the copy does
 */
void petmem_giant_share(u64 *entry);

/**
 * petmem_giant_drop() - stop counting a 1 GiB page whose entry was removed
 * @entry: the removed entry
 *
 * Return: an entry that leads to the PMD table; the caller gets its reference.
 */
u64 petmem_giant_drop(u64 entry);

/**
 * petmem_giant_count() - the number of entries that are 1 GiB pages
 *
 * Context: any.
 */
u64 petmem_giant_count(void);

#endif /* PETMEM_GIANT_PAGE_H */
