/* SPDX-License-Identifier: GPL-2.0 */
/*
 * charge.h - take pages from the pool for a family, and charge its account.
 *
 * Context of all: any but interrupts.
 */
#ifndef PETMEM_CHARGE_H
#define PETMEM_CHARGE_H

#include "entry.h"
#include "page.h"

struct petmem_account;

/**
 * petmem_alloc_charged() - take a page and charge for it
 * @account: the account to charge
 * @kind: PETMEM_PAGE_TABLE or PETMEM_PAGE_DATA
 * @level: the size of the page: PETMEM_PTE, or for data also PETMEM_PMD
 *
 * Return: physical address of a page with one reference, not cleared; 0 when the pool has
 * none or a limit is reached.
 */
uintptr_t petmem_alloc_charged(struct petmem_account *account,
			       enum petmem_page_kind kind,
			       enum petmem_level level);

/**
 * petmem_put_charged() - drop a reference, and uncharge the pages that became free
 * @account: the account that the page was charged to
 * @page_addr: physical address
 * @level: the size of the page
 */
void petmem_put_charged(struct petmem_account *account, uintptr_t page_addr,
			enum petmem_level level);

#endif /* PETMEM_CHARGE_H */
