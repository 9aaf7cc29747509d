// SPDX-License-Identifier: GPL-2.0
/*
 * pgtables.c - the page tables of the region. The rules are in pgtables.h.
 *
 * The walk begins at mm->pgd, the table that CR3 points to while the mm runs. CR3 itself
 * would do for a fault, but the end of an mm may run with the CR3 of another mm.
 */
#include "pgtables.h"

#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <asm/cpufeature.h>

#include "account.h"
#include "entry.h"
#include "giant.h"
#include "petmem.h"
#include "tlb.h"

/*
 * The two empty tables are in the trees of all processes, so nobody may write to them, not
 * even Linux by mistake. They belong to the module's data, which becomes read-only after
 * initialisation, also at the addresses in the direct map that page tables are reached by
 * (set_memory_ro() changes the direct map, too: cpa_process_alias() in
 * arch/x86/mm/pat/set_memory.c).
 */
static u64 empty_tables[2][ENTRIES] __aligned(PAGE_SIZE) __ro_after_init;
static u64 *empty_pud_table, *empty_pmd_table; /* their direct-map addresses */

/* Where locks are too large for a struct page, all tables share this one. */
static DEFINE_SPINLOCK(tables_lock);

/* An entry that leads to an empty table. */
static u64 empty_entry(const u64 *table)
{
	return table_entry(table) & ~(u64)_PAGE_RW;
}

/* Does an entry of a table of this level lead to no page? */
static bool is_none(u64 entry, enum level level)
{
	if (level == LEVEL_PUD)
		return table_of(entry) == empty_pmd_table;
	return !entry;
}

static void set_none(u64 *entry, enum level level)
{
	WRITE_ONCE(*entry,
		   level == LEVEL_PUD ? empty_entry(empty_pmd_table) : 0);
}

/* Does an entry lead to a table with one owner? */
static bool is_private(u64 entry)
{
	return is_present(entry) && !is_large(entry) &&
	       table_of(entry) != empty_pud_table &&
	       table_of(entry) != empty_pmd_table && page_of(entry)->refs == 1;
}

/* ---- The slot ---- */

/*
 * The slot: Linux's entry that leads to the region's PUD table. Without 5-level
 * paging the P4D is folded into the PGD, and p4d_offset() gives the PGD entry.
 */
static u64 *slot_of(struct mm_struct *mm)
{
	pgd_t *pgd = pgd_offset(mm, PETMEM_REGION_START);

	if (pgd_none(*pgd))
		return NULL;
	return (u64 *)p4d_offset(pgd, PETMEM_REGION_START);
}

static u64 slot_read(struct mm_struct *mm)
{
	return READ_ONCE(*slot_of(mm));
}

/*
 * The slot for readers of the tables below it. If the slot is empty, because the region is
 * not reserved or a fork has detached it for a moment, nothing is mapped.
 */
static u64 slot_or_empty(struct mm_struct *mm)
{
	u64 slot = slot_read(mm);

	return is_present(slot) ? slot : empty_entry(empty_pud_table);
}

/*
 * With page-table isolation, a PGD entry is in two tables: the kernel's, and the user's in
 * the next page. The kernel's copy has XD set, as in __pti_set_user_pgtbl() in
 * arch/x86/mm/pti.c, so that user code never runs by mistake on the kernel's tables.
 */
static void pgd_write(struct mm_struct *mm, u64 entry)
{
	pgd_t *pgd = pgd_offset(mm, PETMEM_REGION_START);
	pgd_t *user_pgd = petmem_user_pgd(pgd);

	if (user_pgd) {
		WRITE_ONCE(user_pgd->pgd, entry);
		if (entry)
			entry |= _PAGE_NX & __supported_pte_mask;
	}
	WRITE_ONCE(pgd->pgd, entry);
}

/* With 5 levels both PGDs lead to the same P4D table. */
static void slot_write(struct mm_struct *mm, u64 entry)
{
	if (pgtable_l5_enabled())
		WRITE_ONCE(*slot_of(mm), entry);
	else
		pgd_write(mm, entry);
}

/*
 * With 5 levels the slot is in a P4D table. A process has this table, because its code and
 * its stack are below the same PGD entry. A child in the middle of a fork may not have it.
 */
int petmem_pgtables_prepare(struct mm_struct *mm)
{
	void *table;

	mmap_assert_write_locked(mm);
	if (slot_of(mm))
		return 0;
	table = petmem_p4d_alloc();
	if (!table)
		return -ENOMEM;
	/* The table is cleared before a processor can find it. */
	smp_wmb();
	spin_lock(&mm->page_table_lock);
	pgd_write(mm, __pa(table) | _PAGE_TABLE);
	spin_unlock(&mm->page_table_lock);
	return 0;
}

int petmem_pgtables_attach(struct mm_struct *mm)
{
	mmap_assert_write_locked(mm);
	if (slot_read(mm))
		return -EBUSY;
	slot_write(mm, empty_entry(empty_pud_table));
	return 0;
}

/* XD is only in the kernel's copy. */
u64 petmem_pgtables_slot(struct mm_struct *mm)
{
	return slot_read(mm) & ~(u64)_PAGE_NX;
}

u64 petmem_pgtables_detach(struct mm_struct *mm)
{
	u64 slot = petmem_pgtables_slot(mm);

	slot_write(mm, 0);
	petmem_tlb_shootdown(mm, PETMEM_REGION_START, PETMEM_REGION_END,
			     PAGE_SIZE);
	return slot;
}

/* ---- Tables ---- */

/* The address in the direct map of a table in the module's data. */
static void *direct_address(void *table)
{
	return page_address(vmalloc_to_page(table));
}

void petmem_pgtables_init(void)
{
	size_t i;

	empty_pud_table = direct_address(empty_tables[0]);
	empty_pmd_table = direct_address(empty_tables[1]);
	for (i = 0; i < ENTRIES; i++)
		set_none(&empty_pud_table[i], LEVEL_PUD);
	petmem_init_table_lock(empty_pmd_table, &tables_lock);
}

static bool is_read_only(u64 *table)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)table, &level);

	return pte && !(pte_flags(*pte) & _PAGE_RW);
}

bool petmem_pgtables_are_sealed(void)
{
	return is_read_only(empty_pud_table) && is_read_only(empty_pmd_table);
}

/* Pages for the tables that a path lacks, taken before anything is changed. */
struct spares {
	uintptr_t page_addr[LEVELS];
	int nr;
};

static void put_spares(struct spares *spares, struct petmem_account *account)
{
	while (spares->nr)
		petmem_put_charged(account, spares->page_addr[--spares->nr],
				   PETMEM_CHARGED_TABLE);
}

static int take_spares(struct spares *spares, struct petmem_account *account,
		       int nr)
{
	for (spares->nr = 0; spares->nr < nr; spares->nr++) {
		uintptr_t page_addr =
			petmem_alloc_charged(account, PETMEM_CHARGED_TABLE);

		if (!page_addr) {
			put_spares(spares, account);
			return -ENOMEM;
		}
		spares->page_addr[spares->nr] = page_addr;
	}
	return 0;
}

static u64 *spare_table(struct spares *spares)
{
	u64 *table = __va(spares->page_addr[--spares->nr]);

	petmem_init_table_lock(table, &tables_lock);
	return table;
}

static u64 *new_table(struct spares *spares, enum level level)
{
	u64 *table = spare_table(spares);
	size_t i;

	if (level == LEVEL_PUD)
		for (i = 0; i < ENTRIES; i++)
			set_none(&table[i], level);
	else
		petmem_clear_pages(__pa(table), 1);
	return table;
}

/*
 * Make all leaves of a PTE table read-only. In a fork, petmem_pgtables_detach() or
 * petmem_pgtables_share() does the flush. When a PMD table is copied, no processor can have
 * a writable translation: the entries above have been read-only since the fork's flush.
 */
static void protect_leaves(u64 entry)
{
	u64 *table = table_of(entry);
	struct petmem_page *page = page_of(entry);
	size_t i;

	if (!page->maybe_writable)
		return;
	/* Absent entries stay 0. This is the inner loop of fork: eight at a time. */
	for (i = 0; i < ENTRIES; i += 8) {
		table[i] &= ~LEAF_WRITE;
		table[i + 1] &= ~LEAF_WRITE;
		table[i + 2] &= ~LEAF_WRITE;
		table[i + 3] &= ~LEAF_WRITE;
		table[i + 4] &= ~LEAF_WRITE;
		table[i + 5] &= ~LEAF_WRITE;
		table[i + 6] &= ~LEAF_WRITE;
		table[i + 7] &= ~LEAF_WRITE;
	}
	page->maybe_writable = false;
}

/* The same for the table or the 2 MiB page of a PMD entry. */
static void protect_pmd(u64 *entry)
{
	if (is_large(*entry))
		WRITE_ONCE(*entry, *entry & ~LEAF_WRITE);
	else
		protect_leaves(*entry);
}

/*
 * Copying a table adds an owner to the target of each entry. The target must not be
 * writable through either copy. A PUD entry becomes read-only itself; for a PMD entry, the
 * leaves below do. A leaf needs nothing: its table was shared, and its leaves were made
 * read-only then.
 */
static void share_entry(u64 *entry, enum level level)
{
	if (is_large(*entry) && level == LEVEL_PUD) {
		petmem_giant_share(entry);
		return;
	}
	if (is_large(*entry))
		petmem_get_large(frame_of(*entry));
	else
		page_of(*entry)->refs++;
	if (level == LEVEL_PUD)
		WRITE_ONCE(*entry, *entry & ~(u64)_PAGE_RW);
	else if (level == LEVEL_PMD)
		protect_pmd(entry);
}

/*
 * Copy a shared table for one of its owners. The owner keeps its reference to the original:
 * see petmem_pgtables_unshare().
 */
static u64 *copy_table(struct spares *spares, u64 *table, enum level level)
{
	u64 *copy = spare_table(spares);
	size_t i;

	for (i = 0; i < ENTRIES; i++) {
		if (!is_none(table[i], level))
			share_entry(&table[i], level);
		copy[i] = table[i];
	}
	page_of(__pa(copy))->live = page_of(__pa(table))->live;
	return copy;
}

/*
 * A table with the pages of a 2 MiB page that is split because it is shared. So its entries
 * are not writable. For the processors only the page size changes, and they may learn that
 * late (SDM volume 3A, section 4.10.2.3).
 */
static u64 *table_of_split(struct spares *spares, u64 entry)
{
	u64 *table = spare_table(spares);
	size_t i;

	for (i = 0; i < ENTRIES; i++)
		table[i] = leaf_entry(frame_of(entry) + i * PAGE_SIZE) &
			   ~LEAF_WRITE;
	page_of(__pa(table))->live = ENTRIES;
	petmem_split_large(frame_of(entry));
	return table;
}

/*
 * The entry for an address in the table of @level below @entry. If it is a 1 GiB page, the
 * entry for the page's PMD table.
 */
static u64 below(u64 entry, u64 addr, enum level level)
{
	entry = *entry_of(table_of(entry), addr, level);
	return level == LEVEL_PUD ? petmem_giant_table(entry) : entry;
}

/*
 * Keep the reference of an entry that was taken out of a table, with the table's level in
 * the low bits. For a 1 GiB page, that is the reference to its PMD table.
 */
#define GATHERED (PTE_PFN_MASK | _PAGE_PSE)
static void gather_add(struct petmem_gather *gather, u64 entry,
		       enum level level)
{
	if (level == LEVEL_PUD && is_large(entry))
		entry = petmem_giant_drop(entry);
	gather->entries[gather->nr++] = (entry & GATHERED) | level;
}

/* The work that is needed to make the tables on a path private. */
struct path_state {
	int nr_tables; /* tables to be made */
	bool shared; /* one of them replaces a table that relatives share */
};

static bool is_table(u64 entry)
{
	return is_present(entry) && !is_large(entry) &&
	       table_of(entry) != empty_pud_table &&
	       table_of(entry) != empty_pmd_table;
}

/* Look at the tables below @entry, the slot, down to those of @lowest. */
static struct path_state look_along(u64 entry, u64 addr, enum level lowest)
{
	int level;

	for (level = LEVEL_PUD; level >= (int)lowest; level--) {
		/* Copying a table shares everything below it. */
		if (!is_private(entry))
			return (struct path_state){ level + 1 - lowest,
						    is_table(entry) };
		entry = below(entry, addr, level);
	}
	return (struct path_state){};
}

/* One address is enough for a page of any size (SDM volume 3A, section 4.10.4.1). */
static void shoot_page(struct mm_struct *mm, u64 addr)
{
	addr &= PAGE_MASK;
	petmem_tlb_shootdown(mm, addr, addr + PAGE_SIZE, PAGE_SIZE);
}

/*
 * Write an entry of a table of @level. The entry leads to a table, and takes the place of a
 * large page, of no page, or of another table. AMD's family 10h must never find two page
 * sizes for one address (erratum 383), so it gets a flush in between.
 */
static void enter_table(struct mm_struct *mm, u64 addr, u64 *entry,
			enum level level, u64 new)
{
	if (is_large(*entry) && boot_cpu_has_bug(X86_BUG_AMD_TLB_MMATCH)) {
		set_none(entry, level);
		shoot_page(mm, addr);
	}
	WRITE_ONCE(*entry, new);
}

/*
 * Make an entry that leads to a private table of @level, to take the place of @entry. Sets
 * *@stale when processors may have cached the target of @entry. The reference to a replaced
 * table goes to @replaced.
 */
static u64 private_table(u64 entry, enum level level, struct spares *spares,
			 struct petmem_gather *replaced, bool *stale)
{
	u64 *table;

	if (is_large(entry) && level == LEVEL_PMD) {
		entry = petmem_giant_split(entry);
		*stale = true;
	}
	if (is_private(entry))
		return entry | _PAGE_RW;
	if (is_large(entry)) {
		table = table_of_split(spares, entry);
		*stale = true;
	} else if (is_table(entry)) {
		table = copy_table(spares, table_of(entry), level);
		gather_add(replaced, entry, level + 1);
		*stale = true;
	} else {
		table = new_table(spares, level);
	}
	/* The table is filled before a processor can find it. */
	smp_wmb();
	return table_entry(table);
}

/* The work of make_private(), with enough pages for it. */
static void replace_path(struct mm_struct *mm, u64 addr, enum level lowest,
			 struct spares *spares, struct petmem_gather *replaced)
{
	u64 slot = petmem_pgtables_slot(mm), *entry = &slot;
	bool stale = false;
	u64 *table, new;
	int level;

	slot = private_table(slot, LEVEL_PUD, spares, replaced, &stale);
	if (slot != petmem_pgtables_slot(mm))
		slot_write(mm, slot);
	for (level = LEVEL_PUD; level > (int)lowest; level--) {
		table = table_of(*entry);
		entry = entry_of(table, addr, level);
		if (is_none(*entry, level))
			page_of(__pa(table))->live++;
		new = private_table(*entry, level - 1, spares, replaced,
				    &stale);
		enter_table(mm, addr, entry, level, new);
	}
	/*
	 * One address is enough. An invalidation drops everything cached of the tables on
	 * the path to the address. Cached parts of the paths to other addresses lead to
	 * tables that are still below ours. The same holds for a large page that was split.
	 */
	if (stale)
		shoot_page(mm, addr);
}

/*
 * Make the tables on the path to an address private, down to level @lowest. References to
 * replaced tables go to @replaced; if it is NULL, no table is replaced.
 */
static int make_private(struct mm_struct *mm, struct petmem_account *account,
			u64 addr, enum level lowest,
			struct petmem_gather *replaced)
{
	u64 slot = petmem_pgtables_slot(mm);
	struct path_state state = look_along(slot, addr, lowest);
	struct spares spares;

	if (WARN_ON_ONCE(!is_present(slot)))
		return -EFAULT;
	if (take_spares(&spares, account, state.nr_tables))
		return -ENOMEM;
	if (state.shared && !replaced) {
		put_spares(&spares, account);
		return -EAGAIN;
	}
	replace_path(mm, addr, lowest, &spares, replaced);
	return 0;
}

/* The lowest level at which there is a table on the path to an address. */
static enum level lowest_table(u64 entry, u64 addr)
{
	int level;

	for (level = LEVEL_PUD; level > LEVEL_PTE; level--) {
		entry = below(entry, addr, level);
		if (!is_table(entry))
			break;
	}
	return level;
}

int petmem_pgtables_unshare(struct mm_struct *mm,
			    struct petmem_account *account, u64 addr,
			    struct petmem_gather *replaced)
{
	u64 slot = petmem_pgtables_slot(mm);

	enum level lowest;

	if (!is_table(slot))
		return 0;
	lowest = lowest_table(slot, addr);
	if (!look_along(slot, addr, lowest).shared)
		return 0;
	return make_private(mm, account, addr, lowest, replaced);
}

static u64 *pmd_of(struct mm_struct *mm, u64 addr)
{
	u64 pud = *entry_of(table_of(slot_or_empty(mm)), addr, LEVEL_PUD);

	return entry_of(table_of(pud), addr, LEVEL_PMD);
}

int petmem_pgtables_make_private(struct mm_struct *mm,
				 struct petmem_account *account, u64 addr,
				 bool large, struct petmem_leaf *leaf)
{
	int err = make_private(mm, account, addr, large ? LEVEL_PMD : LEVEL_PTE,
			       NULL);

	if (err)
		return err;
	*leaf = (struct petmem_leaf){
		.entry = pmd_of(mm, addr),
		.private = true,
		.large = large,
	};
	if (!large)
		leaf->entry = entry_of(table_of(*leaf->entry), addr, LEVEL_PTE);
	return 0;
}

/* ---- Leaves ---- */

struct petmem_leaf petmem_pgtables_find(struct mm_struct *mm, u64 addr)
{
	struct petmem_leaf leaf = {};
	u64 slot = slot_or_empty(mm), *pud, *pmd;

	pud = entry_of(table_of(slot), addr, LEVEL_PUD);
	if (is_large(*pud)) {
		leaf.entry = pud;
		leaf.private = slot & _PAGE_RW;
		leaf.large = true;
		leaf.giant = true;
		return leaf;
	}
	pmd = entry_of(table_of(*pud), addr, LEVEL_PMD);
	if (is_none(*pmd, LEVEL_PMD))
		return leaf;
	leaf.large = is_large(*pmd);
	leaf.entry =
		leaf.large ? pmd : entry_of(table_of(*pmd), addr, LEVEL_PTE);
	leaf.private = (slot & *pud & _PAGE_RW) &&
		       (leaf.large || page_of(*pmd)->refs == 1);
	return leaf;
}

bool petmem_pgtables_is_shared(struct mm_struct *mm, u64 addr, bool large)
{
	struct petmem_leaf leaf = petmem_pgtables_find(mm, addr);
	uintptr_t page_addr = petmem_leaf_page(&leaf) +
			      (addr & (petmem_leaf_size(&leaf) - 1));

	if (look_along(slot_or_empty(mm), addr,
		       leaf.large ? LEVEL_PMD : LEVEL_PTE)
		    .nr_tables)
		return true;
	return large ? petmem_large_is_shared(page_addr & PMD_MASK)
		     : petmem_page_is_shared(page_addr & PAGE_MASK);
}

uintptr_t petmem_leaf_page(const struct petmem_leaf *leaf)
{
	return leaf->entry ? frame_of(*leaf->entry) : 0;
}

u64 petmem_leaf_size(const struct petmem_leaf *leaf)
{
	if (leaf->giant)
		return PUD_SIZE;
	return leaf->large ? PMD_SIZE : PAGE_SIZE;
}

bool petmem_leaf_is_writable(const struct petmem_leaf *leaf)
{
	return leaf->private && (*leaf->entry & _PAGE_RW);
}

/* The record of the table that contains an entry. */
static struct petmem_page *page_around(const u64 *entry)
{
	return petmem_pool_page(__pa(entry) & PAGE_MASK);
}

static u64 entry_for(const struct petmem_leaf *leaf, uintptr_t page_addr)
{
	return leaf->large ? large_entry(page_addr) : leaf_entry(page_addr);
}

void petmem_leaf_set(const struct petmem_leaf *leaf, uintptr_t page_addr)
{
	struct petmem_page *table = page_around(leaf->entry);

	WRITE_ONCE(*leaf->entry, entry_for(leaf, page_addr));
	table->maybe_writable = true;
	table->live++;
}

uintptr_t petmem_leaf_take(const struct petmem_leaf *leaf, struct mm_struct *mm,
			   u64 addr)
{
	uintptr_t page_addr = frame_of(*leaf->entry);

	WRITE_ONCE(*leaf->entry, 0);
	page_around(leaf->entry)->live--;
	shoot_page(mm, addr);
	return page_addr;
}

/* More permission needs no flush: a fault through a stale TLB entry drops that entry. */
void petmem_leaf_allow_write(const struct petmem_leaf *leaf)
{
	WRITE_ONCE(*leaf->entry, *leaf->entry | LEAF_WRITE);
	page_around(leaf->entry)->maybe_writable = true;
}

uintptr_t petmem_leaf_replace(const struct petmem_leaf *leaf,
			      struct mm_struct *mm, u64 addr,
			      uintptr_t page_addr)
{
	uintptr_t old = frame_of(*leaf->entry);

	WRITE_ONCE(*leaf->entry, entry_for(leaf, page_addr) & ~LEAF_WRITE);
	shoot_page(mm, addr);
	petmem_leaf_allow_write(leaf);
	return old;
}

/* ---- 1 GiB pages ---- */

static u64 *pud_of(struct mm_struct *mm, u64 addr)
{
	return entry_of(table_of(slot_or_empty(mm)), addr, LEVEL_PUD);
}

bool petmem_pgtables_is_empty(struct mm_struct *mm, u64 addr)
{
	u64 entry = *pud_of(mm, addr);

	return is_none(entry, LEVEL_PUD) ||
	       (!is_large(entry) && !page_of(entry)->live);
}

int petmem_pgtables_set_giant(struct mm_struct *mm,
			      struct petmem_account *account, u64 addr,
			      uintptr_t page_addr,
			      struct petmem_gather *replaced)
{
	int err;

	mmap_assert_write_locked(mm);
	if (!petmem_pgtables_is_empty(mm, addr))
		return -EEXIST;
	err = make_private(mm, account, addr, LEVEL_PMD, replaced);
	if (!err)
		petmem_giant_enter(pud_of(mm, addr), page_addr);
	return err;
}

/* Later changes below are flushed by their own addresses. */
void petmem_pgtables_split(struct mm_struct *mm, u64 start, u64 end)
{
	u64 slot = slot_read(mm);

	if (!is_present(slot))
		return;
	for (; start < end; start = span_end(start, LEVEL_PUD)) {
		u64 *entry = pud_of(mm, start);

		if (is_large(*entry))
			enter_table(mm, start, entry, LEVEL_PUD,
				    petmem_giant_split(*entry));
	}
}

/* ---- Sharing ---- */

/*
 * Write-protect everything that can be written: below the writable PUD entries. Their tables
 * have one owner, so no other member uses them.
 */
void petmem_pgtables_protect(u64 slot)
{
	u64 *pud_table = table_of(slot);
	size_t i, j;

	if (!(slot & _PAGE_RW))
		return;
	for (i = 0; i < ENTRIES; i++) {
		u64 *pmd_table = table_of(pud_table[i]);

		if (!(pud_table[i] & _PAGE_RW))
			continue;
		if (is_large(pud_table[i])) {
			WRITE_ONCE(pud_table[i], pud_table[i] & ~LEAF_WRITE);
			continue;
		}
		WRITE_ONCE(pud_table[i], pud_table[i] & ~(u64)_PAGE_RW);
		for (j = 0; j < ENTRIES; j++)
			if (pmd_table[j])
				protect_pmd(&pmd_table[j]);
		cond_resched();
	}
}

/*
 * One cleared bit write-protects the whole tree, because the processor ANDs the bits of all
 * levels. So the cost does not depend on the amount of memory.
 */
int petmem_pgtables_share(struct mm_struct *parent, struct mm_struct *child,
			  u64 slot)
{
	bool was_attached;

	if (slot_read(child)) {
		slot_write(parent, slot);
		return -EBUSY;
	}
	if (table_of(slot) != empty_pud_table) {
		page_of(slot)->refs++;
		slot &= ~(u64)_PAGE_RW;
	}
	was_attached = slot_read(parent);
	slot_write(parent, slot);
	slot_write(child, slot);
	if (was_attached)
		petmem_tlb_shootdown(parent, PETMEM_REGION_START,
				     PETMEM_REGION_END, PAGE_SIZE);
	return 0;
}

/* ---- Unmapping ---- */

static u64 put_entry(u64 entry, enum level level);

/*
 * Drop one reference to a table; with the last one, also the references that it holds.
 * Returns the number of data pages and tables that became free.
 */
static u64 put_table(u64 *table, enum level level)
{
	struct petmem_page *page = page_of(__pa(table));
	u64 freed = 0;
	size_t i;

	if (--page->refs)
		return 0;
	for (i = 0; i < ENTRIES && page->live; i++) {
		if (is_none(table[i], level))
			continue;
		freed += put_entry(table[i], level);
		page->live--;
	}
	petmem_free_pages(__pa(table), 1);
	return freed + 1;
}

/* Drop the reference of an entry that was in a table of @level. */
static u64 put_entry(u64 entry, enum level level)
{
	if (level == LEVEL_PTE)
		return petmem_put_page(frame_of(entry));
	if (is_large(entry) && level == LEVEL_PUD)
		entry = petmem_giant_drop(entry);
	else if (is_large(entry))
		return petmem_put_large(frame_of(entry));
	return put_table(table_of(entry), level - 1);
}

/* The first entry of a table of @level that leads to a page or table, or NULL. */
static u64 *first_live(u64 *table, enum level level)
{
	size_t i;

	for (i = 0; i < ENTRIES; i++)
		if (!is_none(table[i], level))
			return &table[i];
	return NULL;
}

/*
 * The same, at most 2 MiB at a time. Returns false when it has to be called again. The
 * tables are not in the tree any more and have no other owner, so they do not change
 * meanwhile.
 */
static bool put_step(u64 entry, enum level level, u64 *freed)
{
	struct petmem_page *page = page_of(entry);
	u64 *table = table_of(entry), *child = NULL;

	if (level > LEVEL_PMD && page->refs == 1 && page->live)
		child = first_live(table, level - 1);
	if (!child) {
		*freed += put_entry(entry, level);
		return true;
	}
	if (level - 1 == LEVEL_PUD && is_large(*child))
		WRITE_ONCE(*child, petmem_giant_drop(*child));
	if (put_step(*child, level - 1, freed)) {
		set_none(child, level - 1);
		page->live--;
	}
	return false;
}

void petmem_gather_slot(struct petmem_gather *gather, u64 slot)
{
	petmem_gather_few(gather);
	if (is_table(slot))
		gather_add(gather, slot, LEVELS);
}

bool petmem_gather_put(struct petmem_gather *gather, u64 *freed)
{
	*freed = 0;
	while (gather->nr && *freed < PTRS_PER_PTE) {
		u64 entry = gather->entries[gather->nr - 1];

		if (put_step(entry & GATHERED, entry & ~GATHERED, freed))
			gather->nr--;
	}
	return gather->nr;
}

/*
 * The most entries that a range can have: all but one of the PTE and PMD tables at both
 * ends, all of the PUD table, and these five tables themselves.
 */
#define GATHER_MOST (5 * ENTRIES)

void petmem_gather_few(struct petmem_gather *gather)
{
	gather->entries = gather->few;
	gather->nr = 0;
	gather->max = PETMEM_GATHER_FEW;
}

void petmem_gather_init(struct petmem_gather *gather, u64 start, u64 end)
{
	u64 most =
		min_t(u64, ((end - start) >> PAGE_SHIFT) + LEVELS, GATHER_MOST);

	petmem_gather_few(gather);
	if (most > gather->max) {
		u64 *entries = kmalloc_array(most, sizeof(*entries),
					     GFP_KERNEL | __GFP_NOWARN);

		if (entries) {
			gather->entries = entries;
			gather->max = most;
		}
	}
}

void petmem_gather_exit(struct petmem_gather *gather)
{
	if (gather->entries != gather->few)
		kfree(gather->entries);
}

/*
 * The range of addresses whose translations the processors have to drop; empty while .end
 * is 0.
 */
struct stale {
	u64 start;
	u64 end;
	u64 stride; /* the size of the smallest page in it */
};

static void stale_add(struct stale *stale, u64 start, u64 end, u64 page_size)
{
	if (!stale->end) {
		stale->start = start;
		stale->stride = page_size;
	}
	stale->stride = min(stale->stride, page_size);
	stale->end = end;
}

/*
 * Clear the entries that lie completely in a range, with everything below them, and remove
 * each table below that has become empty. Returns the address where it stopped because
 * @gather is full.
 *
 * The shootdown in petmem_pgtables_unmap() covers every entry that is cleared here, through
 * @stale: each page by its own address, and a table by any address below it. A large page
 * always lies completely in a range.
 */
static u64 unmap(u64 *table, enum level level, u64 addr, u64 end,
		 struct petmem_gather *gather, struct stale *stale)
{
	u64 next;

	for (; addr < end; addr = next) {
		u64 *entry = entry_of(table, addr, level);
		bool whole = addr == span_start(addr, level) &&
			     end >= span_end(addr, level);

		next = min(span_end(addr, level), end);
		if (is_none(*entry, level))
			continue;
		if (!whole) {
			u64 stop;

			/* A table that stayed shared has no page of the range. */
			if (!is_private(*entry))
				continue;
			stop = unmap(table_of(*entry), level - 1, addr, next,
				     gather, stale);

			if (stop < next)
				return stop;
			if (page_of(*entry)->live)
				continue;
		}
		if (gather->nr == gather->max)
			return addr;
		gather_add(gather, *entry, level);
		stale_add(stale, addr, next,
			  !whole || is_large(*entry) ? PMD_SIZE : PAGE_SIZE);
		set_none(entry, level);
		page_of(__pa(table))->live--;
	}
	return end;
}

/* Is anything mapped in a range, by entries of a table of @level or below them? */
static bool is_touched(u64 *table, enum level level, u64 addr, u64 end)
{
	u64 next;

	for (; addr < end; addr = next) {
		u64 entry = *entry_of(table, addr, level);

		next = min(span_end(addr, level), end);
		if (is_none(entry, level))
			continue;
		if (level == LEVEL_PTE || is_large(entry))
			return true;
		if (next - addr == span_end(addr, level) -
					    span_start(addr, level)
			    ? page_of(entry)->live
			    : is_touched(table_of(entry), level - 1, addr,
					 next))
			return true;
	}
	return false;
}

/*
 * The tables that a range covers in part are on the path to its first or its last page. If
 * a page of the range is in them, they must be private, or the relatives would lose it. A
 * table that the range covers completely is removed as it is.
 */
static int part_edge(struct mm_struct *mm, struct petmem_account *account,
		     u64 edge, u64 start, u64 end,
		     struct petmem_gather *replaced)
{
	u64 entry = petmem_pgtables_slot(mm);
	int level, lowest = LEVELS;

	if (!look_along(entry, edge, lowest_table(entry, edge)).nr_tables)
		return 0;
	for (level = LEVEL_PUD; level >= LEVEL_PTE; level--) {
		if (!is_touched(table_of(entry), level, start, end))
			break;
		lowest = level;
		if (level == LEVEL_PTE || (start <= span_start(edge, level) &&
					   end >= span_end(edge, level)))
			break;
		entry = below(entry, edge, level);
		if (!is_table(entry))
			break;
		start = max(start, span_start(edge, level));
		end = min(end, span_end(edge, level));
	}
	if (lowest == LEVELS)
		return 0;
	return make_private(mm, account, edge, lowest, replaced);
}

int petmem_pgtables_part(struct mm_struct *mm, struct petmem_account *account,
			 u64 start, u64 end, struct petmem_gather *replaced)
{
	u64 slot = petmem_pgtables_slot(mm);
	u64 last = end - PAGE_SIZE;
	int err;

	/* A range that was never touched needs nothing. */
	if (!is_table(slot) ||
	    !is_touched(table_of(slot), LEVEL_PUD, start, end))
		return 0;
	err = part_edge(mm, account, start, start, end, replaced);
	/* Within one PTE table, both paths are the same. */
	if (!err && span_start(last, LEVEL_PMD) != span_start(start, LEVEL_PMD))
		err = part_edge(mm, account, last, start, end, replaced);
	return err;
}

u64 petmem_pgtables_unmap(struct mm_struct *mm, u64 start, u64 end,
			  struct petmem_gather *gather)
{
	u64 slot = petmem_pgtables_slot(mm), *table = table_of(slot);
	struct stale stale = {};
	u64 stop;

	/* A table that stayed shared has no page of the range. */
	if (!is_private(slot))
		return end;
	stop = unmap(table, LEVEL_PUD, start, end, gather, &stale);
	if (stop == end && !page_of(slot)->live) {
		if (gather->nr == gather->max) {
			stop = end - PAGE_SIZE;
		} else {
			gather_add(gather, slot, LEVELS);
			slot_write(mm, empty_entry(empty_pud_table));
			stale_add(&stale, start, end, PMD_SIZE);
		}
	}
	if (stale.end)
		petmem_tlb_shootdown(mm, stale.start, stale.end, stale.stride);
	return stop;
}
