// SPDX-License-Identifier: GPL-2.0
/* counters.c - collect the counters of all files, for the ioctls and for sysfs. */
#include "counters.h"

#include <linux/device.h>
#include <linux/stddef.h>

#include "account.h"
#include "giant_page.h"
#include "process.h"
#include "report.h"

void petmem_read_status(struct petmem_status *status)
{
	struct petmem_process_counts counts = petmem_process_count();

	petmem_pool_status(status);
	status->giant_pages = petmem_giant_count();
	status->processes = counts.bound;
	status->native_processes = counts.native;
}

void petmem_read_counters(struct petmem_counters *counters)
{
	struct petmem_events events = petmem_process_events();

	counters->faults = events.faults;
	counters->copies = events.copies;
	counters->forks = events.forks;
	petmem_account_limits(counters);
}

/* ---- In sysfs ---- */

struct numbers {
	struct petmem_status status;
	struct petmem_counters counters;
};

static ssize_t show_counter(struct device *device,
			    struct device_attribute *attribute, char *buffer)
{
	const struct dev_ext_attribute *counter =
		container_of(attribute, struct dev_ext_attribute, attr);
	struct numbers numbers;

	petmem_read_status(&numbers.status);
	petmem_read_counters(&numbers.counters);
	return sysfs_emit(buffer, "%llu\n",
			  *(u64 *)((char *)&numbers + (size_t)counter->var));
}

#define COUNTER(_part, _name)                                  \
	static struct dev_ext_attribute counter_##_name = {    \
		__ATTR(_name, 0444, show_counter, NULL),       \
		(void *)offsetof(struct numbers, _part._name), \
	}

COUNTER(status, total_pages);
COUNTER(status, free_pages);
COUNTER(status, clean_pages);
COUNTER(status, table_pages);
COUNTER(status, data_pages);
COUNTER(status, bad_pages);
COUNTER(status, large_pages);
COUNTER(status, giant_pages);
COUNTER(status, processes);
COUNTER(status, native_processes);
COUNTER(counters, faults);
COUNTER(counters, copies);
COUNTER(counters, forks);

/* clang-format off */
static struct attribute *attributes[] = {
	&counter_total_pages.attr.attr,
	&counter_free_pages.attr.attr,
	&counter_clean_pages.attr.attr,
	&counter_table_pages.attr.attr,
	&counter_data_pages.attr.attr,
	&counter_bad_pages.attr.attr,
	&counter_large_pages.attr.attr,
	&counter_giant_pages.attr.attr,
	&counter_processes.attr.attr,
	&counter_native_processes.attr.attr,
	&counter_faults.attr.attr,
	&counter_copies.attr.attr,
	&counter_forks.attr.attr,
	NULL,
};
/* clang-format on */

static const struct attribute_group group = {
	.name = "counters",
	.attrs = attributes,
};

const struct attribute_group *petmem_counter_groups[] = { &group, NULL };
