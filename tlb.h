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
 * @tables: a page table on the path to an address of the range was replaced or removed, too
 *
 * Call this after the entries were changed, and before the pages or page tables that they
 * led to get a new owner. When this returns, no program translates an address of the range
 * by an old entry. With @tables, no processor walks an old table on the path to it, either.
 *
 * Without @tables, processors on which a kernel thread has borrowed the address space are
 * not interrupted. They invalidate before they run a task of it again.
 *
 * Context: interrupts are enabled. A lock that may be held is one that nobody takes with
 * interrupts disabled, so that all processors answer.
 */
void petmem_tlb_shootdown(struct mm_struct *mm, u64 start, u64 end, u64 stride,
			  bool tables);

/**
 * petmem_tlb_shoot_page() - invalidate the translations of a page of any size
 * @mm: the address space
 * @addr: an address of the page
 *
 * One address is enough (Intel SDM volume 3A, section 4.10.4.1). The tables on the path to
 * the page have not changed.
 *
 * Context: as petmem_tlb_shootdown().
 */
void petmem_tlb_shoot_page(struct mm_struct *mm, u64 addr);

/**
 * petmem_tlb_shoot_path() - invalidate the tables on the path to an address
 * @mm: the address space
 * @addr: the address
 *
 * This also invalidates the page at the address.
 *
 * Context: as petmem_tlb_shootdown().
 */
void petmem_tlb_shoot_path(struct mm_struct *mm, u64 addr);

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
