// SPDX-License-Identifier: GPL-2.0
/*
 * donation.c - memory on its way from Linux into the pool, and back.
 *
 * A page must not have two owners. Linux owns a block until it is offline, and petmem owns
 * it from its claim (hotplug.h) until it is released. petmem first reads what Linux knew
 * about the pages, then defines their struct pages anew (struct_page.h), and then hands
 * them out.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "donation.h"

#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pfn.h>
#include <linux/suspend.h>

#include <asm/page.h>
#include <asm/processor.h>
#include <asm/set_memory.h>

#include "failure.h"
#include "hotplug.h"
#include "inventory.h"
#include "report.h"
#include "struct_page.h"
#include "trace.h"

/* Is it made of whole memory blocks, inside of the physical address space? */
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

static int stop_at_first(struct resource *resource, void *unused)
{
	return 1;
}

/*
 * Does it belong to a driver that may take it or parts of it away again (virtio-mem, kmem)?
 * region_intersects() is of no use: older kernels look only at the root resources, and the
 * memory of a driver is below its device.
 */
static bool is_drivers(u64 start, u64 size)
{
	return walk_iomem_res_desc(
		       IORES_DESC_NONE,
		       IORESOURCE_SYSTEM_RAM | IORESOURCE_SYSRAM_DRIVER_MANAGED,
		       start, start + size - 1, NULL, stop_at_first) == 1;
}

/*
 * Is the memory in the kernel's direct map, so that it can be cleared? Debugging options
 * take free pages out of the direct map, and taking memory offline does not put them back.
 * Failed pages may be missing: Linux takes them out, too.
 */
static bool is_mapped(u64 start, u64 size, const unsigned long *failed)
{
	u64 addr = start;

	while (addr < start + size) {
		unsigned int level;
		pte_t *pte = lookup_address((unsigned long)__va(addr), &level);

		if ((!pte || !(pte_val(*pte) & _PAGE_PRESENT) ||
		     !pte_write(*pte)) &&
		    !test_bit(PHYS_PFN(addr - start), failed))
			return false;
		addr = (addr | ~page_level_mask(level)) + 1;
	}
	return true;
}

/* Does the memory contain its own struct pages (memmap_on_memory)? */
static bool holds_own_memmap(u64 start, u64 size)
{
	unsigned long first = (unsigned long)pfn_to_page(PHYS_PFN(start));
	phys_addr_t memmap = slow_virt_to_phys((void *)first);

	return memmap >= start && memmap < start + size;
}

/* Put claimed memory into the pool. */
static int take_in(u64 start, u64 size, int node, unsigned long *failed)
{
	int err = petmem_struct_pages_find_failed(start, size, node, failed);

	if (err)
		return err;
	if (!is_mapped(start, size, failed) || holds_own_memmap(start, size))
		return -EOPNOTSUPP;
	petmem_struct_pages_define(start, size, node, failed);
	return petmem_pool_add(start, size, node, failed);
}

static int claim_and_take_in(u64 start, u64 size, int node)
{
	unsigned long *failed;
	int err;

	failed = kvcalloc(BITS_TO_LONGS(PHYS_PFN(size)), sizeof(*failed),
			  GFP_KERNEL);
	if (!failed)
		return -ENOMEM;
	err = petmem_hotplug_claim(start, size);
	if (err)
		goto err_free_failed;
	err = take_in(start, size, node, failed);
	if (err)
		goto err_unclaim;
	return 0;

err_unclaim:
	petmem_hotplug_unclaim(start, size);
err_free_failed:
	kvfree(failed);
	return err;
}

static int check_memory(u64 start, u64 size)
{
	if (!is_well_formed(start, size) || !is_ram(start, size))
		return -EINVAL;
	if (petmem_pool_overlaps(start, size))
		return -EEXIST;
	return is_drivers(start, size) ? -EOPNOTSUPP : 0;
}

int petmem_donate(const struct petmem_extent *extent)
{
	int err = check_memory(extent->start, extent->size);
	int node;

	if (err)
		return err;
	/* pfn_to_nid() would read a struct page. */
	node = memory_add_physaddr_to_nid(extent->start);
	err = claim_and_take_in(extent->start, extent->size, node);
	if (err)
		return err;
	/* Without the module, donated memory would stay offline and be forgotten. */
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
	petmem_hotplug_unclaim(extent->start, extent->size);
	trace_petmem_release(extent->start, extent->size);
	module_put(THIS_MODULE);
	pr_info("released [mem %#llx-%#llx]\n", extent->start,
		extent->start + extent->size - 1);
	return 0;
}

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
	int err = petmem_hotplug_init();

	if (err)
		return err;
	err = register_pm_notifier(&power_notifier);
	if (err)
		goto err_hotplug_exit;
	petmem_failure_init();
	return 0;

err_hotplug_exit:
	petmem_hotplug_exit();
	return err;
}

void petmem_donation_exit(void)
{
	petmem_failure_exit();
	unregister_pm_notifier(&power_notifier);
	petmem_hotplug_exit();
}
