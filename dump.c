// SPDX-License-Identifier: GPL-2.0
/*
 * dump.c - print the memory map of a process to the kernel log.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "dump.h"

#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "account.h"
#include "memmap.h"
#include "process.h"

/* Print at most this many ranges of a memory map, between two other lines. */
#define DUMP_RANGES 64
#define DUMP_OTHER_LINES 2

/* The contents of a dump, copied under the family's lock and printed without it. */
struct dump {
	u64 allocations;
	bool more; /* there are more ranges */
	unsigned int nr;
	struct {
		u64 start;
		u64 size;
		bool allocated;
		bool guarded;
	} ranges[DUMP_RANGES];
};

static void fill_dump(struct dump *dump, const struct petmem_memmap *map)
{
	const struct petmem_range *range;

	dump->allocations = map->nr_allocated;
	list_for_each_entry(range, &map->ranges, list) {
		dump->more = dump->nr == DUMP_RANGES;
		if (dump->more)
			break;
		dump->ranges[dump->nr].start = range->start;
		dump->ranges[dump->nr].size = range->size;
		dump->ranges[dump->nr].allocated = range->allocated;
		dump->ranges[dump->nr++].guarded = range->guarded;
	}
}

static void print_dump(const struct dump *dump)
{
	unsigned int i;

	pr_info("memory map of process %d (%s): %llu allocations\n",
		task_tgid_nr(current), current->comm, dump->allocations);
	for (i = 0; i < dump->nr; i++)
		pr_info("  %#llx-%#llx %s %llu KiB%s\n", dump->ranges[i].start,
			dump->ranges[i].start + dump->ranges[i].size,
			dump->ranges[i].allocated ? "allocated" : "free",
			dump->ranges[i].size / SZ_1K,
			dump->ranges[i].guarded ? ", guarded" : "");
	if (dump->more)
		pr_info("  and more\n");
}

int petmem_dump_vspace(struct petmem_process *process)
{
	struct dump *dump = kzalloc(sizeof(*dump), GFP_KERNEL);
	int err = 0;

	if (!dump)
		return -ENOMEM;
	mutex_lock(&process->family->lock);
	if (process->map)
		fill_dump(dump, process->map);
	mutex_unlock(&process->family->lock);
	if (petmem_account_may_log(&process->family->account,
				   dump->nr + DUMP_OTHER_LINES))
		print_dump(dump);
	else
		err = -EAGAIN;
	kfree(dump);
	return err;
}
