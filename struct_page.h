/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct_page.h - Linux's struct pages of donated memory.
 *
 * The struct pages of offline memory are undefined: they hold their last contents, a poison
 * pattern (CONFIG_DEBUG_VM), or anything, if the memory never was online. The module keeps
 * its own records elsewhere (page.h). But Linux looks at the struct pages of our page tables
 * and of the pages that these point to. By the sources of 5.10, 6.1, 6.12 and 7.2, it reads
 * only this:
 *
 *   the lock (ptl) of a page table, in the place of private: every walker of a table.
 *	petmem_init_table_lock() sets it when a page becomes a table. Linux finds the
 *	struct page by the table's address alone.
 *   the node of a page that a PMD entry maps: mbind(MPOL_MF_STRICT), with MPOL_MF_MOVE or
 *	without, in queue_pages_pmd(), since 6.1 queue_folios_pmd(), in mm/mempolicy.c. It
 *	does not check whether the entry is special, and page_folio() also reads whether
 *	the page is a tail page. It does not migrate the page: vma_migratable() is false.
 *   mapcount and mapping of a page that a PMD entry maps: /proc/PID/pagemap, in
 *	pagemap_pmd_range() in fs/proc/task_mmu.c (7.2: pagemap_pmd_range_thp()).
 *   PG_reserved and the reference count: KVM before 6.13, if a guest's memory is ours, in
 *	kvm_try_get_pfn() in virt/kvm/kvm_main.c. KVM takes no reference to a page that has
 *	none, and the guest gets EFAULT.
 *   PG_hwpoison: the code that saves memory after a crash. It skips such a page.
 *
 * All other code checks pte_special() and similar functions, or vm_normal_page() in a
 * VM_PFNMAP mapping, and learns that there is no struct page: get_user_pages(),
 * process_vm_readv(), /proc/PID/smaps and numa_maps, move_pages(), madvise(), zap, fork. Code
 * that walks physical memory calls pfn_to_online_page() first, which returns NULL for our
 * memory: /proc/kpageflags, kpagecount and kpagecgroup, page_idle, page_owner, DAMON,
 * compaction, kmemleak, memory_failure(), hibernation, /proc/kcore.
 *
 * So a struct page is defined once, at donation, as Linux defines it when it brings a page
 * online. Only the count is different: it is 0, so nobody can take a reference, and the
 * module alone decides who owns the page and how long. The struct page stays like this,
 * because hotplug.h keeps Linux from writing it. Linux defines it anew when it gets the
 * memory back.
 *
 * (Only the lock of a table changes. A page that is given back keeps its lock, and gets a
 * new one when it becomes a table again.)
 */
#ifndef PETMEM_STRUCT_PAGE_H
#define PETMEM_STRUCT_PAGE_H

#include <linux/types.h>

/**
 * petmem_struct_pages_find_failed() - find the pages that failed while Linux owned them
 * @start: physical address of memory that is claimed (hotplug.h) and not defined yet
 * @size: in bytes
 * @node: NUMA node
 * @failed: a bit for each page, all clear; the bits of failed pages are set
 *
 * Return: 0; -EOPNOTSUPP when some have failed and it is not known which.
 * Context: may sleep.
 */
int petmem_struct_pages_find_failed(u64 start, u64 size, int node,
				    unsigned long *failed);

/**
 * petmem_struct_pages_define() - define the struct pages of claimed memory
 * @start: physical address
 * @size: in bytes
 * @node: NUMA node
 * @failed: as from petmem_struct_pages_find_failed()
 *
 * Context: may sleep.
 */
void petmem_struct_pages_define(u64 start, u64 size, int node,
				const unsigned long *failed);

/**
 * petmem_struct_page_set_failed() - mark the struct page of a donated page as failed
 * @page_addr: physical address
 */
void petmem_struct_page_set_failed(u64 page_addr);

#endif /* PETMEM_STRUCT_PAGE_H */
