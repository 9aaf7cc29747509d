/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pgtables.h - the page tables of the region.
 *
 * The region is one slot of the address space's upper tables. Everything below the slot is
 * petmem's:
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
 * its place. The relatives keep the 2 MiB page. pool.h says how its pages are counted.
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
 * Context of all functions, unless they say otherwise: the caller holds the family's lock,
 * which serialises all work on the region of any member.
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
 * petmem_pgtables_are_sealed() - are the two empty tables read-only?
 *
 * Return: false while the module is being initialised, and where the kernel does not make
 * a module's data read-only (for example if it was booted with rodata=off).
 */
bool petmem_pgtables_are_sealed(void);

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
 * Return: the value that petmem_pgtables_detach() would return.
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
 * Context: may sleep; the time is proportional to the number of pages that were written
 * since the last fork. The mmap lock is held for writing, which keeps the owner's faults out. The
 * family's lock need not be held: no table that is changed has another owner.
 */
void petmem_pgtables_protect(u64 slot);

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

/* The entry for the page of an address. */
struct petmem_leaf {
	u64 *entry; /* in a PTE table, or for a large page; NULL if there is none */
	bool private; /* all tables on the path have one owner and are writable */
	bool large; /* the page has 2 MiB or 1 GiB */
	bool giant; /* the page has 1 GiB; it must be split before it is changed */
};

/**
 * petmem_pgtables_find() - find the entry of an address
 * @mm: the address space
 * @addr: an address of the region
 */
struct petmem_leaf petmem_pgtables_find(struct mm_struct *mm, u64 addr);

/**
 * petmem_pgtables_is_shared() - does a relative share the page of an address?
 * @mm: the address space
 * @addr: an address where a page is mapped
 * @large: true: ask for any part of the 2 MiB page; false: for the 4 KiB only
 */
bool petmem_pgtables_is_shared(struct mm_struct *mm, u64 addr, bool large);

/**
 * petmem_pgtables_make_private() - make the path to an address private
 * @mm: the address space
 * @account: the family's
 * @addr: an address of the region
 * @large: down to the PMD table, for a 2 MiB page that is there or is to be entered
 * @leaf: set on success
 *
 * Missing tables are made, and tables with one owner are made writable. A 1 GiB page on the
 * path is split; without @large, a 2 MiB page too.
 *
 * Return: 0; with nothing changed: -ENOMEM when there are not enough pages, -EAGAIN when a
 * table is shared and has to be unshared first, with petmem_pgtables_unshare(). There were
 * enough pages for that a moment ago.
 * Context: may sleep.
 */
int petmem_pgtables_make_private(struct mm_struct *mm,
				 struct petmem_account *account, u64 addr,
				 bool large, struct petmem_leaf *leaf);

/*
 * References that have been taken out of tables and are still held. There is room for a few
 * in the struct, and for more in an array, if there was kernel memory for it.
 */
#define PETMEM_GATHER_FEW 32

struct petmem_gather {
	u64 *entries;
	unsigned int nr;
	unsigned int max;
	u64 few[PETMEM_GATHER_FEW];
	struct petmem_gather *next; /* for a list of the owner's */
};

/** petmem_gather_few() - make room for the references of two paths */
void petmem_gather_few(struct petmem_gather *gather);

/**
 * petmem_gather_init() - make room for the references of a range
 * @gather: filled in
 * @start: first address
 * @end: address after the last
 *
 * Context: may sleep; no lock that memory reclaim may take is held.
 */
void petmem_gather_init(struct petmem_gather *gather, u64 start, u64 end);

/** petmem_gather_exit() - undo petmem_gather_init(); no reference is held any more */
void petmem_gather_exit(struct petmem_gather *gather);

/**
 * petmem_gather_slot() - take the slot from petmem_pgtables_detach()
 * @gather: filled in
 * @slot: a slot that is not in any address space any more, or 0
 */
void petmem_gather_slot(struct petmem_gather *gather, u64 slot);

/**
 * petmem_gather_put() - drop some of the references
 * @gather: the references
 * @freed: set to the number of data pages and tables that became free
 *
 * Pages and tables without another reference go back to the pool. A call drops not many
 * more than a page table has entries, so that others soon get the family's lock.
 *
 * Return: true when there are more references.
 * Context: may sleep.
 */
bool petmem_gather_put(struct petmem_gather *gather, u64 *freed);

/**
 * petmem_pgtables_unshare() - unshare the tables on the path to an address
 * @mm: the address space
 * @account: the family's
 * @addr: an address of the region
 * @replaced: with room for one path; gets the references to the replaced tables
 *
 * Missing tables stay missing. A 1 GiB page whose table is shared is split. When this
 * returns, no processor has anything of a replaced table cached, but walkers of Linux's may
 * be inside of it: see the rule at the top.
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

/**
 * petmem_leaf_page() - the page of a leaf
 * @leaf: the leaf
 *
 * Return: physical address, or 0 if there is no page.
 */
uintptr_t petmem_leaf_page(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_size() - the size of a leaf's page, in bytes
 * @leaf: the leaf
 */
u64 petmem_leaf_size(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_is_writable() - can a leaf's page be written?
 * @leaf: the leaf
 */
bool petmem_leaf_is_writable(const struct petmem_leaf *leaf);

/**
 * petmem_leaf_set() - enter a page, writable
 * @leaf: private and empty
 * @page_addr: physical address of a page of the leaf's size; the leaf takes over the
 *	caller's reference
 */
void petmem_leaf_set(const struct petmem_leaf *leaf, uintptr_t page_addr);

/**
 * petmem_leaf_take() - remove a page that will be replaced
 * @leaf: private
 * @mm: the address space
 * @addr: an address of the page, a multiple of 4 KiB
 *
 * When this returns, no processor has a translation. Until petmem_leaf_set(), a fault finds
 * no page there.
 *
 * Return: physical address of the page; the caller gets the reference.
 * Context: may sleep.
 */
uintptr_t petmem_leaf_take(const struct petmem_leaf *leaf, struct mm_struct *mm,
			   u64 addr);

/**
 * petmem_leaf_replace() - replace a page by its copy, writable
 * @leaf: private, not writable
 * @mm: the address space
 * @addr: an address of the page, a multiple of 4 KiB
 * @page_addr: physical address of the copy; the leaf takes over the caller's reference
 *
 * No processor has a translation to the old page when this returns, nor when the first
 * write to the copy is made.
 *
 * Return: physical address of the old page; the caller gets the reference.
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
 * petmem_pgtables_part() - unshare the tables that a range covers in part
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
int petmem_pgtables_part(struct mm_struct *mm, struct petmem_account *account,
			 u64 start, u64 end, struct petmem_gather *replaced);

/**
 * petmem_pgtables_unmap() - unmap all pages of a range
 * @mm: the address space
 * @start: first address, page-aligned, in the region
 * @end: address after the last, page-aligned; petmem_pgtables_part() came before
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

#endif /* PETMEM_PGTABLES_H */
