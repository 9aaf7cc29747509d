/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct_page.h - Linux's struct pages of donated memory.
 *
 * While memory is offline its struct pages are not defined: they hold what they were last,
 * a pattern (CONFIG_DEBUG_VM), or, if it never was online, anything. The module itself
 * keeps what it knows elsewhere (pool.h). But Linux looks at the struct pages of what our
 * page tables point to, and of the tables themselves. This is all it does, by the sources
 * of 5.10, 6.1, 6.12 and 7.2:
 *
 *   the lock (ptl) of a page table, by whatever walks one: kept where private is.
 *	petmem_init_table_lock() sets it when a page becomes a table. Linux finds the
 *	struct page by the table's address alone.
 *   node, by mbind(MPOL_MF_STRICT), with MPOL_MF_MOVE or without, of what a PMD entry
 *	maps: queue_pages_pmd(), since 6.1 queue_folios_pmd(), in mm/mempolicy.c. It does
 *	not ask whether the entry is special, and by way of page_folio() also reads
 *	whether it is a tail page. It does not migrate: vma_migratable() is false.
 *   mapcount and mapping, by /proc/PID/pagemap, of what a PMD entry maps:
 *	pagemap_pmd_range() in fs/proc/task_mmu.c (7.2: pagemap_pmd_range_thp()).
 *   PG_reserved and the reference count, by KVM before 6.13, where a guest's memory is
 *	ours: kvm_try_get_pfn() in virt/kvm/kvm_main.c. It takes no reference to a page
 *	that has none, and EFAULT is what the guest gets.
 *   PG_hwpoison, by what saves memory after a crash: such a page cannot be read.
 *
 * All else goes by pte_special() and its like, or vm_normal_page() in a VM_PFNMAP
 * mapping, which say that there is no struct page: get_user_pages(), process_vm_readv(),
 * /proc/PID/smaps and numa_maps, move_pages(), madvise(), zap, fork. And what walks
 * physical memory asks pfn_to_online_page() first, which has none for us: /proc/kpageflags,
 * kpagecount and kpagecgroup, page_idle, page_owner, DAMON, compaction, kmemleak,
 * memory_failure(), hibernation, /proc/kcore.
 *
 * So a struct page is defined once, at donation: as Linux defines that of a page when it
 * brings it online, but for the count, which is 0, so that nobody can take a reference: whose
 * page it is, and how long, is the module's business. It stays so: hotplug.h keeps Linux
 * from writing it. Linux itself defines it anew when it gets the memory back.
 *
 * (The lock of a table is the one field that changes. A page that is given back keeps it,
 * and is given a new one when it becomes a table again.)
 */
#ifndef PETMEM_STRUCT_PAGE_H
#define PETMEM_STRUCT_PAGE_H

#include <linux/types.h>

/**
 * petmem_struct_pages_find_failed() - which pages failed while they were Linux's?
 * @start: physical address of memory that is claimed (hotplug.h) and not defined yet
 * @size: how much
 * @node: NUMA node
 * @failed: a bit for each page, all clear; set are those of pages that have failed
 *
 * Return: 0; -EOPNOTSUPP when some have, and it is not known which.
 * Context: may sleep.
 */
int petmem_struct_pages_find_failed(u64 start, u64 size, int node,
				    unsigned long *failed);

/**
 * petmem_struct_pages_define() - define the struct pages of memory that is claimed
 * @start: physical address
 * @size: how much
 * @node: NUMA node
 * @failed: as from petmem_struct_pages_find_failed()
 *
 * Context: may sleep.
 */
void petmem_struct_pages_define(u64 start, u64 size, int node,
				const unsigned long *failed);

/**
 * petmem_struct_page_set_failed() - a page has failed that is donated
 * @page_addr: physical address
 */
void petmem_struct_page_set_failed(u64 page_addr);

#endif /* PETMEM_STRUCT_PAGE_H */
