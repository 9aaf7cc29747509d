/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - every difference between the kernels that petmem supports.
 *
 * The oldest is 5.10. The rest of the module is written for the newest; what
 * older ones lack is given here under the newer name. No other file looks at a
 * kernel version or at the name of a configuration option that has changed.
 */
#ifndef PETMEM_COMPAT_H
#define PETMEM_COMPAT_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/kasan.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>
#include <linux/version.h>

#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/pgalloc.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "petmem needs Linux 5.10 or newer"
#endif

#ifndef CONFIG_X86_64
#error "petmem needs x86-64"
#endif

/* Flags of a VMA are set by a function, which locks the VMA, since 6.3. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma,
				  unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* vm_operations_struct.split is called may_split since 5.11. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define may_split split
#endif

/* Named zap_vma_ptes() before 7.1. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
#define zap_special_vma_range zap_vma_ptes
#endif

/*
 * Does Linux refuse to register a reservation with userfaultfd? The feature WP_ASYNC came
 * in 6.7, and took any mapping that is writable, until July 2026: Linux then makes tables
 * of its own in the region and takes entries away (change_pmd_range() in
 * mm/mprotect.c). The check was given to older kernels as well, so no version says
 * whether it is there. Kbuild looks at the header for how to find out:
 *
 *   PETMEM_USERFAULTFD_SYNC    there is no such feature.
 *   PETMEM_USERFAULTFD_INLINE  the function that decides is in the header: ask it. As
 *     the arguments are constants, nothing is left of it but the answer.
 *   neither                    nobody can ask it; 7.2 was the first to have the check.
 */
#if !defined(CONFIG_USERFAULTFD) || defined(PETMEM_USERFAULTFD_SYNC)
static inline bool petmem_userfaultfd_is_refused(void)
{
	return true;
}
#elif defined(PETMEM_USERFAULTFD_INLINE)
static inline bool petmem_userfaultfd_is_refused(void)
{
	struct vm_area_struct vma = {};

	vm_flags_init(&vma, VM_SHARED | VM_IO | VM_PFNMAP | VM_DONTEXPAND);
	return !vma_can_userfault(&vma, VM_UFFD_WP, true);
}
#else
static inline bool petmem_userfaultfd_is_refused(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0);
}
#endif

/*
 * vm_operations_struct.mprotect came in 5.11. Without it nothing keeps a program from
 * taking away permissions of a whole mapping that has some, entries included: so
 * there is no native mode there.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define PETMEM_VM_OP_MPROTECT(function)
static inline bool petmem_has_native_faults(void)
{
	return false;
}

/*
 * A protection key is no permission: pkey_mprotect() writes it into all entries, of
 * a mapping without permissions, too.
 */
static inline bool petmem_can_refuse_mprotect(void)
{
	return !boot_cpu_has(X86_FEATURE_OSPKE);
}
#else
#define PETMEM_VM_OP_MPROTECT(function) .mprotect = (function),
static inline bool petmem_has_native_faults(void)
{
	return petmem_userfaultfd_is_refused();
}

static inline bool petmem_can_refuse_mprotect(void)
{
	return true;
}
#endif

/* A fault on a file's mapping may come under the VMA's lock since 6.7. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define PETMEM_VM_OP_MAP_PAGES(function)
#else
#define PETMEM_VM_OP_MAP_PAGES(function) .map_pages = (function),
#endif

/*
 * 2 MiB pages, and the bits by which an entry says that no struct page stands behind
 * one. get_user_pages_fast() must leave it alone, and what else of Linux looks at tables:
 *
 *   6.12 and newer: pmd_special() says so, as pte_special() does for 4 KiB.
 *   before: pmd_devmap(). The fast walker looks the page up among those of devices and
 *     does not find it (__gup_device_huge() in mm/gup.c); pmd_trans_huge() is false, so
 *     that nothing takes it for a compound page; fault and unmapping look for both.
 *     From 6.2 to 6.5 /proc/PID/smaps took the struct page all the same
 *     (smaps_pmd_entry() in fs/proc/task_mmu.c): no 2 MiB pages there.
 *
 * Without transparent huge pages Linux would take the entry for a table.
 */
#if !defined(CONFIG_TRANSPARENT_HUGEPAGE) ||              \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0))
#define PETMEM_PMD_SPECIAL 0
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define PETMEM_PMD_SPECIAL _PAGE_SPECIAL
#else
#define PETMEM_PMD_SPECIAL _PAGE_DEVMAP
#endif

static inline bool petmem_has_large_pages(void)
{
	return PETMEM_PMD_SPECIAL;
}

/*
 * 1 GiB pages. Who reads an entry of a PUD table that is a page goes by pud_special() or
 * pud_devmap(), as above (gup_huge_pud() or gup_fast_pud_leaf() in mm/gup.c, and
 * __handle_mm_fault() in mm/memory.c), but for one: since 6.2 smaps and its like walk the
 * tables of every mapping, and would have a 1 GiB page split first (walk_pud_range() in
 * mm/pagewalk.c). All that Linux knows for that is to take the entry away, as if a fault
 * would bring it back. Before it does so it tells the mmu notifiers, MMU_NOTIFY_CLEAR for
 * just this 1 GiB, and afterwards looks whether there still is such an entry
 * (__split_huge_pud() in mm/huge_memory.c). So process.c splits it when it hears that.
 */
#if !defined(CONFIG_HAVE_ARCH_TRANSPARENT_HUGEPAGE_PUD) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
	 !defined(CONFIG_ARCH_SUPPORTS_PUD_PFNMAP))
#define PETMEM_PUD_SPECIAL 0
#else
#define PETMEM_PUD_SPECIAL PETMEM_PMD_SPECIAL
#endif

static inline bool petmem_has_giant_pages(void)
{
	return PETMEM_PUD_SPECIAL && boot_cpu_has(X86_FEATURE_GBPAGES);
}

/*
 * Let go of the lock under which Linux has called a fault operation: the VMA's, since
 * 6.7 where it may be that, or the mmap lock.
 */
static inline void petmem_release_fault_lock(struct vm_fault *vmf)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	mmap_read_unlock(vmf->vma->vm_mm);
#else
	release_fault_lock(vmf);
#endif
}

/* The second argument of huge_fault is an order since 6.6. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define PETMEM_HUGE_FAULT_SIZE enum page_entry_size
#else
#define PETMEM_HUGE_FAULT_SIZE unsigned int
#endif

/* VMAs have locks of their own since 6.4. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
static inline void vma_start_write(struct vm_area_struct *vma)
{
}
#endif

/* MEM_PREPARE_ONLINE was there from 6.9 to 6.18. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define MEM_PREPARE_ONLINE (~0UL)
#endif

/*
 * Give a page table the lock that Linux takes to look at its entries, which is kept
 * in the struct page of the table, or by a pointer there where it is large (lockdep,
 * PREEMPT_RT): then @shared is used. The part of struct page that a page table uses
 * is called struct ptdesc since 6.6.
 */
static inline void petmem_init_table_lock(void *table, spinlock_t *shared)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	struct page *descriptor = virt_to_page(table);
#else
	struct ptdesc *descriptor = virt_to_ptdesc(table);
#endif

#if ALLOC_SPLIT_PTLOCKS
	descriptor->ptl = shared;
#else
	spin_lock_init(&descriptor->ptl);
#endif
}

/*
 * What p4d_alloc_one() does for a user's table, which compares with a symbol that
 * modules do not have. Page tables have a constructor at this level since 6.14.
 */
static inline void *petmem_p4d_alloc(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
	return (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
#else
	struct ptdesc *descriptor = pagetable_alloc(GFP_PGTABLE_USER, 0);

	if (!descriptor)
		return NULL;
	pagetable_p4d_ctor(descriptor);
	return ptdesc_address(descriptor);
#endif
}

/*
 * Page-table isolation (PTI): CONFIG_PAGE_TABLE_ISOLATION became
 * CONFIG_MITIGATION_PAGE_TABLE_ISOLATION in 6.9.
 */
#if defined(CONFIG_PAGE_TABLE_ISOLATION) || \
	defined(CONFIG_MITIGATION_PAGE_TABLE_ISOLATION)
static inline bool petmem_has_pti(void)
{
	return static_cpu_has(X86_FEATURE_PTI);
}

/* The user's copy of an entry of the kernel's PGD; NULL without isolation. */
static inline pgd_t *petmem_user_pgd(pgd_t *pgd)
{
	return petmem_has_pti() ? kernel_to_user_pgdp(pgd) : NULL;
}
#else
static inline bool petmem_has_pti(void)
{
	return false;
}

static inline pgd_t *petmem_user_pgd(pgd_t *pgd)
{
	return NULL;
}
#endif

/*
 * KASAN reports every access to memory that its shadow marks as free. Linux marks its own
 * free pages, but does not know which of ours are free.
 */
#ifdef CONFIG_KASAN_GENERIC
#define PETMEM_SHADOW_FREE 0xff /* as Linux has it: "use-after-free" */

static inline void petmem_kasan_set(void *start, size_t size, int value)
{
	__memset(kasan_mem_to_shadow(start), value,
		 size >> KASAN_SHADOW_SCALE_SHIFT);
}

static inline void petmem_kasan_poison(void *start, size_t size)
{
	petmem_kasan_set(start, size, PETMEM_SHADOW_FREE);
}

static inline void petmem_kasan_unpoison(void *start, size_t size)
{
	petmem_kasan_set(start, size, 0);
}
#else
static inline void petmem_kasan_poison(void *start, size_t size)
{
}

static inline void petmem_kasan_unpoison(void *start, size_t size)
{
}
#endif

/*
 * Does KVM map what an entry leads to without asking for the permissions of the mapping?
 * It does since 6.13 (hva_to_pfn_remapped() in virt/kvm/kvm_main.c), by what the last entry
 * says. Older ones want a reference to the page: struct_page.h says why they get none.
 */
static inline bool petmem_kvm_follows_entries(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0);
}

/*
 * Is an mm bound to a device that walks its page tables itself (SVA)? One that was ever
 * bound says so until its end. Before 6.6 the driver of such a device hears of each
 * invalidation that mmu notifiers are told of; since then, only of flushes of the TLB.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline bool petmem_has_sva(struct mm_struct *mm)
{
	return false;
}
#else
static inline bool petmem_has_sva(struct mm_struct *mm)
{
	/*
	 * Page-table entries have changed before: a device that is bound after we have
	 * looked finds them so.
	 */
	smp_mb();
	return mm_valid_pasid(mm);
}
#endif

/* What a device is, and may become, are flags with functions of their own since 7.2. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
static inline bool dev_offline(const struct device *device)
{
	return device->offline;
}

static inline void dev_assign_offline(struct device *device, bool value)
{
	device->offline = value;
}

static inline void dev_assign_offline_disabled(struct device *device,
					       bool value)
{
	device->offline_disabled = value;
}
#endif

/*
 * How many pages of a memory block have failed, by Linux's own count, which came in 6.2;
 * or a negative number, where only their struct pages say so.
 */
static inline long petmem_block_nr_failed(struct device *device)
{
#ifndef CONFIG_MEMORY_FAILURE
	return 0;
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
	return -1;
#else
	return atomic_long_read(
		&container_of(device, struct memory_block, dev)->nr_hwpoison);
#endif
}

/* Only kernels that handle memory failures have the flag of a page that has failed. */
static inline bool petmem_page_is_failed(const struct page *page)
{
#ifdef CONFIG_MEMORY_FAILURE
	/* A struct page that was filled with a pattern says nothing. */
	return !PagePoisoned(page) && PageHWPoison(page);
#else
	return false;
#endif
}

static inline void petmem_page_set_failed(struct page *page)
{
#ifdef CONFIG_MEMORY_FAILURE
	SetPageHWPoison(page);
#endif
}

/*
 * Machine checks, where the kernel has them built in. The chain is called from a work
 * item, and may sleep (mce_gen_pool_process() in arch/x86/kernel/cpu/mce/genpool.c, on
 * all kernels).
 */
#ifdef CONFIG_X86_MCE
static inline void petmem_mce_register(struct notifier_block *notifier)
{
	notifier->priority = MCE_PRIO_UC;
	mce_register_decode_chain(notifier);
}

static inline void petmem_mce_unregister(struct notifier_block *notifier)
{
	mce_unregister_decode_chain(notifier);
}

/* Did memory fail for good, and is it known where? As for memory_failure(). */
static inline bool petmem_mce_has_address(struct mce *mce)
{
	return !mce_is_correctable(mce) && mce_usable_address(mce);
}
#else
static inline void petmem_mce_register(struct notifier_block *notifier)
{
}

static inline void petmem_mce_unregister(struct notifier_block *notifier)
{
}

static inline bool petmem_mce_has_address(struct mce *mce)
{
	return false;
}
#endif

/*
 * Copy a page, and survive it if the source cannot be read. Without ERMS the kernel has
 * nothing that would: copy_mc_to_kernel() is memcpy() then, which is slower.
 *
 * Return: 0 or -EHWPOISON.
 */
static inline int petmem_copy_mc(void *to, void *from)
{
	if (static_cpu_has(X86_FEATURE_ERMS))
		return copy_mc_to_kernel(to, from, PAGE_SIZE) ? -EHWPOISON : 0;
	copy_page(to, from);
	return 0;
}

/* Global ASIDs, for processors with INVLPGB, came in 6.15. */
static inline bool petmem_has_global_asid(struct mm_struct *mm)
{
#ifdef CONFIG_BROADCAST_TLB_FLUSH
	/* Pairs with the release in mm_assign_global_asid(). */
	return smp_load_acquire(&mm->context.global_asid);
#else
	return false;
#endif
}

#endif /* PETMEM_COMPAT_H */
