// SPDX-License-Identifier: GPL-2.0
/*
 * tlb.c - TLB shootdown.
 *
 * A translation of an address space can be cached
 *
 *   - on the processors that run the address space now. They are in mm_cpumask(). Each gets
 *     an interrupt and runs invlpg.
 *   - on the processors that run a kernel thread that borrowed the address space ("lazy
 *     TLB"). They are in the mask, too, but use no translation of a user address. Before
 *     such a processor runs a task of the address space, switch_mm_irqs_off() clears
 *     is_lazy, and then flushes if tlb_gen has been raised. petmem raises tlb_gen before it reads
 *     is_lazy. So either the processor sees the new generation, or it gets the interrupt.
 *     If tables are removed, it always gets one, because it may walk them speculatively
 *     while they are freed. Linux does the same (should_flush_tlb() in arch/x86/mm/tlb.c).
 *   - on processors that ran it before and kept its entries under its PCID.
 *     switch_mm_irqs_off() first puts a processor into mm_cpumask(), and then compares
 *     the mm's tlb_gen with the generation that the processor has seen. If they differ,
 *     it flushes. petmem raises the generation before it reads the mask, so a processor
 *     that is not in the mask sees the new generation.
 *   - under a global ASID, which Linux gives to busy address spaces on processors that
 *     have INVLPGB. Any processor may have such entries, and a switch back does not look
 *     at tlb_gen. Then every processor drops everything.
 *
 * With page-table isolation and PCID, an address space has two PCIDs. invlpg works on the
 * current one, the kernel's. The user's PCID is the same number with bit 11 set
 * (X86_CR3_PTI_PCID_USER_BIT), and needs a separate invalidation. Without PCID, the change
 * of CR3 on the way back to user mode flushes the user's translations.
 *
 * invlpg also drops the whole paging-structure cache of the current PCID, for any address
 * (Intel SDM volume 3A, section 4.10.4.1). This makes it safe to free the tables on the
 * path. It drops all translations of the page that holds the address, whatever its size.
 */
#include "tlb.h"

#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/smp.h>

#include <asm/invpcid.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "compat.h"

/*
 * For more pages than this, one full flush is cheaper. Linux has the same default
 * (tlb_single_page_flush_ceiling in arch/x86/mm/tlb.c).
 */
#define FULL_FLUSH_PAGES 33

struct shootdown {
	u64 start;
	u64 end;
	u64 stride;
};

static bool has_user_pcid(void)
{
	return petmem_has_pti() && static_cpu_has(X86_FEATURE_PCID);
}

static unsigned long user_pcid(void)
{
	return (__native_read_cr3() & CR3_PCID_MASK) |
	       BIT(X86_CR3_PTI_PCID_USER_BIT);
}

/*
 * Changing CR4.PGE invalidates all translations of all PCIDs (SDM volume 3A, section
 * 4.10.4.1). Processors with PCID but without INVPCID need this: nothing else reaches the
 * user's PCID without running on its page tables.
 */
static void flush_all_pcids(void)
{
	unsigned long cr4 = __read_cr4();

	asm volatile("mov %0, %%cr4" : : "r"(cr4 ^ X86_CR4_PGE) : "memory");
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

static void flush_address_space(void)
{
	if (has_user_pcid() && !static_cpu_has(X86_FEATURE_INVPCID)) {
		flush_all_pcids();
		return;
	}
	if (has_user_pcid())
		invpcid_flush_single_context(user_pcid());
	/* Loading CR3 drops all translations of its PCID, except for global pages. */
	native_write_cr3(__native_read_cr3());
}

static void flush_page(u64 addr)
{
	asm volatile("invlpg (%0)" : : "r"(addr) : "memory");
	if (has_user_pcid())
		invpcid_flush_one(user_pcid(), addr);
}

/* Runs on each processor of the mask with interrupts off. */
static void flush_here(void *info)
{
	const struct shootdown *shootdown = info;
	u64 pages = (shootdown->end - shootdown->start) / shootdown->stride;
	u64 addr;

	if (pages > FULL_FLUSH_PAGES ||
	    (has_user_pcid() && !static_cpu_has(X86_FEATURE_INVPCID))) {
		flush_address_space();
		return;
	}
	for (addr = shootdown->start; addr < shootdown->end;
	     addr += shootdown->stride)
		flush_page(addr);
}

static void flush_everything_here(void *unused)
{
	invpcid_flush_all_nonglobals();
}

/* Must a processor answer if only pages have changed? */
static bool is_busy(int cpu, void *unused)
{
	return !petmem_cpu_is_lazy(cpu);
}

void petmem_tlb_shootdown(struct mm_struct *mm, u64 start, u64 end, u64 stride,
			  bool tables)
{
	struct shootdown shootdown = {
		.start = start,
		.end = end,
		.stride = stride,
	};

	lockdep_assert_irqs_enabled();
	/*
	 * This is inc_mm_tlb_gen(), which asm/tlbflush.h hides from modules. It is a full
	 * barrier: entries change before it, and the mask is read after it. A processor that
	 * enters the mask meanwhile loads the new entries. Linux reads the mask in the same
	 * way, without a mark for KCSAN (flush_tlb_multi() in arch/x86/mm/tlb.c).
	 */
	atomic64_inc_return(&mm->context.tlb_gen);
	if (petmem_has_global_asid(mm))
		on_each_cpu(flush_everything_here, NULL, true);
	else if (tables)
		on_each_cpu_mask(mm_cpumask(mm), flush_here, &shootdown, true);
	else
		on_each_cpu_cond_mask(is_busy, flush_here, &shootdown, true,
				      mm_cpumask(mm));
}

static void shoot_one(struct mm_struct *mm, u64 addr, bool tables)
{
	addr &= PAGE_MASK;
	petmem_tlb_shootdown(mm, addr, addr + PAGE_SIZE, PAGE_SIZE, tables);
}

void petmem_tlb_shoot_page(struct mm_struct *mm, u64 addr)
{
	shoot_one(mm, addr, false);
}

void petmem_tlb_shoot_path(struct mm_struct *mm, u64 addr)
{
	shoot_one(mm, addr, true);
}

void petmem_tlb_forget_page(struct mm_struct *mm, u64 addr)
{
	struct shootdown page = {
		.start = addr,
		.end = addr + PAGE_SIZE,
		.stride = PAGE_SIZE,
	};

	might_sleep();
	on_each_cpu_mask(mm_cpumask(mm), flush_here, &page, true);
}
