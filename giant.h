/* SPDX-License-Identifier: GPL-2.0 */
/*
 * giant.h - 1 GiB pages in the page tables: entries of a PUD table that lead past
 * their PMD table.
 *
 *   PUD table        PMD table                    memory
 *   +---------+ bit S
 *   |  entry -+------------------------------> |            |
 *   +---------+      +-------------+           |   1 GiB    |
 *                    | 512 entries +---------> |            |
 *                    +-------------+
 *
 * The PMD table is there all the same, and full: it is counted, copied and freed as if
 * the entry led to it, and so are the 512 pages of 2 MiB that it points to. To split a
 * 1 GiB page is to have the entry lead to the table: no count changes, nothing is
 * needed for it, and so it cannot fail. For the processors only the size of a page
 * changes, which they may learn late (Intel SDM volume 3A, section 4.10.2.3).
 *
 * The table's entries say read-only as long as something leads past them.
 *
 * Context of all: as in pgtables.h.
 */
#ifndef PETMEM_GIANT_H
#define PETMEM_GIANT_H

#include <linux/types.h>

/**
 * petmem_giant_table() - the entry that an entry of a PUD table stands for
 * @entry: present
 *
 * Return: one that leads to the PMD table, writable if @entry is; @entry itself when it
 * is no page.
 */
u64 petmem_giant_table(u64 entry);

/**
 * petmem_giant_enter() - enter a 1 GiB page, writable
 * @entry: leads to an empty PMD table that nobody shares
 * @page_addr: physical address of 512 pages of 2 MiB; the caller's references to them
 *	go into the table
 *
 * Context: nothing of Linux's walks the region, but for lockless walkers, which read an
 * entry once: what Linux has seen to be a table stays one as long as it looks.
 */
void petmem_giant_enter(u64 *entry, uintptr_t page_addr);

/**
 * petmem_giant_split() - what has to take the place of an entry that is a 1 GiB page
 * @entry: of a PUD table
 *
 * Return: an entry that leads to the PMD table, by which the same can be written.
 */
u64 petmem_giant_split(u64 entry);

/**
 * petmem_giant_share() - a copy of an entry that is a 1 GiB page is made
 * @entry: of a PUD table; read-only from now on, as its copy is
 */
void petmem_giant_share(u64 *entry);

/**
 * petmem_giant_drop() - an entry that is a 1 GiB page is gone
 * @entry: that
 *
 * Return: an entry that leads to the PMD table, whose reference is the caller's.
 */
u64 petmem_giant_drop(u64 entry);

/**
 * petmem_giant_count() - how many entries are 1 GiB pages?
 *
 * Context: any.
 */
u64 petmem_giant_count(void);

#endif /* PETMEM_GIANT_H */
