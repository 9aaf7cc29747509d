/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pgtables.h - the page tables of the region.
 *
 * The region is one slot of the address space's upper tables. Everything below the slot is
 * petmem's:
 *
 *   CR3 -> PGD (-> P4D) -> slot -> PUD table -> PMD table -> PTE table -> page
 *          Linux's          |      petmem's, from the pool |         \-> 2 MiB page
 *                                                           \-> 1 GiB page: giant_page.h
 *
 * An entry (Intel SDM volume 3A, section 4.5.4, tables 4-15 to 4-20):
 *
 *    63 62  59 58     52 51                      12 11   9 8 7 6 5 4 3 2 1 0
 *   +--+------+---------+--------------------------+------+-+-+-+-+-+-+-+-+-+
 *   |XD| key  | ignored | frame: physical address  | free |G|S|D|A|C|T|U|W|P|
 *   +--+------+---------+--------------------------+------+-+-+-+-+-+-+-+-+-+
 *
 *   P present   W writable   U user   A accessed   D dirty   S large page
 *   XD no instruction fetch; bit 9 of a leaf is Linux's _PAGE_SPECIAL: the page has no
 *   struct page, which keeps get_user_pages_fast() away. compat.h has the bits that do so
 *   for 2 MiB and 1 GiB pages, which are entries of PMD and PUD tables with bit S.
 *
 * A read-only leaf is not dirty either: to processors with shadow stacks, and so to
 * pte_write() and pmd_write() of Linux, read-only and dirty is another kind of writable.
 *
 * While the region is reserved, neither the slot nor an entry of a PUD table is ever
 * empty. Where nothing is mapped, they lead to two empty tables, one below the other, that
 * all processes share and that are read-only to the kernel. Linux looks at the tables
 * before it calls a fault operation. It never finds one missing, so it never adds one of
 * its own; and if it did by mistake, it would not reach the trees of other processes.
 *
 * After a fork, relatives share tables and pages. The count of a page or table is the
 * number of entries in all processes that point to it. Two rules keep shared memory from
 * being written:
 *
 *   - A PUD entry, or the slot, is writable only if its table's count is 1.
 *   - A page is not writable if its count, or that of the PTE table above it, is more
 *     than 1: a PUD entry or the slot on the path is read-only, or the page's leaf is.
 *     A PMD entry that leads to a table is always writable, because Linux takes a
 *     read-only one for a bad one (pmd_bad() in arch/x86/include/asm/pgtable.h).
 *
 * To write, a process makes its path private, from the top down. A table with a count of 1
 * is made writable again. A table with a larger count is unshared, which means replaced by
 * a copy. For a 1 GiB page, only the PMD table that it bypasses is made private. A shared
 * 2 MiB page can also be split: in the private table, a PTE table with its 512 pages takes
 * its place. The relatives keep the 2 MiB page. page.h says how its pages are counted.
 *
 * Linux's walkers (a fault of another thread, a reader of /proc/PID/smaps) hold a lock of
 * the mm that they walk, and may sleep inside of a table. A relative may free a table under
 * its own locks as soon as no other mm refers to it. So this rule keeps a table alive while
 * a walker can be inside of it:
 *
 *   An mm drops its reference to a table only while no walker of this mm can be in it:
 *   while the mm's mmap lock and the lock of the reservation's VMA are held for writing, or
 *   at the end of the mm, when nobody can reach the mm any more.
 *
 * A fault has these locks for reading only. So it adds tables, but replaces none.
 *
 * Locks. A path on which all tables have one owner belongs to one process until this process
 * forks. Entries of its PTE tables, and those entries of its PMD tables that lead to no table,
 * are changed with Linux's lock of the table (petmem_leaf_lock()), and so is the table's
 * petmem_page.live. All other changes are made with the family's lock. Adding a table to a PMD
 * table takes both. Entries and tables are removed only while the mm's mmap lock and the VMA's
 * lock are held for writing, so a walk that holds one of them for reading needs no other lock.
 *
 * Context of all functions, unless they say otherwise: the mmap lock or the lock of the
 * region's VMA is held, or the family's lock.
 */
#ifndef PETMEM_PGTABLES_H
#define PETMEM_PGTABLES_H

#include <linux/mm_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "entry.h"

struct petmem_account;
struct petmem_gather;

/**
 * petmem_pgtables_init() - make the two empty tables
 *
 * Context: module initialisation, no lock.
 */
void petmem_pgtables_init(void);

/**
 * petmem_pgtables_are_sealed() - are the two empty tables read-only?
 *
 * Return: false while the module is being initialised, and where the kernel does not make
 * a module's data read-only (for example if it was booted with rodata=off).
 */
bool petmem_pgtables_are_sealed(void);

/**
 * petmem_pgtables_protect() - write-protect all leaves
 * @slot: of a region that is detached, or that petmem_pgtables_share() is about to share
 *
 * Linux's fault handler and virtual machines look at nothing but the leaves.
 *
 * If the region is still attached, processors may keep translations that allow writing.
 * petmem_pgtables_share() write-protects the whole region and flushes them.
 *
 * Context: may sleep; the time is proportional to the number of pages that were written
 * since the last fork. The mmap lock is held for writing, which keeps the owner's faults out. The
 * family's lock need not be held: no table that is changed has another owner.
 */
void petmem_pgtables_protect(u64 slot);

/*
 * The lowest entry on the path to an address: of the PTE table, or where a large page or
 * nothing is mapped, of the table above.
 */
struct petmem_leaf {
	u64 *entry;
	u64 value; /* of the entry, when it was found */
	enum petmem_level
		level; /* of the entry's table; the size of the page */
	enum petmem_level private; /* from the PUD table to this one, tables have one owner */
	struct petmem_page *
		table; /* the record of the PTE table, if the entry is in one */
	bool shared; /* relatives share the table below those */
	bool writable; /* all entries above that lead to a table allow writing */
};

/**
 * petmem_pgtables_find() - find the entry of an address
 * @mm: the address space
 * @addr: an address of the region
 *
 * Return: the leaf. .private is PETMEM_LEVELS when no table on the path has one owner.
 */
struct petmem_leaf petmem_pgtables_find(struct mm_struct *mm, u64 addr);

/**
 * petmem_leaf_page() - the page of a leaf
 * @leaf: the leaf
 *
 * Return: physical address, or 0 if there is no page.
 */
uintptr_t petmem_leaf_page(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_page_at() - what a leaf's page has at an address
 * @leaf: the leaf
 * @addr: an address of the page
 *
 * Return: physical address of the byte at @addr, or 0 if there is no page.
 */
uintptr_t petmem_leaf_page_at(const struct petmem_leaf *leaf, u64 addr);

/**
 * petmem_leaf_is_writable() - can a leaf's page be written?
 * @leaf: the leaf
 */
static inline bool petmem_leaf_is_writable(const struct petmem_leaf *leaf)
{
	return leaf->writable && (leaf->value & _PAGE_RW);
}

/**
 * petmem_leaf_is_private() - can an entry of a certain level be set at once?
 * @leaf: the leaf
 * @level: the level
 *
 * Return: false when tables have to be added or made private first.
 */
static inline bool petmem_leaf_is_private(const struct petmem_leaf *leaf,
					  enum petmem_level level)
{
	return leaf->private <= level && leaf->level == level && leaf->writable;
}

/**
 * petmem_leaf_lock() - lock the table of a leaf
 * @leaf: the leaf
 *
 * Return: the lock, to be unlocked with spin_unlock(); NULL, with no lock held, when the entry
 * is not what it was when it was found.
 */
spinlock_t *petmem_leaf_lock(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_set() - enter a page, writable
 * @leaf: private and empty
 * @page_addr: physical address of a page of the leaf's size; the leaf takes over the
 *	caller's reference
 *
 * Return: 0; -EEXIST, with nothing changed, when the leaf is not empty any more.
 */
int petmem_leaf_set(const struct petmem_leaf *leaf, uintptr_t page_addr);

/**
 * petmem_pgtables_add() - add the tables that are missing on the path to an address
 * @mm: the address space
 * @account: the family's
 * @addr: an address of the region
 * @lowest: the level of the last table on the path: PETMEM_PTE, or PETMEM_PMD for a 2 MiB
 *	page that is to be entered
 * @leaf: what petmem_pgtables_find() returned; all tables on the path are private
 *
 * Return: 0; -ENOMEM, with nothing changed, when there are not enough pages; -EEXIST when
 * another thread has entered a larger page.
 * Context: may sleep; the family's lock is held.
 */
int petmem_pgtables_add(struct mm_struct *mm, struct petmem_account *account,
			u64 addr, enum petmem_level lowest,
			const struct petmem_leaf *leaf);

struct petmem_spare_tables;

/**
 * petmem_pgtables_add_from() - the same, with pages that were taken before
 * @mm: the address space
 * @addr: an address of the region
 * @lowest: as for petmem_pgtables_add()
 * @spares: enough pages
 *
 * Return: 0 or -EEXIST.
 * Context: the family's lock is held.
 */
int petmem_pgtables_add_from(struct mm_struct *mm, u64 addr,
			     enum petmem_level lowest,
			     struct petmem_spare_tables *spares);

#endif /* PETMEM_PGTABLES_H */
