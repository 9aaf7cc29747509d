// SPDX-License-Identifier: GPL-2.0
/*
 * unmap.c - unmap a range of the region.
 */
#include "unmap.h"

#include "gather.h"
#include "giant_page.h"
#include "pgtables.h"
#include "slot.h"
#include "table.h"
#include "tlb.h"
#include "unshare.h"

/*
 * The range of addresses whose translations the processors have to drop; empty while .end
 * is 0.
 */
struct stale {
	u64 start;
	u64 end;
	u64 stride; /* the size of the smallest page in it */
	bool tables; /* a page table was removed */
};

static void stale_add(struct stale *stale, u64 start, u64 end, u64 page_size,
		      bool table)
{
	if (!stale->end) {
		stale->start = start;
		stale->stride = page_size;
	}
	stale->stride = min(stale->stride, page_size);
	stale->end = end;
	stale->tables |= table;
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
static u64 unmap_entries(u64 *table, enum petmem_level level, u64 addr, u64 end,
			 struct petmem_gather *gather, struct stale *stale)
{
	u64 next;

	for (; addr < end; addr = next) {
		u64 *entry = entry_of(table, addr, level);
		bool is_whole = addr == span_start(addr, level) &&
				end >= span_end(addr, level);

		next = min(span_end(addr, level), end);
		if (is_none(*entry))
			continue;
		if (!is_whole) {
			u64 stop;

			/* A table that stayed shared has no page of the range. */
			if (!is_private(*entry))
				continue;
			stop = unmap_entries(table_of(*entry), level - 1, addr,
					     next, gather, stale);

			if (stop < next)
				return stop;
			if (page_of(*entry)->live)
				continue;
		}
		if (petmem_gather_is_full(gather))
			return addr;
		petmem_gather_add(gather, *entry, level);
		stale_add(stale, addr, next,
			  !is_whole || is_large(*entry) ? PMD_SIZE : PAGE_SIZE,
			  level > PETMEM_PTE && !is_large(*entry));
		set_none(entry, level);
		page_of(__pa(table))->live--;
	}
	return end;
}

/* Is anything mapped in a range, by entries of a table of @level or below them? */
static bool is_touched(u64 *table, enum petmem_level level, u64 addr, u64 end)
{
	u64 next;

	for (; addr < end; addr = next) {
		u64 entry = *entry_of(table, addr, level);

		next = min(span_end(addr, level), end);
		if (is_none(entry))
			continue;
		if (level == PETMEM_PTE || is_large(entry))
			return true;
		if (next - addr == level_size(level)
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
static int unshare_edge(struct mm_struct *mm, struct petmem_account *account,
			u64 edge, u64 start, u64 end,
			struct petmem_gather *replaced)
{
	struct petmem_leaf leaf = petmem_pgtables_find(mm, edge);
	u64 entry = petmem_pgtables_slot(mm);
	int level, lowest = PETMEM_LEVELS;

	if (leaf.private <= min(leaf.level, PETMEM_PMD))
		return 0;
	for (level = PETMEM_PUD; level >= PETMEM_PTE; level--) {
		if (!is_touched(table_of(entry), level, start, end))
			break;
		lowest = level;
		if (level == PETMEM_PTE || (start <= span_start(edge, level) &&
					    end >= span_end(edge, level)))
			break;
		entry = *entry_of(table_of(entry), edge, level);
		if (level == PETMEM_PUD)
			entry = petmem_giant_bypassed(entry);
		if (!is_table(entry))
			break;
		start = max(start, span_start(edge, level));
		end = min(end, span_end(edge, level));
	}
	if (lowest == PETMEM_LEVELS)
		return 0;
	return petmem_pgtables_make_private(mm, account, edge, lowest, &leaf,
					    replaced);
}

int petmem_pgtables_unshare_edges(struct mm_struct *mm,
				  struct petmem_account *account, u64 start,
				  u64 end, struct petmem_gather *replaced)
{
	u64 slot = petmem_pgtables_slot(mm);
	u64 last = end - PAGE_SIZE;
	int err;

	/* A range that was never touched needs nothing. */
	if (!is_table(slot) ||
	    !is_touched(table_of(slot), PETMEM_PUD, start, end))
		return 0;
	err = unshare_edge(mm, account, start, start, end, replaced);
	/* Within one PTE table, both paths are the same. */
	if (!err &&
	    span_start(last, PETMEM_PMD) != span_start(start, PETMEM_PMD))
		err = unshare_edge(mm, account, last, start, end, replaced);
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
	stop = unmap_entries(table, PETMEM_PUD, start, end, gather, &stale);
	if (stop == end && !page_of(slot)->live) {
		if (petmem_gather_is_full(gather)) {
			stop = end - PAGE_SIZE;
		} else {
			petmem_gather_add(gather, slot, PETMEM_LEVELS);
			petmem_slot_write(mm, petmem_empty_pud_entry);
			stale_add(&stale, start, end, PMD_SIZE, true);
		}
	}
	if (stale.end)
		petmem_tlb_shootdown(mm, stale.start, stale.end, stale.stride,
				     stale.tables);
	return stop;
}
