// SPDX-License-Identifier: GPL-2.0
/*
 * reservation.c - the mapping of the device that covers the region, and its operations.
 *
 * The reservation VMA covers the region, so Linux never puts anything else there. It is a
 * shared mapping with VM_IO | VM_PFNMAP, which keeps Linux's own walkers away. Nobody can
 * split it (may_split), move it (get_unmapped_area, mremap) or change its permissions (no
 * VM_MAY*, or mprotect).
 *
 * Native faults arrive here: Linux calls the operation fault for an address without a page,
 * and pfn_mkwrite or huge_fault for a write to a read-only page. They all lead to
 * petmem_handle_pagefault(), as the ioctl does. In signal mode the VMA has no permissions,
 * and an access raises SIGSEGV.
 *
 * Forks arrive here as well: fork calls the operation open for the child's copy of the VMA.
 */
#include "reservation.h"

#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>

#include "access.h"
#include "compat.h"
#include "cow.h"
#include "on_demand.h"
#include "petmem.h"
#include "pgtables.h"
#include "process.h"

static const struct vm_operations_struct reservation_ops;

static struct vm_area_struct *reservation_of(struct mm_struct *mm)
{
	struct vm_area_struct *vma = find_vma(mm, PETMEM_REGION_START);

	return vma && vma->vm_ops == &reservation_ops ? vma : NULL;
}

/* ---- Faults that Linux brings ---- */

/*
 * May the lock under which Linux has called be released, and the fault be repeated? In
 * fixup_user_fault() for a futex (mm/gup.c), for example, it may not.
 */
static bool may_repeat(const struct vm_fault *vmf)
{
	return (vmf->flags & FAULT_FLAG_ALLOW_RETRY) &&
	       !(vmf->flags & FAULT_FLAG_RETRY_NOWAIT);
}

/*
 * Do what the fault needs, and let Linux repeat it. The caller of handle_mm_fault() has a
 * reference to the mm, so the process stays; the VMA may go when its lock is released. If
 * there are no pages to unshare a table, the repeated fault fails, too.
 *
 * Linux ignores VM_FAULT_RETRY after pfn_mkwrite (wp_pfn_shared() in mm/memory.c), so
 * VM_FAULT_NOPAGE is set as well.
 */
static vm_fault_t prepare_and_repeat(struct petmem_process *process,
				     struct vm_fault *vmf, int err)
{
	u64 addr = vmf->address;

	petmem_release_fault_lock(vmf);
	petmem_prepare_repeat(process, addr, err);
	return VM_FAULT_RETRY | VM_FAULT_NOPAGE;
}

static vm_fault_t serve_fault(struct vm_fault *vmf, u32 error_code)
{
	struct mm_struct *mm = vmf->vma->vm_mm;
	struct petmem_process *process = petmem_process_find(mm);
	bool may_wait = may_repeat(vmf) && !(vmf->flags & FAULT_FLAG_TRIED);
	int err = -EFAULT;

	error_code |= PETMEM_FAULT_USER;
	if (process)
		err = petmem_handle_pagefault(process, vmf->address, error_code,
					      may_wait, NULL);
	if (err == -EBUSY || (err == -EAGAIN && may_repeat(vmf)))
		return prepare_and_repeat(process, vmf, err);
	while (err == -EAGAIN) {
		err = petmem_cow_unshare_now(process, vmf->address);
		if (!err)
			err = petmem_handle_pagefault(process, vmf->address,
						      error_code, false, NULL);
	}
	if (err == -EHWPOISON)
		return VM_FAULT_HWPOISON;
	return err ? VM_FAULT_SIGSEGV : VM_FAULT_NOPAGE;
}

static vm_fault_t reservation_fault(struct vm_fault *vmf)
{
	return serve_fault(
		vmf, vmf->flags & FAULT_FLAG_WRITE ? PETMEM_FAULT_WRITE : 0);
}

static vm_fault_t reservation_mkwrite(struct vm_fault *vmf)
{
	return serve_fault(vmf, PETMEM_FAULT_PRESENT | PETMEM_FAULT_WRITE);
}

/*
 * Linux calls this for a write to a read-only 2 MiB page, and newer kernels for any fault
 * without a page. For VM_FAULT_FALLBACK, Linux would clear the entry itself (wp_huge_pmd()
 * in mm/memory.c).
 */
static vm_fault_t reservation_huge_fault(struct vm_fault *vmf,
					 PETMEM_HUGE_FAULT_SIZE size)
{
	return reservation_fault(vmf);
}

/*
 * This maps nothing. But Linux calls fault under the VMA's lock alone only for mappings
 * that have this operation (vmf_can_call_fault() in mm/memory.c). The VMA's lock is enough
 * for us: fork, free and munmap() of this mm take it for writing.
 */
static vm_fault_t __maybe_unused reservation_map_pages(struct vm_fault *vmf,
						       pgoff_t start,
						       pgoff_t end)
{
	return 0;
}

/* For ptrace and /proc/PID/mem, which cannot access a VM_IO mapping themselves. */
static int reservation_access(struct vm_area_struct *vma, unsigned long addr,
			      void *buf, int len, int write)
{
	struct petmem_process *process = petmem_process_find(vma->vm_mm);

	if (!process)
		return -EFAULT;
	return petmem_access_vspace(process, addr, buf, len, write);
}

/* ---- Operations on the mapping ---- */

/*
 * fork has copied the VMA. VM_WIPEONFORK keeps it from copying the page tables, too, but
 * madvise(MADV_KEEPONFORK) can clear this flag. dup_mmap() in kernel/fork.c (since 6.17 in
 * mm/mmap.c) looks at the flag after it has called this. 5.10 looked before. Then the
 * child's copies of the entries have to be removed before it runs; it has tables of Linux's,
 * and gets no memory.
 *
 * A child without memory also gets no access, or Linux would make tables for it. VM_MAYWRITE
 * stays, because Linux counts the mappings of the device that have it.
 */
static void reservation_open(struct vm_area_struct *vma)
{
	struct petmem_process *parent = petmem_process_find(current->mm);

	if (!(vma->vm_flags & VM_WIPEONFORK)) {
		vm_flags_set(vma, VM_WIPEONFORK);
		zap_special_vma_range(vma, vma->vm_start,
				      vma->vm_end - vma->vm_start);
	}
	if (vma->vm_mm != current->mm &&
	    (!parent || !petmem_cow_fork(parent, vma)))
		vm_flags_clear(vma, VM_READ | VM_WRITE);
}

static int reservation_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int reservation_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static int __maybe_unused reservation_mprotect(struct vm_area_struct *vma,
					       unsigned long start,
					       unsigned long end,
					       unsigned long newflags)
{
	return -EACCES;
}

static const struct vm_operations_struct reservation_ops = {
	.open = reservation_open,
	.may_split = reservation_may_split,
	.mremap = reservation_mremap,
	PETMEM_VM_OP_MPROTECT(reservation_mprotect)
		PETMEM_VM_OP_MAP_PAGES(reservation_map_pages)
			.fault = reservation_fault,
	.huge_fault = reservation_huge_fault,
	.pfn_mkwrite = reservation_mkwrite,
	.access = reservation_access,
};

/* ---- Making it ---- */

int petmem_reservation_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long permissions =
		vma->vm_flags & (VM_READ | VM_WRITE | VM_EXEC);
	bool native = permissions == (VM_READ | VM_WRITE);

	if (vma->vm_start != PETMEM_REGION_START ||
	    vma->vm_end != PETMEM_REGION_END || vma->vm_pgoff ||
	    !(vma->vm_flags & VM_SHARED) || (permissions && !native))
		return -EINVAL;
	if (native &&
	    (!petmem_has_native_faults() || !petmem_pgtables_are_sealed()))
		return -EOPNOTSUPP;
	/* Linux would warn of a write fault without VM_MAYWRITE. */
	vm_flags_clear(vma, native ? VM_MAYEXEC
				   : VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP |
				  VM_WIPEONFORK);
	vma->vm_ops = &reservation_ops;
	return petmem_process_reserve(vma, native);
}

unsigned long petmem_reservation_get_unmapped_area(struct file *file,
						   unsigned long addr,
						   unsigned long len,
						   unsigned long pgoff,
						   unsigned long flags)
{
	if (!(flags & MAP_FIXED) || addr != PETMEM_REGION_START ||
	    len != PETMEM_REGION_SIZE)
		return -EINVAL;
	return addr;
}

/*
 * There is, or was a moment ago, a mapping in the region. It may be our own: another thread
 * has just made it, or fork could not give this child its parent's memory.
 */
static int adopt_mapping(struct mm_struct *mm, bool native)
{
	struct vm_area_struct *vma;
	int err = -EEXIST;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma = reservation_of(mm);
	if (vma)
		err = native == !!(vma->vm_flags & VM_MAYWRITE)
			      ? petmem_process_reserve(vma, native)
			      : -EBUSY;
	else if (!find_vma_intersection(mm, PETMEM_REGION_START,
					PETMEM_REGION_END))
		err = -EAGAIN;
	if (!err && native)
		vm_flags_set(vma, VM_READ | VM_WRITE);
	mmap_write_unlock(mm);
	return err;
}

int petmem_reservation_make(struct file *file, bool native)
{
	unsigned long addr;

	addr = vm_mmap(file, PETMEM_REGION_START, PETMEM_REGION_SIZE,
		       native ? PROT_READ | PROT_WRITE : PROT_NONE,
		       MAP_SHARED | MAP_FIXED_NOREPLACE, 0);
	if (addr == (unsigned long)-EEXIST)
		return adopt_mapping(current->mm, native);
	return IS_ERR_VALUE(addr) ? (int)addr : 0;
}
