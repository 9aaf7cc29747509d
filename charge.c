// SPDX-License-Identifier: GPL-2.0
/*
 * charge.c - take pages from the pool for a family, and charge its account.
 */
#include "charge.h"

#include "account.h"
#include "large_page.h"
#include "page_list.h"

static u64 put_page_of(uintptr_t page_addr, enum petmem_level level)
{
	return level == PETMEM_PMD ? petmem_put_large(page_addr)
				   : petmem_put_page(page_addr);
}

uintptr_t petmem_alloc_charged(struct petmem_account *account,
			       enum petmem_page_kind kind,
			       enum petmem_level level)
{
	uintptr_t page_addr = level == PETMEM_PMD ? petmem_alloc_large()
						  : petmem_alloc_page(kind);

	if (page_addr && petmem_charge(account, level_pages(level))) {
		put_page_of(page_addr, level);
		return 0;
	}
	return page_addr;
}

void petmem_put_charged(struct petmem_account *account, uintptr_t page_addr,
			enum petmem_level level)
{
	petmem_uncharge(account, put_page_of(page_addr, level));
}
