// SPDX-License-Identifier: GPL-2.0
/*
 * hotplug.c - keep Linux's memory hotplug away from donated memory.
 *
 * Linux brings a block online only through its device: device_online() in
 * drivers/base/core.c, under the device's lock. It does nothing if the device's offline flag
 * is not set. So a claimed block has the flag cleared, although its state is offline, and an
 * attempt ends with EINVAL before anything has changed. The memory notifier alone would come
 * too late: before online_pages() in mm/memory_hotplug.c calls it, move_pfn_range_to_zone()
 * initialises all struct pages of the block. Those of our page tables contain the locks
 * (ptl) that processors may hold or wait for at this moment. A cleared lock lets two
 * processors in, or never lets a waiter in; and where the lock is a pointer, the pointer is
 * gone. Nothing could repair that afterwards. (From 6.9 to 6.18, MEM_PREPARE_ONLINE asked in
 * time.)
 *
 * A claimed block also has the flag that forbids taking it offline. This stops unplugging,
 * which first takes the blocks of a DIMM offline (acpi_scan_try_to_offline() in
 * drivers/acpi/scan.c): for a block that is offline already, it would go on and take the
 * memory away. An unplugging that is past this step when a donation begins is not stopped:
 * device_hotplug_lock, which covers both, is not exported.
 *
 * The notifier stays, as Linux's promise to modules: it refuses what the device core should
 * not have let through, and warns.
 */
#include "hotplug.h"

#include <linux/cpu.h>
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/memory.h>
#include <linux/notifier.h>
#include <linux/pfn.h>
#include <linux/string.h>

#include "compat.h"
#include "inventory.h"

/* A block's device has this name, followed by the block's number. */
#define BLOCK_NAME "memory"

/*
 * The device of a block. The bus of these devices is not exported. But all devices are in
 * one kset, and a processor's device leads to it.
 */
static struct device *find_device(u64 block)
{
	struct device *any = get_cpu_device(0), *device;
	struct kobject *kobject;
	char name[sizeof(BLOCK_NAME) + 20];

	if (!any)
		return NULL;
	snprintf(name, sizeof(name), BLOCK_NAME "%llu", block);
	kobject = kset_find_obj(any->kobj.kset, name);
	if (!kobject)
		return NULL;
	device = kobj_to_dev(kobject);
	if (device->bus && !strcmp(device->bus->name, BLOCK_NAME) &&
	    device->id == block)
		return device;
	put_device(device);
	return NULL;
}

static int claim_block(u64 block)
{
	struct device *device = find_device(block);
	int err = -EBUSY;

	if (!device)
		return -EOPNOTSUPP;
	device_lock(device);
	if (dev_offline(device)) {
		dev_assign_offline(device, false);
		dev_assign_offline_disabled(device, true);
		err = 0;
	}
	device_unlock(device);
	put_device(device);
	return err;
}

static void unclaim_block(u64 block)
{
	struct device *device = find_device(block);

	if (WARN_ON_ONCE(!device))
		return;
	device_lock(device);
	dev_assign_offline_disabled(device, false);
	dev_assign_offline(device, true);
	device_unlock(device);
	put_device(device);
}

int petmem_hotplug_claim(u64 start, u64 size)
{
	u64 block_size = memory_block_size_bytes();
	u64 addr;
	int err;

	for (addr = start; addr < start + size; addr += block_size) {
		err = claim_block(addr / block_size);
		if (err) {
			petmem_hotplug_unclaim(start, addr - start);
			return err;
		}
	}
	return 0;
}

void petmem_hotplug_unclaim(u64 start, u64 size)
{
	u64 block_size = memory_block_size_bytes();
	u64 addr;

	for (addr = start; addr < start + size; addr += block_size)
		unclaim_block(addr / block_size);
}

long petmem_hotplug_nr_failed(u64 start, u64 size)
{
	u64 block_size = memory_block_size_bytes();
	long failed, sum = 0;
	u64 addr;

	for (addr = start; addr < start + size; addr += block_size) {
		struct device *device = find_device(addr / block_size);

		if (WARN_ON_ONCE(!device))
			return -ENODEV;
		failed = petmem_block_nr_failed(device);
		put_device(device);
		if (failed < 0)
			return failed;
		sum += failed;
	}
	return sum;
}

static int memory_event(struct notifier_block *notifier, unsigned long event,
			void *data)
{
	const struct memory_notify *notify = data;

	if (event != MEM_PREPARE_ONLINE && event != MEM_GOING_ONLINE)
		return NOTIFY_DONE;
	if (!petmem_pool_overlaps(PFN_PHYS(notify->start_pfn),
				  PFN_PHYS(notify->nr_pages)))
		return NOTIFY_OK;
	WARN_ONCE(1, "petmem: Linux wants donated memory online\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block memory_notifier = {
	.notifier_call = memory_event,
};

int petmem_hotplug_init(void)
{
	return register_memory_notifier(&memory_notifier);
}

void petmem_hotplug_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
}
