// SPDX-License-Identifier: GPL-2.0
/*
 * vm.c - virtual memory: address spaces, and copy-on-write.
 *
 * memlayout.h draws an address space, mmu.h an address and a page-table entry.
 *
 *	 page directory        page tables           pages
 *	+-----------+         +-----------+         +-----------+
 *	| user      |-------->|           |-------->| a page of |
 *	| 0..511    |         | 0..1023   |         | RAM       |
 *	+-----------+         +-----------+         +-----------+
 *	| kernel    |----+
 *	| 512..1023 |    |    +-----------+
 *	+-----------+    +--->| the same  |-------> all of RAM, devices
 *	                      | for all   |
 *	                      +-----------+
 *
 * Each process has a directory and user page tables of its own. The kernel's
 * tables exist once and never change after vm_init(): all directories point
 * to them, so that a directory costs one page and not 58.
 *
 * What is always true of a user entry that is present:
 *
 *	1. It is one owner of its page (kalloc.c counts them).
 *	2. PTE_W set: it is the only owner; or mmap() shares the page (mmap.c).
 *	3. PTE_COW set: the process may write to the page, but it may have other
 *	   owners. PTE_W is clear, so that the first write traps, and
 *	   vm_unshare() gives the process a page of its own.
 *	4. Neither set: the program asked for a read-only page.
 *
 * Locking: only the process itself changes its address space, and a process
 * runs on one CPU at a time; so none is needed for its tables. Pages are what
 * processes share: kalloc.c's lock guards their counts, and unshare_lock makes
 * owners that write to the same page take turns.
 *
 * TLB: a CPU remembers entries it has used and does not notice that they have
 * changed in memory. It forgets them all when CR3 is loaded, which every switch
 * to a process does (vm_use); so only the CPU that the process runs on can
 * remember old entries. Whoever takes a right away, or puts another page in
 * place, in the address space in use says lcr3() or invlpg() before the old
 * page can be used for something else. An entry that was not present is never
 * remembered: adding one needs no flush.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "x86.h"
#include "spinlock.h"
#include "vm.h"
#include "defs.h"

#define USER_TABLES	PDX(KERNBASE)	/* directory entries of the process */
#define RAM_TABLES	(PHYSTOP / PT_SPAN)

_Static_assert(PHYSTOP % PT_SPAN == 0, "RAM fills whole page tables");
_Static_assert(DEVSPACE_SIZE == PT_SPAN, "one page table for the devices");

#define PAGE_ALIGNED	__attribute__((aligned(PGSIZE)))

static pte_t ram_tables[RAM_TABLES * PT_ENTRIES] PAGE_ALIGNED;
static pte_t device_table[PT_ENTRIES] PAGE_ALIGNED;
static pde_t kernel_dir[PT_ENTRIES] PAGE_ALIGNED;	/* no user half */

extern char readonly_end[];	/* kernel code and constants end here */

/* ---- the kernel's half ---- */

/*
 * What the kernel's half maps; everything else is empty. No entry has PTE_U, so
 * user mode can use none of it.
 */
static const struct {
	uint from, to;	/* virtual */
	uint pa;	/* physical address of the first byte */
	uint flags;
} kernel_map[] = {
	/* The firmware's memory, and what the loader has left there. */
	{ KERNBASE, KERNBASE + KERNLOAD, 0, PTE_W },
	/* The kernel's code and constants: read-only, for itself too. */
	{ KERNBASE + KERNLOAD, (uint)readonly_end, KERNLOAD, 0 },
	/* The kernel's data, and all pages that kalloc() gives away. */
	{ (uint)readonly_end, KERNBASE + PHYSTOP, V2P(readonly_end), PTE_W },
	/* The interrupt controllers. */
	{ DEVSPACE, DEVSPACE + DEVSPACE_SIZE, DEVSPACE, PTE_W | PTE_CD },
};

#define KERNEL_MAPS	(sizeof(kernel_map) / sizeof(kernel_map[0]))

static pte_t *kernel_entry(uint va)
{
	if (va >= DEVSPACE)
		return &device_table[PTX(va)];
	return &ram_tables[(va - KERNBASE) / PGSIZE];
}

static void map_kernel(uint from, uint to, uint pa, uint flags)
{
	for (; from < to; from += PGSIZE, pa += PGSIZE)
		*kernel_entry(from) = pa | flags | PTE_P;
}

/*
 * Make the kernel's tables and use them. RAM that is not used may have the
 * firmware's tables in it: 4 MB pages map it, for reading.
 */
void vm_init(void)
{
	uint i;

	for (i = 0; i < KERNEL_MAPS; i++)
		map_kernel(kernel_map[i].from, kernel_map[i].to,
			   kernel_map[i].pa, kernel_map[i].flags);

	for (i = 0; i < RAM_TABLES; i++)
		kernel_dir[PDX(KERNBASE) + i] =
			V2P(&ram_tables[i * PT_ENTRIES]) | PTE_P | PTE_W;
	for (i = RAM_TABLES; i < FIRMWARE_END / PT_SPAN; i++)
		kernel_dir[PDX(KERNBASE) + i] = i * PT_SPAN | PTE_P | PTE_PS;
	kernel_dir[PDX(DEVSPACE)] = V2P(device_table) | PTE_P | PTE_W;
	vm_use(NULL);
}

/* Switch this CPU to address space @dir; NULL: to the kernel without a user. */
void vm_use(pde_t *dir)
{
	lcr3(V2P(dir ? dir : kernel_dir));
}

/* ---- making and changing address spaces ---- */

/* The page or page table that a present entry points to. */
static void *entry_target(uint entry)
{
	return P2V(PTE_ADDR(entry));
}

/* The page-table entry for @va; NULL if there is no page table. */
static pte_t *find_entry(pde_t *dir, uint va)
{
	pte_t *table;

	if (!(dir[PDX(va)] & PTE_P))
		return NULL;
	table = entry_target(dir[PDX(va)]);
	return &table[PTX(va)];
}

/* An address space with the kernel's half only; NULL if memory is short. */
pde_t *vm_create(void)
{
	pde_t *dir = kalloc();

	if (dir)
		page_copy(dir, kernel_dir);
	return dir;
}

/*
 * Put an empty page table into directory entry @pde. The table's entries say
 * what is allowed, so the directory's entry allows everything.
 */
static pte_t *add_table(pde_t *pde)
{
	pte_t *table = kalloc_zeroed();

	if (table)
		*pde = V2P(table) | PTE_P | PTE_W | PTE_U;
	return table;
}

/*
 * Map @page at user address @va, where nothing is yet. @writable: PTE_W or 0.
 * On success the address space has taken the page over from the caller.
 * Returns 0, or -1 if there is no memory for a page table.
 */
int vm_map(pde_t *dir, uint va, void *page, uint writable)
{
	pde_t *pde = &dir[PDX(va)];
	pte_t *entry;

	if (va < USERBASE || va >= KERNBASE)
		panic("vm_map: 0x%x is not for users", va);
	if (!(*pde & PTE_P) && !add_table(pde))
		return -1;
	entry = find_entry(dir, va);
	if (*entry & PTE_P)
		panic("vm_map: 0x%x is in use", va);
	*entry = V2P(page) | PTE_P | PTE_U | writable;
	return 0;
}

/*
 * Give [from, to) zeroed pages; both are page-aligned. Returns 0, or -1 if
 * memory is short: then nothing is mapped there.
 */
int vm_grow(pde_t *dir, uint from, uint to, uint writable)
{
	uint va;
	void *page;

	for (va = from; va < to; va += PGSIZE) {
		page = kalloc_zeroed();
		if (!page)
			goto err_shrink;
		if (vm_map(dir, va, page, writable) < 0)
			goto err_free_page;
	}
	return 0;

err_free_page:
	kfree(page);
err_shrink:
	vm_shrink(dir, from, va);
	return -1;
}

/* Unmap [from, to), page-aligned. Page tables stay for the next vm_grow(). */
void vm_shrink(pde_t *dir, uint from, uint to)
{
	uint va;

	for (va = from; va < to; va += PGSIZE) {
		pte_t *entry = find_entry(dir, va);
		pte_t old;

		if (!entry || !(*entry & PTE_P))
			continue;
		old = *entry;
		*entry = 0;
		invlpg(va);
		kfree(entry_target(old));
	}
}

/* Let go of a page table and of all pages in it. */
static void destroy_table(pte_t *table)
{
	uint i;

	for (i = 0; i < PT_ENTRIES; i++)
		if (table[i] & PTE_P)
			kfree(entry_target(table[i]));
	kfree(table);
}

/* Let go of all that is in an address space that no CPU uses. */
void vm_destroy(pde_t *dir)
{
	uint i;

	for (i = 0; i < USER_TABLES; i++)
		if (dir[i] & PTE_P)
			destroy_table(entry_target(dir[i]));
	kfree(dir);
}

/* Where the kernel finds the page of user address @va; NULL: nowhere. */
void *vm_page(pde_t *dir, uint va)
{
	pte_t *entry = find_entry(dir, va);

	if (!entry || !(*entry & PTE_P))
		return NULL;
	return entry_target(*entry);
}

/* ---- copy-on-write ---- */

#ifdef BEFORE_FORK

/* Copy all pages of a parent's page table. Returns 0, or -1: no memory. */
static int fork_table(pte_t *parent, pte_t *child)
{
	uint i;
	void *copy;

	for (i = 0; i < PT_ENTRIES; i++) {
		if (!(parent[i] & PTE_P))
			continue;
		copy = kalloc();
		if (!copy)
			return -1;
		page_copy(copy, entry_target(parent[i]));
		child[i] = V2P(copy) | PTE_FLAGS(parent[i]);
	}
	return 0;
}

#else

/*
 * Share all pages of a parent's page table with a table of the child's.
 *
 *	parent    before      P U W        after      P U   COW
 *	child     before      -            after      P U   COW
 *	page      owners      n            owners     n + 1
 *
 * A read-only page is shared as it is. The parent's TLB is the caller's
 * business. Returns 0: this needs no memory.
 */
static int fork_table(pte_t *parent, pte_t *child)
{
	uint i;

	for (i = 0; i < PT_ENTRIES; i++) {
		if (!(parent[i] & PTE_P))
			continue;
		if (parent[i] & PTE_W)
			parent[i] = (parent[i] & ~PTE_W) | PTE_COW;
		kshare(entry_target(parent[i]));
		child[i] = parent[i];
	}
	return 0;
}

#endif

/* Is nothing mapped there? vm_shrink() leaves such tables behind. */
static int is_empty(const pte_t *table)
{
	uint i;

	for (i = 0; i < PT_ENTRIES; i++)
		if (table[i] & PTE_P)
			return 0;
	return 1;
}

/*
 * An address space with the same contents as @parent, which is in use on this
 * CPU. No page is copied. NULL if memory for page tables is short: the child's
 * owners are taken back, and the parent's pages stay marked PTE_COW: its next
 * write to each finds that it is the only owner.
 */
pde_t *vm_fork(pde_t *parent)
{
	pde_t *child = vm_create();
	uint i;

	if (!child)
		return NULL;
	for (i = 0; i < USER_TABLES; i++) {
		if (!(parent[i] & PTE_P) || is_empty(entry_target(parent[i])))
			continue;
		if (!add_table(&child[i]) ||
		    fork_table(entry_target(parent[i]),
			       entry_target(child[i])) < 0)
			break;
	}
	lcr3(V2P(parent));	/* the parent has lost PTE_W all over */
	if (i < USER_TABLES) {
		vm_destroy(child);
		return NULL;
	}
	return child;
}

/*
 * Held from the look at a page's owners until one of them has a copy and has let
 * go: of two owners that write at the same time, the second finds itself alone.
 * Without it both would want a page for a copy, and one of them might die for
 * want of a page that is not needed.
 */
static struct spinlock unshare_lock = SPINLOCK("unshare");

/* Make copy-on-write @entry, of @va, writable. Context: unshare_lock is held. */
static int own_page(pte_t *entry, uint va)
{
	void *shared = entry_target(*entry), *copy;
	uint flags = (PTE_FLAGS(*entry) & ~PTE_COW) | PTE_W;

	if (kowned_alone(shared)) {	/* all relatives have let go of it */
		*entry = V2P(shared) | flags;
		invlpg(va);
		return VM_OK;
	}
	copy = kalloc();
	if (!copy)
		return VM_NO_MEMORY;
	page_copy(copy, shared);
	*entry = V2P(copy) | flags;
	invlpg(va);
	kfree(shared);
	return VM_OK;
}

/*
 * Make the page of @va writable if it is copy-on-write. @dir is in use on this
 * CPU. VM_OK: try the write again. VM_NO_ACCESS: it is not such a page.
 * VM_NO_MEMORY: there is no page for a copy; nothing has changed.
 */
int vm_unshare(pde_t *dir, uint va)
{
	pte_t *entry = find_entry(dir, va);
	int result;

	if (!entry || !(*entry & PTE_P) || !(*entry & PTE_COW))
		return VM_NO_ACCESS;
	spin_lock(&unshare_lock);
	result = own_page(entry, va);
	spin_unlock(&unshare_lock);
	return result;
}

/*
 * Make sure that the kernel can read [va, va + n) for the user, or write there
 * if @access is VM_WRITE, without a fault; @dir is in use on this CPU. It stays
 * so until the process goes back to user mode: nobody else changes @dir.
 * Returns what vm_unshare() does. The caller has made sure that the range does
 * not wrap around and ends below KERNBASE.
 */
int vm_prepare(pde_t *dir, uint va, uint n, int access)
{
	uint page, end = va + n;

	for (page = PAGE_DOWN(va); page < end; page += PGSIZE) {
		pte_t *entry = find_entry(dir, page);
		int result;

		if (!entry || !(*entry & PTE_P) || !(*entry & PTE_U))
			return VM_NO_ACCESS;
		if (access == VM_READ || (*entry & PTE_W))
			continue;
		result = vm_unshare(dir, page);
		if (result != VM_OK)
			return result;
	}
	return VM_OK;
}
