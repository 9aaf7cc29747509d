// SPDX-License-Identifier: GPL-2.0
/* struct_page.c - Linux's struct pages of donated memory. The rules are in struct_page.h. */
#include "struct_page.h"

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pfn.h>
#include <linux/sched.h>

#include "compat.h"
#include "hotplug.h"

/* Others get the processor after this many pages. */
#define AT_ONCE PTRS_PER_PTE

/*
 * The struct page of memory that never was online may hold anything. If Linux has defined
 * it, it has the right node and zone.
 */
static bool looks_defined(struct page *page, int node)
{
	return !PagePoisoned(page) && page_to_nid(page) == node &&
	       page_zonenum(page) >= ZONE_NORMAL;
}

int petmem_struct_pages_find_failed(u64 start, u64 size, int node,
				    unsigned long *failed)
{
	long expected = petmem_hotplug_nr_failed(start, size);
	unsigned long i, nr = size >> PAGE_SHIFT;
	long found = 0;

	if (!expected)
		return 0;
	for (i = 0; i < nr; i++) {
		struct page *page = pfn_to_page(PHYS_PFN(start) + i);

		if (i % AT_ONCE == 0)
			cond_resched();
		if (!looks_defined(page, node) || !petmem_page_is_failed(page))
			continue;
		__set_bit(i, failed);
		found++;
	}
	return expected < 0 || found == expected ? 0 : -EOPNOTSUPP;
}

/* As in __init_single_page() in mm/mm_init.c, but without a reference. */
static void define_page(struct page *page, unsigned long pfn, int node)
{
	mm_zero_struct_page(page);
	set_page_links(page, ZONE_NORMAL, node, pfn);
	set_page_count(page, 0);
	atomic_set(&page->_mapcount, -1);
	page_cpupid_reset_last(page);
	page_kasan_tag_reset(page);
	INIT_LIST_HEAD(&page->lru);
}

void petmem_struct_pages_define(u64 start, u64 size, int node,
				const unsigned long *failed)
{
	unsigned long i, nr = size >> PAGE_SHIFT;

	for (i = 0; i < nr; i++) {
		unsigned long pfn = PHYS_PFN(start) + i;
		struct page *page = pfn_to_page(pfn);

		if (i % AT_ONCE == 0)
			cond_resched();
		define_page(page, pfn, node);
		if (test_bit(i, failed))
			petmem_page_set_failed(page);
	}
}

void petmem_struct_page_set_failed(u64 page_addr)
{
	petmem_page_set_failed(pfn_to_page(PHYS_PFN(page_addr)));
}
