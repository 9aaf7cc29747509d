// SPDX-License-Identifier: GPL-2.0
/*
 * page.c - the records of the pool's pages, and the references to pages of 4 KiB.
 */
#include "page.h"

#include <linux/bitops.h>
#include <linux/limits.h>
#include <linux/mm.h>

#include "compat.h"
#include "extent.h"
#include "page_list.h"

/* More references than anybody can drop. */
#define NOBODYS_REFS (INT_MAX / 2)

struct petmem_page *petmem_pool_page(uintptr_t page_addr)
{
	static struct petmem_page nobodys;
	const struct pool_extent *extent = petmem_extent_of(page_addr);

	if (extent)
		return &extent->pages[page_number(extent, page_addr)];
	nobodys = (struct petmem_page){ .refs = ATOMIC_INIT(NOBODYS_REFS) };
	return &nobodys;
}

struct petmem_page *petmem_pool_find(uintptr_t page_addr)
{
	const struct pool_extent *extent = petmem_extent_at(page_addr);

	return extent ? &extent->pages[page_number(extent, page_addr)] : NULL;
}

/*
 * Drop a reference to a page that may be part of a 2 MiB page. As long as it is, the page is
 * not free, whatever its own count.
 */
static u64 put_part(struct pool_extent *extent, u32 page)
{
	bool is_last;

	spin_lock(&petmem_pool.lock);
	is_last = atomic_dec_and_test(&extent->pages[page].refs) &&
		  !petmem_large_page_refs(large_page_of(extent, page));
	spin_unlock(&petmem_pool.lock);
	if (is_last)
		petmem_give_page(extent, page);
	return is_last;
}

u64 petmem_put_page(uintptr_t page_addr)
{
	struct pool_extent *extent = petmem_extent_of(page_addr);
	u32 page;

	if (!extent)
		return 0;
	page = page_number(extent, page_addr);
	/* A page that is in no 2 MiB page is in none as long as it has an owner. */
	if (petmem_large_page_refs(large_page_of(extent, page)))
		return put_part(extent, page);
	if (!atomic_dec_and_test(&extent->pages[page].refs))
		return 0;
	petmem_give_page(extent, page);
	return 1;
}

bool petmem_page_is_shared(uintptr_t page_addr)
{
	struct pool_extent *extent = petmem_extent_at(page_addr);
	u32 page;
	int refs;

	if (!extent)
		return true;
	page = page_number(extent, page_addr);
	/* A relative that splits the 2 MiB page moves its reference from here to there. */
	refs = petmem_large_page_refs(large_page_of(extent, page));
	return refs + petmem_page_refs(&extent->pages[page]) > 1;
}

int petmem_copy_page(uintptr_t to, uintptr_t from)
{
	const struct pool_extent *extent = petmem_extent_of(from);

	if (!extent)
		return -EFAULT;
	/* A page that is known to be bad is not read, to avoid another machine check. */
	if (READ_ONCE(extent->nr_failed) &&
	    test_bit(page_number(extent, from), extent->failed))
		return -EHWPOISON;
	return petmem_copy_mc(__va(to), __va(from));
}
