/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tlb.h - TLB shootdown: make all processors drop translations that were removed.
 */
#ifndef PETMEM_TLB_H
#define PETMEM_TLB_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * petmem_tlb_shootdown() - invalidate user translations on every processor
 * @mm: the address space
 * @start: first address, page-aligned
 * @end: address after the last, page-aligned
 * @stride: the size of the smallest page; one address of each page is invalidated
 *
 * Call this after the entries were changed, and before the pages or page tables that they
 * led to get a new owner. When this returns, no processor translates an address of the
 * range, or walks a table on the path to it, by an old entry.
 *
 * Context: interrupts are enabled. A lock that may be held is one that nobody takes with
 * interrupts disabled, so that all processors answer.
 */
void petmem_tlb_shootdown(struct mm_struct *mm, u64 start, u64 end, u64 stride);

/**
 * petmem_tlb_shoot_page() - invalidate the translations of a page of any size
 * @mm: the address space
 * @addr: an address of the page
 *
 * One address is enough (Intel SDM volume 3A, section 4.10.4.1).
 *
 * Context: as petmem_tlb_shootdown().
 */
void petmem_tlb_shoot_page(struct mm_struct *mm, u64 addr);

/**
 * petmem_tlb_forget_page() - make processors look a page up again
 * @mm: the address space
 * @addr: the page
 *
 * This is for a program that wants to see a TLB miss. No entry has changed, so cached
 * translations are valid and no page gets a new owner: correctness never depends on this.
 * Only the processors in mm_cpumask() run invlpg. The generation stays the same, so no
 * processor flushes the whole TLB of @mm at its next switch, and a global ASID makes no
 * difference. So a program that calls this in a loop does not slow other processors down.
 * It cannot replace petmem_tlb_shootdown(): a processor that ran @mm before may keep the
 * translation, and use it when it runs @mm again.
 *
 * Context: may sleep; interrupts enabled.
 */
void petmem_tlb_forget_page(struct mm_struct *mm, u64 addr);

#endif /* PETMEM_TLB_H */
