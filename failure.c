// SPDX-License-Identifier: GPL-2.0
/*
 * failure.c - memory that fails while it is donated.
 *
 * memory_failure() knows nothing about offline memory and returns ENXIO. Linux still kills
 * the process that was reading (kill_me_maybe() in arch/x86/kernel/cpu/mce/core.c), and
 * calls the notifiers of machine checks. The notifier in this file tells the pool. Until
 * then the page may have changed its owner; from then on it is not handed out any more.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "failure.h"

#include <linux/notifier.h>
#include <linux/printk.h>

#include <asm/mce.h>
#include <asm/processor.h>

#include "compat.h"
#include "inventory.h"
#include "struct_page.h"

static int machine_check(struct notifier_block *notifier, unsigned long unused,
			 void *data)
{
	struct mce *mce = data;
	u64 limit = BIT_ULL(boot_cpu_data.x86_phys_bits);
	u64 page_addr;

	if (!mce || !petmem_mce_has_address(mce))
		return NOTIFY_DONE;
	page_addr = mce->addr & (limit - 1) & PAGE_MASK;
	if (!petmem_pool_fail(page_addr))
		return NOTIFY_DONE;
	petmem_struct_page_set_failed(page_addr);
	pr_err_ratelimited("the page at %#llx has failed: it is used no more\n",
			   page_addr);
	return NOTIFY_OK;
}

static struct notifier_block mce_notifier = {
	.notifier_call = machine_check,
};

void petmem_failure_init(void)
{
	petmem_mce_register(&mce_notifier);
}

void petmem_failure_exit(void)
{
	petmem_mce_unregister(&mce_notifier);
}
