/* SPDX-License-Identifier: GPL-2.0 */
/*
 * delays_walkers.h - delays of Linux's own walkers in petmem's page tables.
 *
 * Kbuild includes this in front of main.c in a build with delays.h. Where the kernel has
 * kprobes, a walker sometimes waits after it has read an entry of a PMD table and before
 * it locks the table behind that. A kernel may lack some of these functions.
 */
#ifndef PETMEM_DELAYS_WALKERS_H
#define PETMEM_DELAYS_WALKERS_H

#include "delays.h"

#ifdef CONFIG_KPROBES

#include <linux/kprobes.h>
#include <linux/miscdevice.h>

#include "../../petmem.h"

#define PETMEM_WALKER_CHANCE 4
#define PETMEM_WALKER_MAX_US 500

static inline bool petmem_walker_is_ours(u64 addr)
{
	return addr >= PETMEM_REGION_START && addr < PETMEM_REGION_END;
}

/* The address is the second or the third argument of each. */
static int petmem_walker_delay(struct kprobe *probe, struct pt_regs *regs)
{
	u32 random = petmem_delay_random();

	if ((petmem_walker_is_ours(regs->si) ||
	     petmem_walker_is_ours(regs->dx)) &&
	    random % PETMEM_WALKER_CHANCE == 0)
		udelay((random >> 16) % PETMEM_WALKER_MAX_US);
	return 0;
}

#define PETMEM_WALKER(function)                                                \
	{                                                                      \
		.symbol_name = (function), .pre_handler = petmem_walker_delay, \
	}

static struct kprobe petmem_walkers[] = {
	PETMEM_WALKER("__pte_offset_map_lock"), /* faults, and most others */
	PETMEM_WALKER("smaps_pte_range"),
	PETMEM_WALKER("gather_pte_stats"),
	PETMEM_WALKER("pagemap_pmd_range"),
	PETMEM_WALKER("pagemap_scan_pmd_entry"),
	PETMEM_WALKER("clear_refs_pte_range"),
	PETMEM_WALKER("queue_folios_pte_range"),
	PETMEM_WALKER("queue_pages_pte_range"),
	PETMEM_WALKER("mincore_pte_range"),
	PETMEM_WALKER("madvise_cold_or_pageout_pte_range"),
};

static bool petmem_walker_is_probed[ARRAY_SIZE(petmem_walkers)];

static inline void petmem_walkers_let_go(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(petmem_walkers); i++)
		if (petmem_walker_is_probed[i])
			unregister_kprobe(&petmem_walkers[i]);
}

static inline int petmem_delayed_misc_register(struct miscdevice *device)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(petmem_walkers); i++)
		petmem_walker_is_probed[i] =
			!register_kprobe(&petmem_walkers[i]);
	err = misc_register(device);
	if (err)
		petmem_walkers_let_go();
	return err;
}

static inline void petmem_delayed_misc_deregister(struct miscdevice *device)
{
	misc_deregister(device);
	petmem_walkers_let_go();
}

#undef misc_register
#define misc_register petmem_delayed_misc_register
#undef misc_deregister
#define misc_deregister petmem_delayed_misc_deregister

#endif /* CONFIG_KPROBES */

#endif /* PETMEM_DELAYS_WALKERS_H */
