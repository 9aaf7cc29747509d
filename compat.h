/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - every difference between the kernels that petmem supports.
 *
 * The oldest is 5.10. The rest of the module is written for the newest. This file adds
 * what older kernels lack, under the newer name. No other file looks at a kernel version,
 * or at a configuration option whose name has changed.
 */
#ifndef PETMEM_COMPAT_H
#define PETMEM_COMPAT_H

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/kasan.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/percpu.h>
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

/* Since 6.3 a function sets the flags of a VMA, and locks the VMA. */
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
 * in 6.7, and until July 2026 it accepted any writable mapping: Linux then makes tables of
 * its own in the region, and removes entries (change_pmd_range() in mm/mprotect.c). Older
 * kernels got the check as well, so the version does not tell whether it is there. Kbuild
 * finds out from the header:
 *
 *   PETMEM_USERFAULTFD_SYNC    the kernel does not have the feature.
 *   PETMEM_USERFAULTFD_INLINE  the header has the function that decides: call it. Its
 *     arguments are constants, so the compiler leaves nothing but the answer.
 *   neither                    modules cannot call it; 7.2 was the first to have the check.
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
 * vm_operations_struct.mprotect came in 5.11. Without it, a program can take permissions
 * away from a whole mapping, and Linux changes the entries. So older kernels have no native
 * mode.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define PETMEM_VM_OP_MPROTECT(function)
static inline bool petmem_has_native_faults(void)
{
	return false;
}

/*
 * A protection key is not a permission: pkey_mprotect() writes it into all entries, even
 * in a mapping that has no permissions.
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
 * The bits of a 2 MiB entry which say that the page has no struct page. They keep
 * get_user_pages_fast(), and all other code that looks at tables, away from the page:
 *
 *   6.12 and newer: pmd_special(), as pte_special() for 4 KiB.
 *   older: pmd_devmap(). The fast walker looks for the page among those of devices and
 *     does not find it (__gup_device_huge() in mm/gup.c). pmd_trans_huge() is false, so
 *     nothing takes the page for a compound page. Faults and unmapping check for both.
 *     From 6.2 to 6.5, /proc/PID/smaps used the struct page all the same
 *     (smaps_pmd_entry() in fs/proc/task_mmu.c): no 2 MiB pages there.
 *
 * Without transparent huge pages, Linux would take the entry for a table.
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
 * The same for 1 GiB entries. Readers of a PUD leaf check pud_special() or pud_devmap(), as
 * above (gup_huge_pud() or gup_fast_pud_leaf() in mm/gup.c, and __handle_mm_fault() in
 * mm/memory.c). There is one exception: since 6.2, smaps and similar files walk the tables
 * of every mapping, and want a 1 GiB page split first (walk_pud_range() in mm/pagewalk.c).
 * Linux splits it by removing the entry, as if a fault could bring the page back. Before
 * that it calls the mmu notifiers with MMU_NOTIFY_CLEAR for exactly this 1 GiB, and then
 * checks again whether the entry is a leaf (__split_huge_pud() in mm/huge_memory.c). So
 * process.c splits the page when its notifier is called.
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
 * Release the lock under which Linux has called a fault operation: the mmap lock, or since
 * 6.7 the VMA's lock.
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

/* MEM_PREPARE_ONLINE existed from 6.9 to 6.18. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define MEM_PREPARE_ONLINE (~0UL)
#endif

/*
 * Initialise the lock of a page table, which Linux takes to look at the entries. It is in
 * the struct page of the table. Where locks are large (lockdep, PREEMPT_RT), the struct page
 * has a pointer to it instead; then all tables use @shared. Since 6.6, the part of struct
 * page that a page table uses is called struct ptdesc.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define petmem_table_descriptor(table) virt_to_page(table)
#else
#define petmem_table_descriptor(table) virt_to_ptdesc(table)
#endif

static inline void petmem_init_table_lock(void *table, spinlock_t *shared)
{
#if ALLOC_SPLIT_PTLOCKS
	petmem_table_descriptor(table)->ptl = shared;
#else
	spin_lock_init(&petmem_table_descriptor(table)->ptl);
#endif
}

static inline spinlock_t *petmem_table_lock(void *table)
{
#if ALLOC_SPLIT_PTLOCKS
	return petmem_table_descriptor(table)->ptl;
#else
	return &petmem_table_descriptor(table)->ptl;
#endif
}

/*
 * Allocate a P4D table as p4d_alloc_one() does for a user's table. That function uses a
 * symbol that is not exported. Since 6.14, tables of this level have a constructor.
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
 * Does KVM map a page by its last entry alone, whatever the mapping allows? It does since
 * 6.13 (hva_to_pfn_remapped() in virt/kvm/kvm_main.c). Older kernels want a reference to
 * the page: struct_page.h says why they get none.
 */
static inline bool petmem_kvm_follows_entries(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0);
}

/*
 * Is an mm bound to a device that walks its page tables itself (SVA), or was it ever?
 * Before 6.6, the driver of such a device hears of every invalidation, as mmu notifiers do.
 * Since then, it hears only of TLB flushes.
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
	 * The page-table entries were changed before this point. A device that is bound
	 * after the look finds them changed.
	 */
	smp_mb();
	return mm_valid_pasid(mm);
}
#endif

/* Since 7.2 the flags of a device have functions. */
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
 * The number of failed pages in a memory block. Linux counts them since 6.2. Before, only
 * their struct pages say so, and this returns a negative number.
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

/* Only kernels that handle memory failures have a flag for failed pages. */
static inline bool petmem_page_is_failed(struct page *page)
{
#ifdef CONFIG_MEMORY_FAILURE
	/* A struct page that was filled with a poison pattern has no valid flags. */
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
 * Does a processor run a kernel thread that has borrowed an address space ("lazy TLB")? It
 * uses no user translation, and flushes old ones before a task can: see tlb.c. Since 5.13
 * modules can read the variable, but asm/tlbflush.h hides its type from them. On older
 * kernels, false is a safe answer.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 13, 0)
static inline bool petmem_cpu_is_lazy(int cpu)
{
	return false;
}
#else
struct tlb_state_shared {
	bool is_lazy;
};

DECLARE_PER_CPU_SHARED_ALIGNED(struct tlb_state_shared, cpu_tlbstate_shared);

static inline bool petmem_cpu_is_lazy(int cpu)
{
	/* Linux writes it without a mark for KCSAN. */
	return data_race(per_cpu(cpu_tlbstate_shared, cpu).is_lazy);
}
#endif

/*
 * Machine checks, on kernels built with them. A work item calls the chain, so it may sleep
 * (mce_gen_pool_process() in arch/x86/kernel/cpu/mce/genpool.c, on all kernels).
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

/* Did memory fail for good, at a known address? Linux asks the same for memory_failure(). */
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
 * Copy a page, and survive if the source cannot be read. Without ERMS no function of the
 * kernel survives that: copy_mc_to_kernel() is memcpy() then, and copy_page() is faster.
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
