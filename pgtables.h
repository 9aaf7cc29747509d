/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pgtables.h - the page tables of the region.
 *
 * The region is one slot of the address space's upper tables. All below it is ours:
 *
 *   CR3 -> PGD (-> P4D) -> slot -> PUD table -> PMD table -> PTE table -> page
 *          Linux's          |      petmem's, from the pool |         \-> 2 MiB page
 *                                                           \-> 1 GiB page: giant.h
 *
 * An entry (Intel SDM volume 3A, section 4.5.4, tables 4-15 to 4-20):
 *
 *    63 62  59 58     52 51                      12 11   9 8 7 6 5 4 3 2 1 0
 *   +--+------+---------+--------------------------+------+-+-+-+-+-+-+-+-+-+
 *   |XD| key  | ignored | frame: physical address  | free |G|S|D|A|C|T|U|W|P|
 *   +--+------+---------+--------------------------+------+-+-+-+-+-+-+-+-+-+
 *
 *   P present   W writable   U user   A accessed   D dirty   S large page
 *   XD no instruction fetch; bit 9 of a leaf is Linux's _PAGE_SPECIAL: "no struct
 *   page stands behind it", which keeps get_user_pages_fast() away. What does so for
 *   2 MiB and 1 GiB, entries of PMD and PUD tables with bit S, is in compat.h.
 *
 * A leaf that is not writable does not say dirty either: to processors with shadow
 * stacks, and so to pte_write() and pmd_write() of Linux, that is another kind of
 * writable.
 *
 * The slot is never empty while the region is reserved, and no entry of a PUD table
 * is: where nothing is mapped they lead to two tables, one below the other, that are
 * empty, shared by all, and read-only to the kernel. So Linux, which looks at the tables
 * before it calls a fault operation, never finds one missing and never adds one of its
 * own; and if it did by mistake, it would not get into the trees of other processes.
 *
 * After a fork relatives share tables and pages. A page's count is the number of
 * entries that point to it, whoever's they are. Two rules keep what is shared from
 * being written:
 *
 *   - A PUD entry, or the slot, is writable only if its table's count is 1.
 *   - A page that has a count above 1, or is reached by way of a PTE table that has,
 *     is not writable: either some PUD entry or slot on the way is not, or its own
 *     leaf is not. A PMD entry that leads to a table always says writable, because
 *     Linux takes one that does not for a bad one (pmd_bad() in
 *     arch/x86/include/asm/pgtable.h).
 *
 * To write, a process makes its path private from the top: a table with a count of 1 is
 * made writable again, a table with more is unshared, that is, replaced by a copy. Of a
 * 1 GiB page only the PMD table with 512 pages behind it is made private. A 2 MiB page
 * that is shared can also be split: in the private table a PTE table with its 512 pages
 * takes its place. They stay as they are to the relatives, and pool.h says how they are
 * counted.
 *
 * Linux's walkers (a fault of another thread, a reader of /proc/PID/smaps) hold a lock
 * of their own mm, and may sleep inside of a table. A relative may free a table under
 * its own locks as soon as no other mm refers to it. Hence the rule that keeps a table
 * alive as long as anybody can be inside of it:
 *
 *   An mm drops its reference to a table only while no walker of that mm is under way:
 *   with its mmap lock, and the lock of the reservation's VMA, held for writing; or at
 *   its end, when nobody can get at it any more.
 *
 * So a fault, which has these locks for reading only, adds tables but replaces none.
 *
 * Context of all, where nothing else is said: the caller holds the lock of the family,
 * which serialises all that is done to the region of any of its members.
 */
#ifndef PETMEM_PGTABLES_H
#define PETMEM_PGTABLES_H

#include <linux/mm_types.h>
#include <linux/types.h>

struct petmem_account;

/**
 * petmem_pgtables_init() - make the two empty tables
 *
 * Context: module initialisation, no lock.
 */
void petmem_pgtables_init(void);

/**
 * petmem_pgtables_are_sealed() - can nobody write to the two empty tables?
 *
 * Return: false while the module is being initialised, and where the kernel does not
 * make a module's data read-only (booted with rodata=off, say).
 */
bool petmem_pgtables_are_sealed(void);

/**
 * petmem_pgtables_prepare() - have the table of Linux's that the slot is in
 * @mm: an address space that may be new
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep; the mmap lock of @mm is held for writing, the family's is not.
 */
int petmem_pgtables_prepare(struct mm_struct *mm);

/**
 * petmem_pgtables_attach() - put the empty region into an address space
 * @mm: a prepared address space
 *
 * Return: 0; -EBUSY when there is a table of Linux's in the slot.
 * Context: the mmap lock of @mm is held for writing.
 */
int petmem_pgtables_attach(struct mm_struct *mm);

/**
 * petmem_pgtables_detach() - take the region out of an address space
 * @mm: the address space
 *
 * No processor has a translation of the region any more when this returns.
 *
 * Return: the slot, to share with petmem_pgtables_share(), or to drop with
 * petmem_gather_slot().
 * Context: may sleep. Nothing of Linux's walks the region: the mmap lock of @mm is
 * held for writing, or it is the end of @mm.
 */
u64 petmem_pgtables_detach(struct mm_struct *mm);

/**
 * petmem_pgtables_slot() - what petmem_pgtables_detach() would return
 * @mm: the address space
 */
u64 petmem_pgtables_slot(struct mm_struct *mm);

/**
 * petmem_pgtables_protect() - write-protect all leaves
 * @slot: of a region that is detached, or that petmem_pgtables_share() is about to share
 *
 * Linux's fault handler and virtual machines look at nothing but the leaves.
 *
 * If the region is still attached, processors may keep translations that allow writing.
 * petmem_pgtables_share() write-protects the whole region and flushes them.
 *
 * Context: may sleep, and takes time in proportion to the pages written since the last
 * fork. The mmap lock is held for writing, which keeps the owner's faults out. The
 * family's lock need not be held: no table that is changed has another owner.
 */
void petmem_pgtables_protect(u64 slot);

/**
 * petmem_pgtables_share() - put a region into two address spaces
 * @parent: where it is, or was detached from
 * @child: a prepared address space
 * @slot: of @parent
 *
 * No processor can write to the region any more when this returns.
 *
 * Return: 0; -EBUSY when there is a table of Linux's in the child's slot; then the
 * parent alone has its region as before.
 * Context: may sleep; the mmap locks of both are held for writing.
 */
int petmem_pgtables_share(struct mm_struct *parent, struct mm_struct *child,
			  u64 slot);

/* Where the page behind an address is entered. */
struct petmem_leaf {
	u64 *entry; /* of a PTE table, or of a large page; NULL when there is none */
	bool private; /* all tables on the way have one owner, and say writable */
	bool large; /* it is of a 2 MiB page, or a larger one */
	bool giant; /* of a 1 GiB page; to change it, have it split */
};

/**
 * petmem_pgtables_find() - find the entry of an address
 * @mm: the address space
 * @addr: an address of the region
 */
struct petmem_leaf petmem_pgtables_find(struct mm_struct *mm, u64 addr);

/**
 * petmem_pgtables_is_shared() - does anybody else see the page behind an address?
 * @mm: the address space
 * @addr: an address where a page is mapped
 * @large: or, of a 2 MiB page, any page of it
 */
bool petmem_pgtables_is_shared(struct mm_struct *mm, u64 addr, bool large);

/**
 * petmem_pgtables_make_private() - make the path to an address private
 * @mm: the address space
 * @account: the family's
 * @addr: an address of the region
 * @large: for a 2 MiB page, where there is one, or nothing
 * @leaf: set when it has succeeded
 *
 * Missing tables are made, and those with one owner are made writable. A 1 GiB page that
 * is there is split, and for a 4 KiB page a 2 MiB page.
 *
 * Return: 0; with nothing changed: -ENOMEM when there are not enough pages for it,
 * -EAGAIN when a table is shared and petmem_pgtables_unshare() has to come first;
 * there were enough pages for that a moment ago.
 * Context: may sleep.
 */
int petmem_pgtables_make_private(struct mm_struct *mm,
				 struct petmem_account *account, u64 addr,
				 bool large, struct petmem_leaf *leaf);

/*
 * References that have been taken out of tables, and are still held. A few have room
 * in it; for more there is an array, if there was memory for it.
 */
#define PETMEM_GATHER_FEW 32

struct petmem_gather {
	u64 *entries;
	unsigned int nr;
	unsigned int max;
	u64 few[PETMEM_GATHER_FEW];
	struct petmem_gather *next; /* in a list of the owner's */
};

/** petmem_gather_few() - make room for what one path can have. */
void petmem_gather_few(struct petmem_gather *gather);

/**
 * petmem_gather_init() - make room for what one range can have
 * @gather: what to set up
 * @start: first address
 * @end: address behind the last
 *
 * Context: may sleep; no lock that memory reclaim may take is held.
 */
void petmem_gather_init(struct petmem_gather *gather, u64 start, u64 end);

/** petmem_gather_exit() - undo petmem_gather_init(); nothing is held any more. */
void petmem_gather_exit(struct petmem_gather *gather);

/**
 * petmem_gather_slot() - take what petmem_pgtables_detach() returned
 * @gather: what to set up
 * @slot: a slot that is in no address space any more, or 0
 */
void petmem_gather_slot(struct petmem_gather *gather, u64 slot);

/**
 * petmem_gather_put() - drop the references, some at a time
 * @gather: the references
 * @freed: set to the number of pages that became free, of data and of tables
 *
 * Pages and tables that nobody else refers to go back to the pool: not many more than
 * a page table has entries, so that others soon get the family's lock.
 *
 * Return: true when there are more.
 * Context: may sleep.
 */
bool petmem_gather_put(struct petmem_gather *gather, u64 *freed);

/**
 * petmem_pgtables_unshare() - unshare the tables on the path to an address
 * @mm: the address space
 * @account: the family's
 * @addr: an address of the region
 * @replaced: with room for what one path has; the references to the tables that were
 *	replaced go there
 *
 * No table is made where there is none. A 1 GiB page whose table is shared is split. No
 * processor has anything of a replaced table cached when this returns, but walkers of
 * Linux's may be inside of it: see the rule at the top.
 *
 * Return: 0; -ENOMEM, with nothing changed, when there are not enough pages.
 * Context: may sleep.
 */
int petmem_pgtables_unshare(struct mm_struct *mm,
			    struct petmem_account *account, u64 addr,
			    struct petmem_gather *replaced);

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
 * @addr: where, a multiple of 1 GiB
 * @page_addr: physical address; the caller's reference goes into the tables
 * @replaced: as for petmem_pgtables_unshare()
 *
 * Return: 0; -EEXIST when something is mapped there; -ENOMEM when the pool has no pages
 * for the tables.
 * Context: may sleep. The mmap lock is held for writing, and the VMA's too, for
 * Linux must not find a page where it has just seen a table.
 */
int petmem_pgtables_set_giant(struct mm_struct *mm,
			      struct petmem_account *account, u64 addr,
			      uintptr_t page_addr,
			      struct petmem_gather *replaced);

/**
 * petmem_pgtables_split() - have no 1 GiB pages in a range
 * @mm: the address space
 * @start: first address, in the region
 * @end: address behind the last, in the region
 */
void petmem_pgtables_split(struct mm_struct *mm, u64 start, u64 end);

/**
 * petmem_leaf_page() - which page is entered?
 * @leaf: where to look
 *
 * Return: its physical address, or 0.
 */
uintptr_t petmem_leaf_page(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_size() - how large is the page?
 * @leaf: where to look
 */
u64 petmem_leaf_size(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_is_writable() - can the page be written?
 * @leaf: where to look
 */
bool petmem_leaf_is_writable(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_set() - enter a page, writable
 * @leaf: private, and empty
 * @page_addr: physical address of a page of its size; the caller's reference goes into
 *	it
 */
void petmem_leaf_set(const struct petmem_leaf *leaf, uintptr_t page_addr);

/**
 * petmem_leaf_take() - take away a page, to replace it
 * @leaf: private
 * @mm: the address space
 * @addr: an address of the page, a multiple of 4 KiB
 *
 * No processor has a translation when this returns. Whoever faults there finds
 * nothing, until petmem_leaf_set().
 *
 * Return: physical address of the page; the reference is the caller's.
 * Context: may sleep.
 */
uintptr_t petmem_leaf_take(const struct petmem_leaf *leaf, struct mm_struct *mm,
			   u64 addr);

/**
 * petmem_leaf_replace() - enter a copy of a page in its place, writable
 * @leaf: private, and not writable
 * @mm: the address space
 * @addr: an address of the page, a multiple of 4 KiB
 * @page_addr: physical address of the copy; the caller's reference goes into it
 *
 * No processor has a translation to the old page when this returns, or when the first
 * write to the copy is made.
 *
 * Return: physical address of the old page; the reference is the caller's.
 * Context: may sleep.
 */
uintptr_t petmem_leaf_replace(const struct petmem_leaf *leaf,
			      struct mm_struct *mm, u64 addr,
			      uintptr_t page_addr);

/**
 * petmem_leaf_allow_write() - make a page writable
 * @leaf: private; nobody shares the page
 */
void petmem_leaf_allow_write(const struct petmem_leaf *leaf);

/**
 * petmem_pgtables_part() - unshare the tables of which a range covers a part
 * @mm: the address space
 * @account: the family's
 * @start: first address, page-aligned, in the region
 * @end: address behind the last, page-aligned
 * @replaced: as for petmem_pgtables_unshare(), with room for two paths
 *
 * A table in which nothing of the range is mapped stays as it is.
 *
 * Return: 0; -ENOMEM when a table has to be copied and there is no page for it.
 * Context: may sleep; the mmap lock is held for writing.
 */
int petmem_pgtables_part(struct mm_struct *mm, struct petmem_account *account,
			 u64 start, u64 end, struct petmem_gather *replaced);

/**
 * petmem_pgtables_unmap() - take away what is mapped in a range
 * @mm: the address space
 * @start: first address, page-aligned, in the region
 * @end: address behind the last, page-aligned; the range was parted
 * @gather: empty; the references go there
 *
 * No processor has a translation of it when this returns.
 *
 * Return: @end, or where to go on when @gather is full.
 * Context: may sleep. The mmap lock is held for writing, and the VMA's too, so that
 * nothing of Linux's walks the tables until they are freed, but for lockless
 * walkers, which have interrupts off and so are waited for by the shootdown.
 */
u64 petmem_pgtables_unmap(struct mm_struct *mm, u64 start, u64 end,
			  struct petmem_gather *gather);

#endif /* PETMEM_PGTABLES_H */
