/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tlb.h - TLB shootdown: no processor keeps a translation that was taken away.
 */
#ifndef PETMEM_TLB_H
#define PETMEM_TLB_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * petmem_tlb_shootdown() - invalidate user translations on every processor
 * @mm: the address space
 * @start: first address, page-aligned
 * @end: address behind the last, page-aligned
 * @stride: the size of the pages, which one address of each stands for
 *
 * To be called after the entries were changed and before the pages (or the page
 * tables) behind them get a new owner. On return no processor translates an
 * address of the range, or walks a table on the way to it, by an old entry.
 *
 * Context: may sleep; interrupts enabled.
 */
void petmem_tlb_shootdown(struct mm_struct *mm, u64 start, u64 end, u64 stride);

/**
 * petmem_tlb_forget_page() - have processors look a page up again
 * @mm: the address space
 * @addr: the page
 *
 * For a program that wants to see a TLB miss. No entry has changed: what a processor
 * remembers is true, and no page gets a new owner, so correctness never depends on this.
 * Only the processors in mm_cpumask() run invlpg. The generation stays, so no processor
 * flushes all that it has of @mm at its next switch, and a global ASID makes no difference:
 * a program that calls this in a loop costs the processors of others nothing. It is no
 * replacement for petmem_tlb_shootdown(): a processor that ran @mm before may keep the
 * translation, and it may use it when it runs @mm again.
 *
 * Context: may sleep; interrupts enabled.
 */
void petmem_tlb_forget_page(struct mm_struct *mm, u64 addr);

#endif /* PETMEM_TLB_H */
