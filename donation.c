// SPDX-License-Identifier: GPL-2.0
/*
 * donation.c - memory on its way from Linux into the pool, and back.
 *
 * Two parties must not own a page. A block is Linux's until it is offline, and
 * petmem's from then until it is released; what keeps it so is the memory notifier,
 * which refuses to bring a block of the pool online. Linux calls it with
 * MEM_GOING_ONLINE before a block's sections are marked online, and with MEM_ONLINE
 * or MEM_CANCEL_ONLINE afterwards (online_pages() in mm/memory_hotplug.c); between
 * the two the block looks offline and is not free, so it is remembered. Where there is
 * MEM_PREPARE_ONLINE, it comes first, before the block's struct pages are made anew.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "donation.h"

#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pfn.h>
#include <linux/suspend.h>

#include <asm/page.h>
#include <asm/processor.h>
#include <asm/set_memory.h>

#include "compat.h"
#include "pool.h"
#include "trace.h"

/* Serialises donations with blocks that come online. */
static DEFINE_MUTEX(donation_mutex);
/* The block that is coming online; there is one at a time. Under donation_mutex. */
static u64 onlining_start;
static u64 onlining_size;

static bool overlaps_onlining(u64 start, u64 size)
{
	return start < onlining_start + onlining_size &&
	       onlining_start < start + size;
}

/* Whole memory blocks inside the physical address space? */
static bool is_well_formed(u64 start, u64 size)
{
	u64 block_size = memory_block_size_bytes();
	u64 limit = BIT_ULL(boot_cpu_data.x86_phys_bits);

	return size && !(start % block_size) && !(size % block_size) &&
	       start < limit && size <= limit - start &&
	       size >> PAGE_SHIFT <= U32_MAX;
}

static bool is_ram(u64 start, u64 size)
{
	u64 pfn;

	for (pfn = PHYS_PFN(start); pfn < PHYS_PFN(start + size); pfn++)
		if (!page_is_ram(pfn))
			return false;
	return true;
}

static bool is_offline(u64 start, u64 size)
{
	u64 pfn;

	for (pfn = PHYS_PFN(start); pfn < PHYS_PFN(start + size);
	     pfn += PAGES_PER_SECTION)
		if (pfn_to_online_page(pfn))
			return false;
	return true;
}

/*
 * Is the memory in the kernel's direct map, so that it can be cleared? Debugging
 * options take free pages out of it, and offlining does not put them back.
 */
static bool is_mapped(u64 start, u64 size)
{
	u64 addr = start;

	while (addr < start + size) {
		unsigned int level;
		pte_t *pte = lookup_address((unsigned long)__va(addr), &level);

		if (!pte || !(pte_val(*pte) & _PAGE_PRESENT) ||
		    !pte_write(*pte))
			return false;
		addr = (addr | ~page_level_mask(level)) + 1;
	}
	return true;
}

/* Are the page structs of the memory inside of it (memmap_on_memory)? */
static bool holds_own_memmap(u64 start, u64 size)
{
	unsigned long first = (unsigned long)pfn_to_page(PHYS_PFN(start));
	phys_addr_t memmap = slow_virt_to_phys((void *)first);

	return memmap >= start && memmap < start + size;
}

static int check(u64 start, u64 size)
{
	lockdep_assert_held(&donation_mutex);

	if (!is_well_formed(start, size) || !is_ram(start, size))
		return -EINVAL;
	if (petmem_pool_overlaps(start, size))
		return -EEXIST;
	if (!is_offline(start, size) || overlaps_onlining(start, size))
		return -EBUSY;
	if (!is_mapped(start, size) || holds_own_memmap(start, size))
		return -EOPNOTSUPP;
	return 0;
}

int petmem_donate(const struct petmem_extent *extent)
{
	int node;
	int err;

	mutex_lock(&donation_mutex);
	err = check(extent->start, extent->size);
	if (!err) {
		petmem_kasan_unpoison(__va(extent->start), extent->size);
		/*
		 * Not pfn_to_nid(): the page structs of offline memory are
		 * not defined.
		 */
		node = memory_add_physaddr_to_nid(extent->start);
		err = petmem_pool_add(extent->start, extent->size, node);
	}
	mutex_unlock(&donation_mutex);
	if (err)
		return err;
	/* No rmmod while memory is donated: it would stay offline, forgotten. */
	__module_get(THIS_MODULE);
	trace_petmem_donate(extent->start, extent->size, node);
	pr_info("donated [mem %#llx-%#llx] of node %d, %llu pages\n",
		extent->start, extent->start + extent->size - 1, node,
		extent->size >> PAGE_SHIFT);
	return 0;
}

int petmem_release(const struct petmem_extent *extent)
{
	int err = petmem_pool_remove(extent->start, extent->size);

	if (err)
		return err;
	trace_petmem_release(extent->start, extent->size);
	module_put(THIS_MODULE);
	pr_info("released [mem %#llx-%#llx]\n", extent->start,
		extent->start + extent->size - 1);
	return 0;
}

static int memory_event(struct notifier_block *notifier, unsigned long event,
			void *data)
{
	const struct memory_notify *notify = data;
	u64 start = PFN_PHYS(notify->start_pfn);
	u64 size = PFN_PHYS(notify->nr_pages);
	int result = NOTIFY_OK;

	mutex_lock(&donation_mutex);
	switch (event) {
	case MEM_PREPARE_ONLINE:
	case MEM_GOING_ONLINE:
		if (petmem_pool_overlaps(start, size)) {
			result = notifier_from_errno(-EBUSY);
			break;
		}
		onlining_start = start;
		onlining_size = size;
		break;
	case MEM_ONLINE:
	case MEM_CANCEL_ONLINE:
		onlining_size = 0;
		break;
	}
	mutex_unlock(&donation_mutex);
	return result;
}

static struct notifier_block memory_notifier = {
	.notifier_call = memory_event,
};

static int power_event(struct notifier_block *notifier, unsigned long event,
		       void *data)
{
	struct petmem_status status;

	if (event != PM_HIBERNATION_PREPARE)
		return NOTIFY_DONE;
	petmem_pool_status(&status);
	if (!status.total_pages)
		return NOTIFY_OK;
	pr_err("no hibernation while memory is donated: it would not be saved\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block power_notifier = {
	.notifier_call = power_event,
};

int petmem_donation_init(void)
{
	int err = register_memory_notifier(&memory_notifier);

	if (err)
		return err;
	err = register_pm_notifier(&power_notifier);
	if (err)
		unregister_memory_notifier(&memory_notifier);
	return err;
}

void petmem_donation_exit(void)
{
	unregister_pm_notifier(&power_notifier);
	unregister_memory_notifier(&memory_notifier);
}
