// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the module and its device: everything that user space asks comes in here.
 *
 * Data flows one way:
 *
 *   ioctl (main.c), native fault and fork (reservation.c)
 *       -> process (process.c) -> demand paging (on_demand.c), copy-on-write (cow.c)
 *       -> memory map (memmap.c) and page tables (pgtables.c, tlb.c)
 *       -> pool (pool.c, buddy.c; cleaner.c) <- donation (donation.c) <- ioctl
 *
 * Lock order, outermost first:
 *
 *   mm->mmap_lock               Linux's; read to fault, written to bind, to reserve,
 *                               to free and to fork
 *     petmem_process.lock       one operation of a process at a time
 *       petmem_family.lock      memory maps, page tables and counts of relatives
 *         pool_lock (pool.c)    which pages are free
 *     processes_lock (process.c)
 *   donation_mutex (donation.c) donations against blocks that come online
 *     extents_mutex (pool.c)    the set of donated extents
 *       pool_lock
 *
 * petmem_family.lock is taken in an mmu notifier, so no memory that reclaim would have
 * to wait for is allocated under it, and no mmu notifier is called.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <asm/cpufeature.h>

#include "account.h"
#include "cleaner.h"
#include "compat.h"
#include "donation.h"
#include "inspect.h"
#include "on_demand.h"
#include "petmem.h"
#include "pgtables.h"
#include "pool.h"
#include "process.h"
#include "reservation.h"
#include "tlb.h"

static int read_argument(void *argument, const void __user *user, size_t size)
{
	return copy_from_user(argument, user, size) ? -EFAULT : 0;
}

static int write_result(void __user *user, const void *result, size_t size)
{
	return copy_to_user(user, result, size) ? -EFAULT : 0;
}

static int do_version(struct file *file, void __user *user)
{
	struct petmem_version version;
	int err = read_argument(&version, user, sizeof(version));

	if (err)
		return err;
	if (version.reserved)
		return -EINVAL;
	version.abi = PETMEM_ABI_VERSION;
	return write_result(user, &version, sizeof(version));
}

/* The caller's own state; found by the mm that it runs on, so it stays. */
static struct petmem_process *own_process(void)
{
	return petmem_process_find(current->mm);
}

/* The same, with the region reserved: as it was last, or else as is said here. */
static struct petmem_process *reserved_process(struct file *file, bool native)
{
	struct petmem_process *process = own_process();
	int err;

	if (process && READ_ONCE(process->map))
		return process;
	if (process && READ_ONCE(process->native))
		native = true;
	err = petmem_reservation_make(file, native);
	return err ? ERR_PTR(err) : own_process();
}

static int do_mode(struct file *file, void __user *user)
{
	struct petmem_mode mode;
	int err = read_argument(&mode, user, sizeof(mode));

	if (err)
		return err;
	if ((mode.flags & ~(PETMEM_MODE_NATIVE | PETMEM_MODE_SMALL_PAGES)) ||
	    mode.fault_around > PTRS_PER_PTE ||
	    (mode.fault_around && !is_power_of_2(mode.fault_around)))
		return -EINVAL;
	err = petmem_reservation_make(file, mode.flags & PETMEM_MODE_NATIVE);
	if (err)
		return err;
	petmem_set_large_pages(own_process(),
			       !(mode.flags & PETMEM_MODE_SMALL_PAGES));
	if (mode.fault_around)
		petmem_set_fault_around(own_process(), mode.fault_around);
	return 0;
}

#define ALLOC_FLAGS \
	(PETMEM_ALLOC_GUARD | PETMEM_ALLOC_NATIVE | PETMEM_ALLOC_POPULATE)

static int do_alloc(struct file *file, void __user *user)
{
	struct petmem_process *process;
	struct petmem_alloc alloc;
	int err = read_argument(&alloc, user, sizeof(alloc));

	if (err)
		return err;
	if (!alloc.size || (alloc.flags & ~ALLOC_FLAGS) ||
	    (alloc.align && !is_power_of_2(alloc.align)))
		return -EINVAL;
	process = reserved_process(file, alloc.flags & PETMEM_ALLOC_NATIVE);
	if (IS_ERR(process))
		return PTR_ERR(process);
	err = petmem_alloc_vspace(process, alloc.size, alloc.align,
				  alloc.flags & PETMEM_ALLOC_GUARD,
				  &alloc.addr);
	if (err)
		return err;
	alloc.size = PAGE_ALIGN(alloc.size);
	if (alloc.flags & PETMEM_ALLOC_POPULATE)
		err = petmem_populate_vspace(process, alloc.addr, alloc.size);
	if (!err)
		err = write_result(user, &alloc, sizeof(alloc));
	if (err)
		petmem_free_vspace(process, alloc.addr);
	return err;
}

static int do_free(struct file *file, void __user *user)
{
	struct petmem_process *process;
	struct petmem_free free;
	int err = read_argument(&free, user, sizeof(free));

	if (err)
		return err;
	process = own_process();
	if (!process)
		return -EINVAL;
	return petmem_free_vspace(process, free.addr);
}

static int do_query(struct file *file, void __user *user)
{
	struct petmem_process *process;
	struct petmem_query query;
	int err = read_argument(&query, user, sizeof(query));

	if (err)
		return err;
	process = own_process();
	if (!process)
		return -ENOENT;
	err = petmem_query_vspace(process, &query.addr, &query.size);
	if (err)
		return err;
	return write_result(user, &query, sizeof(query));
}

static int do_fault(struct file *file, void __user *user)
{
	struct petmem_process *process;
	struct petmem_fault fault;
	int err = read_argument(&fault, user, sizeof(fault));

	if (err)
		return err;
	if (fault.reserved)
		return -EINVAL;
	process = own_process();
	if (!process)
		return -EFAULT;
	return petmem_reservation_fault(process, fault.addr, 1,
					fault.error_code);
}

static int do_populate(struct file *file, void __user *user)
{
	struct petmem_process *process;
	struct petmem_populate populate;
	int err = read_argument(&populate, user, sizeof(populate));

	if (err)
		return err;
	if (!populate.size)
		return -EINVAL;
	process = own_process();
	if (!process)
		return -EFAULT;
	return petmem_populate_vspace(process, populate.addr, populate.size);
}

static int do_invlpg(struct file *file, void __user *user)
{
	struct petmem_invlpg invlpg;
	int err = read_argument(&invlpg, user, sizeof(invlpg));

	if (err)
		return err;
	if (invlpg.addr < PETMEM_REGION_START ||
	    invlpg.addr >= PETMEM_REGION_END)
		return -EINVAL;
	invlpg.addr &= PAGE_MASK;
	petmem_tlb_shootdown(current->mm, invlpg.addr, invlpg.addr + PAGE_SIZE,
			     PAGE_SIZE);
	return 0;
}

static int do_dump(struct file *file, void __user *user)
{
	struct petmem_process *process = reserved_process(file, false);

	if (IS_ERR(process))
		return PTR_ERR(process);
	return petmem_dump_vspace(process);
}

static int read_extent(struct petmem_extent *extent, const void __user *user)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return read_argument(extent, user, sizeof(*extent));
}

static int do_donate(struct file *file, void __user *user)
{
	struct petmem_extent extent;
	int err = read_extent(&extent, user);

	return err ? err : petmem_donate(&extent);
}

static int do_release(struct file *file, void __user *user)
{
	struct petmem_extent extent;
	int err = read_extent(&extent, user);

	return err ? err : petmem_release(&extent);
}

static int do_status(struct file *file, void __user *user)
{
	struct petmem_process_counts counts = petmem_process_count();
	struct petmem_status status;

	petmem_pool_status(&status);
	status.processes = counts.bound;
	status.native_processes = counts.native;
	return write_result(user, &status, sizeof(status));
}

static int do_block(struct file *file, void __user *user)
{
	struct petmem_block block;
	int err = read_argument(&block, user, sizeof(block));

	if (!err)
		err = petmem_pool_block(&block);
	if (err)
		return err;
	return write_result(user, &block, sizeof(block));
}

static int do_counters(struct file *file, void __user *user)
{
	struct petmem_events events = petmem_process_events();
	struct petmem_counters counters = {
		.faults = events.faults,
		.copies = events.copies,
		.forks = events.forks,
	};

	petmem_account_limits(&counters);
	return write_result(user, &counters, sizeof(counters));
}

static int do_user(struct file *file, void __user *user)
{
	struct petmem_user_counts counts;
	int err = read_argument(&counts, user, sizeof(counts));

	if (!err)
		err = petmem_account_user(&counts);
	if (err)
		return err;
	return write_result(user, &counts, sizeof(counts));
}

static int do_process(struct file *file, void __user *user)
{
	struct petmem_process_info info;
	int err = read_argument(&info, user, sizeof(info));

	if (!err)
		err = petmem_inspect_process(&info);
	if (err)
		return err;
	return write_result(user, &info, sizeof(info));
}

static int do_walk(struct file *file, void __user *user)
{
	struct petmem_walk walk;
	int err = read_argument(&walk, user, sizeof(walk));

	if (!err)
		err = petmem_inspect_walk(&walk);
	if (err)
		return err;
	return write_result(user, &walk, sizeof(walk));
}

static int do_span(struct file *file, void __user *user)
{
	struct petmem_span span;
	int err = read_argument(&span, user, sizeof(span));

	if (!err)
		err = petmem_inspect_span(&span);
	if (err)
		return err;
	return write_result(user, &span, sizeof(span));
}

static const struct command {
	unsigned int number;
	int (*run)(struct file *file, void __user *user);
} commands[] = {
	{ PETMEM_IOC_VERSION, do_version },
	{ PETMEM_IOC_ALLOC, do_alloc },
	{ PETMEM_IOC_FREE, do_free },
	{ PETMEM_IOC_QUERY, do_query },
	{ PETMEM_IOC_FAULT, do_fault },
	{ PETMEM_IOC_INVLPG, do_invlpg },
	{ PETMEM_IOC_DUMP, do_dump },
	{ PETMEM_IOC_DONATE, do_donate },
	{ PETMEM_IOC_RELEASE, do_release },
	{ PETMEM_IOC_STATUS, do_status },
	{ PETMEM_IOC_BLOCK, do_block },
	{ PETMEM_IOC_MODE, do_mode },
	{ PETMEM_IOC_POPULATE, do_populate },
	{ PETMEM_IOC_COUNTERS, do_counters },
	{ PETMEM_IOC_USER, do_user },
	{ PETMEM_IOC_PROCESS, do_process },
	{ PETMEM_IOC_WALK, do_walk },
	{ PETMEM_IOC_SPAN, do_span },
};

static long petmem_ioctl(struct file *file, unsigned int number,
			 unsigned long argument)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].number == number)
			return commands[i].run(file, (void __user *)argument);
	return -ENOTTY;
}

/* A descriptor that cannot be mapped shared and writable is of no use. */
static int petmem_open(struct inode *inode, struct file *file)
{
	if ((file->f_flags & O_ACCMODE) != O_RDWR)
		return -EINVAL;
	return 0;
}

static const struct file_operations petmem_fops = {
	.owner = THIS_MODULE,
	.open = petmem_open,
	.unlocked_ioctl = petmem_ioctl,
	.mmap = petmem_reservation_mmap,
	.get_unmapped_area = petmem_reservation_get_unmapped_area,
	.llseek = noop_llseek,
};

static struct miscdevice petmem_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "petmem",
	.fops = &petmem_fops,
};

static int __init petmem_init(void)
{
	int err;

	/* There the hypervisor owns the page tables. */
	if (boot_cpu_has(X86_FEATURE_XENPV)) {
		pr_err("page tables cannot be written under Xen PV\n");
		return -ENODEV;
	}
	if (!petmem_can_refuse_mprotect()) {
		pr_err("before Linux 5.11 there must be no protection keys: boot with nopku\n");
		return -EOPNOTSUPP;
	}
	err = petmem_pgtables_init();
	if (err)
		return err;
	err = petmem_cleaner_init();
	if (err)
		goto err_pgtables_exit;
	err = petmem_donation_init();
	if (err)
		goto err_cleaner_exit;
	err = misc_register(&petmem_device);
	if (err)
		goto err_donation_exit;
	pr_info("loaded: region %#llx-%#llx, %d-level page tables, isolation %s\n",
		PETMEM_REGION_START, PETMEM_REGION_END,
		pgtable_l5_enabled() ? 5 : 4, petmem_has_pti() ? "on" : "off");
	return 0;

err_donation_exit:
	petmem_donation_exit();
err_cleaner_exit:
	petmem_cleaner_exit();
err_pgtables_exit:
	petmem_pgtables_exit();
	return err;
}

/*
 * The device goes first. Each bound address space and each donation holds a reference
 * to the module, so there are none when this runs.
 */
static void __exit petmem_exit(void)
{
	misc_deregister(&petmem_device);
	petmem_process_exit();
	petmem_donation_exit();
	petmem_cleaner_exit();
	petmem_pool_exit();
	petmem_pgtables_exit();
	pr_info("unloaded\n");
}

module_init(petmem_init);
module_exit(petmem_exit);

MODULE_DESCRIPTION("Donated physical memory for processes, on demand");
MODULE_LICENSE("GPL");
