/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unshare.h - copy-on-write in the page tables: tables and pages that relatives share.
 *
 * pgtables.h has the rules.
 */
#ifndef PETMEM_UNSHARE_H
#define PETMEM_UNSHARE_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "pgtables.h"

struct petmem_account;
struct petmem_gather;

/**
 * petmem_pgtables_make_private() - make the path to an address private
 * @mm: the address space
 * @account: the family's
 * @addr: an address of the region
 * @lowest: the level of the last table on the path: PETMEM_PTE, or PETMEM_PMD for a 2 MiB
 *	page that is there or is to be entered
 * @leaf: what petmem_pgtables_find() returned
 * @replaced: gets the references to the replaced tables; NULL: replace none
 *
 * Missing tables are made, and tables with one owner are made writable. Pages on the path
 * that are larger than @lowest are split.
 *
 * Return: 0; with nothing changed: -ENOMEM when there are not enough pages, -EAGAIN when a
 * table is shared and has to be unshared first, with petmem_pgtables_unshare() (there were
 * enough pages for that a moment ago); -EEXIST when another thread has entered a larger
 * page.
 * Context: may sleep; the family's lock is held.
 */
int petmem_pgtables_make_private(struct mm_struct *mm,
				 struct petmem_account *account, u64 addr,
				 enum petmem_level lowest,
				 const struct petmem_leaf *leaf,
				 struct petmem_gather *replaced);

/**
 * petmem_pgtables_unshare() - unshare the tables on the path to an address
 * @mm: the address space
 * @account: the family's
 * @addr: an address of the region
 * @replaced: with room for one path; gets the references to the replaced tables
 *
 * Missing tables stay missing. A 1 GiB page whose table is shared is split. When this
 * returns, no processor has anything of a replaced table cached, but walkers of Linux's may
 * be inside of it: see the rule in pgtables.h.
 *
 * Return: 0; -ENOMEM, with nothing changed, when there are not enough pages.
 * Context: may sleep; the family's lock is held.
 */
int petmem_pgtables_unshare(struct mm_struct *mm,
			    struct petmem_account *account, u64 addr,
			    struct petmem_gather *replaced);

/**
 * petmem_leaf_is_shared() - does a relative share a part of a leaf's page?
 * @leaf: the leaf of a page
 * @addr: an address of the page
 * @level: the part: the 4 KiB or the 2 MiB at @addr
 *
 * Return: when false, it stays false until the owner forks.
 */
bool petmem_leaf_is_shared(const struct petmem_leaf *leaf, u64 addr,
			   enum petmem_level level);

/**
 * petmem_leaf_allow_write() - make a page writable
 * @leaf: private; nobody shares the page
 *
 * Return: 0; -EEXIST, with nothing changed, when the leaf has changed.
 */
int petmem_leaf_allow_write(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_get() - take a reference to a page, to copy it
 * @leaf: the leaf of a page, not of 1 GiB
 *
 * Return: physical address of the page; 0 when the leaf has changed.
 */
uintptr_t petmem_leaf_get(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_replace() - replace a page by its copy, writable
 * @leaf: private, not writable
 * @mm: the address space
 * @addr: an address of the page
 * @page_addr: physical address of the copy; the leaf takes over the caller's reference
 *
 * No processor has a translation to the old page when this returns, nor when the first
 * write to the copy is made. The caller gets the reference to the old page.
 *
 * Return: 0; -EEXIST, with nothing changed, when the leaf has changed.
 * Context: interrupts are on.
 */
int petmem_leaf_replace(const struct petmem_leaf *leaf, struct mm_struct *mm,
			u64 addr, uintptr_t page_addr);

/**
 * petmem_leaf_take() - remove a page that will be replaced
 * @leaf: private; empty afterwards
 * @mm: the address space
 * @addr: an address of the page
 *
 * When this returns, no processor has a translation. Until petmem_leaf_set(), a fault finds
 * no page there. The caller gets the reference to the page.
 *
 * Return: 0; -EEXIST, with nothing changed, when the leaf has changed.
 * Context: interrupts are on.
 */
int petmem_leaf_take(struct petmem_leaf *leaf, struct mm_struct *mm, u64 addr);

/**
 * petmem_pgtables_replace_entry() - replace an entry by one that leads to a table
 * @mm: the address space
 * @addr: an address below the entry
 * @entry: leads to a large page, or to another table
 * @level: of the table that the entry is in
 * @new: the new value
 *
 * Context: interrupts are on; the family's lock is held.
 */
void petmem_pgtables_replace_entry(struct mm_struct *mm, u64 addr, u64 *entry,
				   enum petmem_level level, u64 new);

#endif /* PETMEM_UNSHARE_H */
