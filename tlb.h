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

#endif /* PETMEM_TLB_H */
