/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pgtables.h - the page tables of the region.
 *
 * An address of the region is taken apart like this, nine bits a level:
 *
 *    47        39 38        30 29        21 20        12 11           0
 *   +------------+------------+------------+------------+--------------+
 *   |    slot    | PUD index  | PMD index  | PTE index  |    offset    |
 *   +------------+------------+------------+------------+--------------+
 *
 * The region is one slot, so the slot index is the same for all of it. CR3 leads to
 * the PGD; the slot is an entry of the PGD with 4-level paging, and of the P4D
 * table below PGD entry 0 with 5-level paging. Below the slot both are alike:
 *
 *   CR3 -> PGD (-> P4D) -> slot -> PUD table -> PMD table -> PTE table -> page
 *          Linux's          |      petmem's, from the pool
 *
 * An entry (Intel SDM volume 3A, section 4.5.4, tables 4-15 to 4-20):
 *
 *    63 62  59 58     52 51                      12 11   9 8 7 6 5 4 3 2 1 0
 *   +--+------+---------+--------------------------+------+-+-+-+-+-+-+-+-+-+
 *   |XD| key  | ignored | frame: physical address  | free |G|S|D|A|C|T|U|W|P|
 *   +--+------+---------+--------------------------+------+-+-+-+-+-+-+-+-+-+
 *
 *   P present   W writable   U user   A accessed   D dirty   S large page
 *   XD no instruction fetch; bit 9 of a leaf is Linux's _PAGE_SPECIAL: "no struct
 *   page stands behind it", which keeps get_user_pages_fast() away.
 *
 * An entry that is neither 0 nor present is condemned: it has been taken away from
 * the processor, and its frame has not been freed yet.
 */
#ifndef PETMEM_PGTABLES_H
#define PETMEM_PGTABLES_H

#include <linux/mm_types.h>
#include <linux/types.h>

/**
 * petmem_pgtables_slot_is_empty() - is the region's slot unused?
 * @mm: the address space
 *
 * Context: the mmap lock of @mm is held for writing.
 */
bool petmem_pgtables_slot_is_empty(struct mm_struct *mm);

/**
 * petmem_pgtables_is_mapped() - does a page stand behind an address?
 * @mm: the address space
 * @addr: an address of the region
 *
 * Context: the caller serialises all calls on the region of one @mm.
 */
bool petmem_pgtables_is_mapped(struct mm_struct *mm, u64 addr);

/**
 * petmem_pgtables_map() - put a page behind an address
 * @mm: the address space
 * @addr: page-aligned address of the region, not mapped
 * @page_addr: physical address of a data page
 *
 * Tables that are missing on the way come from the pool.
 *
 * Return: 0; -ENOMEM, with nothing changed, when the pool has no page for a table.
 * Context: may sleep; the caller serialises all calls on the region of one @mm.
 */
int petmem_pgtables_map(struct mm_struct *mm, u64 addr, uintptr_t page_addr);

/**
 * petmem_pgtables_unmap() - give all pages of a range back to the pool
 * @mm: the address space
 * @start: first address, page-aligned, in the region
 * @end: address behind the last, page-aligned
 *
 * Also gives back the tables that become empty. Every processor has forgotten a
 * page before it is freed.
 *
 * Context: may sleep; the caller serialises all calls on the region of one @mm, and
 * holds the mmap lock for writing (or is the end of the mm), so that nothing of
 * Linux's walks the tables meanwhile, but for lockless walkers, which have
 * interrupts off and so are waited for by the shootdown.
 */
void petmem_pgtables_unmap(struct mm_struct *mm, u64 start, u64 end);

#endif /* PETMEM_PGTABLES_H */
