// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the module and its device: all requests of user space arrive here.
 *
 * Data flows one way:
 *
 *   ioctl (main.c), native fault and fork (reservation.c)
 *       -> process (process.c) -> demand paging (on_demand.c), copy-on-write (cow.c)
 *       -> memory map (memmap.c) and page tables (pgtables.c, unshare.c, table.c, tlb.c)
 *       -> pool (page_list.c, pool.c, buddy.c; zero.c) <- donation (donation.c) <- ioctl
 *
 * Lock order, outermost first:
 *
 *   mm->mmap_lock               Linux's; for reading in a fault, for writing to bind,
 *                               reserve, free and fork
 *     petmem_process.lock       allocations, frees and forks of a process
 *       petmem_family.lock      what relatives share, and tables that come or go
 *         petmem_process.map_lock  the memory map; a fault takes only this, and then
 *         a page table's lock   (Linux's) the entries of the table
 *           the lock of a processor's list  free pages (page_list.c)
 *             petmem_pool.lock  which pages are free, and which are clean
 *     processes_lock (process.c)
 *   a memory block's device lock  Linux's; taken to claim a block (hotplug.c), and held
 *                               when Linux calls the memory notifier
 *     petmem_extents_mutex      the set of donated extents
 *       petmem_pool.lock
 *
 * An mmu notifier takes petmem_family.lock. So under this lock, no kernel memory is
 * allocated that could wait for reclaim, and no mmu notifier is called.
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
#include "counters.h"
#include "donation.h"
#include "dump.h"
#include "inspect.h"
#include "inventory.h"
#include "on_demand.h"
#include "page_list.h"
#include "petmem.h"
#include "pgtables.h"
#include "populate.h"
#include "process.h"
#include "report.h"
#include "reservation.h"
#include "tlb.h"

/*
 * A command gets the kernel's copy of its argument, and leaves its result there. The
 * command's number says whether it has an argument, a result or both, and their size.
 */
union argument {
	struct petmem_version version;
	struct petmem_alloc alloc;
	struct petmem_free free;
	struct petmem_query query;
	struct petmem_fault fault;
	struct petmem_invlpg invlpg;
	struct petmem_extent extent;
	struct petmem_status status;
	struct petmem_block block;
	struct petmem_mode mode;
	struct petmem_populate populate;
	struct petmem_counters counters;
	struct petmem_user_counts user;
	struct petmem_process_info process;
	struct petmem_walk walk;
	struct petmem_span span;
	struct petmem_run run;
};

static int do_version(struct file *file, union argument *argument)
{
	if (argument->version.reserved)
		return -EINVAL;
	argument->version.abi = PETMEM_ABI_VERSION;
	return 0;
}

/* The caller's own state. It stays, because the caller runs on its mm. */
static struct petmem_process *own_process(void)
{
	return petmem_process_find(current->mm);
}

/* The same, with the region reserved: in its last fault mode, or else as @native says. */
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

static int do_mode(struct file *file, union argument *argument)
{
	const struct petmem_mode *mode = &argument->mode;
	int err;

	if ((mode->flags & ~(PETMEM_MODE_NATIVE | PETMEM_MODE_SMALL_PAGES)) ||
	    mode->fault_around > PTRS_PER_PTE ||
	    (mode->fault_around && !is_power_of_2(mode->fault_around)))
		return -EINVAL;
	err = petmem_reservation_make(file, mode->flags & PETMEM_MODE_NATIVE);
	if (err)
		return err;
	petmem_set_large_pages(own_process(),
			       !(mode->flags & PETMEM_MODE_SMALL_PAGES));
	if (mode->fault_around)
		petmem_set_fault_around(own_process(), mode->fault_around);
	return 0;
}

#define ALLOC_FLAGS \
	(PETMEM_ALLOC_GUARD | PETMEM_ALLOC_NATIVE | PETMEM_ALLOC_POPULATE)

static void undo_alloc(const union argument *argument)
{
	petmem_free_vspace(own_process(), argument->alloc.addr);
}

static int do_alloc(struct file *file, union argument *argument)
{
	struct petmem_alloc *alloc = &argument->alloc;
	struct petmem_process *process;
	int err;

	if (!alloc->size || (alloc->flags & ~ALLOC_FLAGS) ||
	    (alloc->align && !is_power_of_2(alloc->align)))
		return -EINVAL;
	process = reserved_process(file, alloc->flags & PETMEM_ALLOC_NATIVE);
	if (IS_ERR(process))
		return PTR_ERR(process);
	err = petmem_alloc_vspace(process, alloc->size, alloc->align,
				  alloc->flags & PETMEM_ALLOC_GUARD,
				  &alloc->addr);
	if (err)
		return err;
	alloc->size = PAGE_ALIGN(alloc->size);
	if (alloc->flags & PETMEM_ALLOC_POPULATE)
		err = petmem_populate_vspace(process, alloc->addr, alloc->size);
	if (err)
		undo_alloc(argument);
	return err;
}

static int do_free(struct file *file, union argument *argument)
{
	struct petmem_process *process = own_process();

	if (!process)
		return -EINVAL;
	return petmem_free_vspace(process, argument->free.addr);
}

static int do_query(struct file *file, union argument *argument)
{
	struct petmem_process *process = own_process();

	if (!process)
		return -ENOENT;
	return petmem_query_vspace(process, &argument->query.addr,
				   &argument->query.size);
}

static int do_fault(struct file *file, union argument *argument)
{
	const struct petmem_fault *fault = &argument->fault;
	struct petmem_process *process = own_process();

	if (fault->reserved)
		return -EINVAL;
	if (!process)
		return -EFAULT;
	return petmem_handle_pagefaults(process, fault->addr,
					(fault->addr | ~PAGE_MASK) + 1,
					fault->error_code);
}

static int do_populate(struct file *file, union argument *argument)
{
	const struct petmem_populate *populate = &argument->populate;
	struct petmem_process *process = own_process();

	if (!populate->size)
		return -EINVAL;
	if (!process)
		return -EFAULT;
	return petmem_populate_vspace(process, populate->addr, populate->size);
}

static int do_invlpg(struct file *file, union argument *argument)
{
	u64 addr = argument->invlpg.addr;

	if (addr < PETMEM_REGION_START || addr >= PETMEM_REGION_END)
		return -EINVAL;
	petmem_tlb_forget_page(current->mm, addr & PAGE_MASK);
	return 0;
}

static int do_dump(struct file *file, union argument *argument)
{
	struct petmem_process *process = reserved_process(file, false);

	if (IS_ERR(process))
		return PTR_ERR(process);
	return petmem_dump_vspace(process);
}

static int do_donate(struct file *file, union argument *argument)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return petmem_donate(&argument->extent);
}

static int do_release(struct file *file, union argument *argument)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return petmem_release(&argument->extent);
}

static int do_status(struct file *file, union argument *argument)
{
	petmem_read_status(&argument->status);
	return 0;
}

static int do_block(struct file *file, union argument *argument)
{
	return petmem_pool_block(&argument->block);
}

static int do_counters(struct file *file, union argument *argument)
{
	petmem_read_counters(&argument->counters);
	return 0;
}

static int do_user(struct file *file, union argument *argument)
{
	return petmem_account_user(&argument->user);
}

static int do_process(struct file *file, union argument *argument)
{
	return petmem_inspect_process(&argument->process);
}

static int do_walk(struct file *file, union argument *argument)
{
	return petmem_inspect_walk(&argument->walk);
}

static int do_span(struct file *file, union argument *argument)
{
	return petmem_inspect_span(&argument->span);
}

static int do_run(struct file *file, union argument *argument)
{
	return petmem_inspect_run(&argument->run);
}

/*
 * This is inline, so that the size is a constant in each copy, and hardened usercopy has
 * nothing to check (check_object_size()). If the result cannot be copied to the caller, undo
 * is called, if there is one.
 */
static __always_inline long
run_command(unsigned int number,
	    int (*run)(struct file *file, union argument *argument),
	    void (*undo)(const union argument *argument), struct file *file,
	    void __user *user)
{
	const size_t size = _IOC_SIZE(number);
	union argument argument;
	int err;

	if (!(_IOC_DIR(number) & _IOC_WRITE))
		memset(&argument, 0, size);
	else if (copy_from_user(&argument, user, size))
		return -EFAULT;
	err = run(file, &argument);
	if (err || !(_IOC_DIR(number) & _IOC_READ))
		return err;
	if (!copy_to_user(user, &argument, size))
		return 0;
	if (undo)
		undo(&argument);
	return -EFAULT;
}

/* A case: a command's number, the function that does it, and one that undoes it or NULL. */
#define COMMAND(_number, _do, _undo) \
	case _number:                \
		return run_command(_number, _do, _undo, file, user)

static long petmem_ioctl(struct file *file, unsigned int number,
			 unsigned long argument)
{
	void __user *user = (void __user *)argument;

	switch (number) {
		COMMAND(PETMEM_IOC_VERSION, do_version, NULL);
		COMMAND(PETMEM_IOC_ALLOC, do_alloc, undo_alloc);
		COMMAND(PETMEM_IOC_FREE, do_free, NULL);
		COMMAND(PETMEM_IOC_QUERY, do_query, NULL);
		COMMAND(PETMEM_IOC_FAULT, do_fault, NULL);
		COMMAND(PETMEM_IOC_INVLPG, do_invlpg, NULL);
		COMMAND(PETMEM_IOC_DUMP, do_dump, NULL);
		COMMAND(PETMEM_IOC_DONATE, do_donate, NULL);
		COMMAND(PETMEM_IOC_RELEASE, do_release, NULL);
		COMMAND(PETMEM_IOC_STATUS, do_status, NULL);
		COMMAND(PETMEM_IOC_BLOCK, do_block, NULL);
		COMMAND(PETMEM_IOC_MODE, do_mode, NULL);
		COMMAND(PETMEM_IOC_POPULATE, do_populate, NULL);
		COMMAND(PETMEM_IOC_COUNTERS, do_counters, NULL);
		COMMAND(PETMEM_IOC_USER, do_user, NULL);
		COMMAND(PETMEM_IOC_PROCESS, do_process, NULL);
		COMMAND(PETMEM_IOC_WALK, do_walk, NULL);
		COMMAND(PETMEM_IOC_SPAN, do_span, NULL);
		COMMAND(PETMEM_IOC_RUN, do_run, NULL);
	default:
		return -ENOTTY;
	}
}

/* A descriptor must be open for reading and writing, to be mapped shared and writable. */
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
	.groups = petmem_counter_groups,
};

static int __init petmem_init(void)
{
	int err;

	/* Under Xen PV, the hypervisor owns the page tables. */
	if (boot_cpu_has(X86_FEATURE_XENPV)) {
		pr_err("page tables cannot be written under Xen PV\n");
		return -ENODEV;
	}
	if (!petmem_can_refuse_mprotect()) {
		pr_err("before Linux 5.11 there must be no protection keys: boot with nopku\n");
		return -EOPNOTSUPP;
	}
	petmem_pgtables_init();
	err = petmem_lists_init();
	if (err)
		return err;
	err = petmem_cleaner_init();
	if (err)
		goto err_lists_exit;
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
err_lists_exit:
	petmem_lists_exit();
	return err;
}

/*
 * The device goes first. Each bound address space and each donation holds a reference to
 * the module, so none is left when this runs.
 */
static void __exit petmem_exit(void)
{
	misc_deregister(&petmem_device);
	petmem_process_exit();
	petmem_donation_exit();
	petmem_cleaner_exit();
	petmem_lists_exit();
	petmem_pool_exit();
	pr_info("unloaded\n");
}

module_init(petmem_init);
module_exit(petmem_exit);

MODULE_AUTHOR("The petmem authors");
MODULE_DESCRIPTION("Donated physical memory for processes, on demand");
MODULE_VERSION(PETMEM_VERSION);
MODULE_LICENSE("GPL");
