// SPDX-License-Identifier: GPL-2.0 OR MIT
/* status.c - what petmem holds: `petmem status'. */

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "device.h"
#include "status.h"

struct number {
	const char *name;
	unsigned long long value;
};

/* Everything that is printed. */
struct report {
	struct petmem_status status;
	struct petmem_counters counters;
	struct petmem_block *ranges;
	size_t ranges_count;
	struct node *nodes; /* by number */
	size_t nodes_count;
	struct petmem_user_counts *users;
	size_t users_count;
};

/* What was donated from one NUMA node. */
struct node {
	int number;
	unsigned long long pages;
	unsigned long long free_pages;
};

/* Everything but the lists. The last one has no name: it ends the array. */
#define NUMBERS 17

static void list_numbers(const struct report *report, struct number *list)
{
	const struct petmem_status *status = &report->status;
	const struct petmem_counters *counters = &report->counters;
	const struct number numbers[NUMBERS] = {
		{ "total_pages", status->total_pages },
		{ "free_pages", status->free_pages },
		{ "clean_pages", status->clean_pages },
		{ "table_pages", status->table_pages },
		{ "data_pages", status->data_pages },
		{ "bad_pages", status->bad_pages },
		{ "large_pages", status->large_pages },
		{ "giant_pages", status->giant_pages },
		{ "processes", status->processes },
		{ "native_processes", status->native_processes },
		{ "block_size", status->block_size },
		{ "faults", counters->faults },
		{ "copies", counters->copies },
		{ "forks", counters->forks },
		{ "max_family_pages", counters->max_family_pages },
		{ "max_user_pages", counters->max_user_pages },
	};

	memcpy(list, numbers, sizeof(numbers));
}

static void print_lines(const struct report *report)
{
	struct number numbers[NUMBERS], *number;
	const struct petmem_block *range = report->ranges;
	const struct node *node = report->nodes;
	const struct petmem_user_counts *user = report->users;

	list_numbers(report, numbers);
	for (number = numbers; number->name; number++)
		printf("%s: %llu\n", number->name, number->value);
	for (; node < report->nodes + report->nodes_count; node++)
		printf("node: %d free %llu of %llu\n", node->number,
		       node->free_pages, node->pages);
	for (; range < report->ranges + report->ranges_count; range++)
		printf("block: 0x%llx-0x%llx node %d free %llu of %llu\n",
		       range->start, range->start + range->size, range->node,
		       range->free_pages, range->size / PETMEM_PAGE_SIZE);
	for (; user < report->users + report->users_count; user++)
		printf("user: %u pages %llu families %llu\n", user->uid,
		       user->pages, user->families);
}

static void print_json(const struct report *report)
{
	struct number numbers[NUMBERS], *number;
	const struct petmem_block *range;
	const struct node *node;
	const struct petmem_user_counts *user;
	size_t i;

	list_numbers(report, numbers);
	printf("{\n");
	for (number = numbers; number->name; number++)
		printf("  \"%s\": %llu,\n", number->name, number->value);
	printf("  \"blocks\": [");
	for (i = 0; i < report->ranges_count; i++) {
		range = &report->ranges[i];
		printf("%s\n    {\"start\": %llu, \"size\": %llu, \"node\": %d, \"free_pages\": %llu}",
		       i ? "," : "", range->start, range->size, range->node,
		       range->free_pages);
	}
	printf("%s],\n  \"nodes\": [", i ? "\n  " : "");
	for (i = 0; i < report->nodes_count; i++) {
		node = &report->nodes[i];
		printf("%s\n    {\"node\": %d, \"pages\": %llu, \"free_pages\": %llu}",
		       i ? "," : "", node->number, node->pages,
		       node->free_pages);
	}
	printf("%s],\n  \"users\": [", i ? "\n  " : "");
	for (i = 0; i < report->users_count; i++) {
		user = &report->users[i];
		printf("%s\n    {\"uid\": %u, \"pages\": %llu, \"families\": %llu}",
		       i ? "," : "", user->uid, user->pages, user->families);
	}
	printf("%s]\n}\n", i ? "\n  " : "");
}

static int by_number(const void *left, const void *right)
{
	const struct node *a = left;
	const struct node *b = right;

	return a->number < b->number ? -1 : a->number > b->number;
}

/* Add up the ranges of each node. Returns 0 or -ENOMEM. */
static int count_nodes(struct report *report)
{
	const struct petmem_block *range = report->ranges;
	struct node *nodes = calloc(report->ranges_count + 1, sizeof(*nodes));
	struct node *node;

	if (!nodes)
		return -ENOMEM;
	for (; range < report->ranges + report->ranges_count; range++) {
		for (node = nodes; node < nodes + report->nodes_count; node++)
			if (node->number == range->node)
				break;
		if (node == nodes + report->nodes_count)
			nodes[report->nodes_count++].number = range->node;
		node->pages += range->size / PETMEM_PAGE_SIZE;
		node->free_pages += range->free_pages;
	}
	qsort(nodes, report->nodes_count, sizeof(*nodes), by_number);
	report->nodes = nodes;
	return 0;
}

/* Returns 0 or a negative errno. */
static int read_report(int device, struct report *report)
{
	int err;

	if (ioctl(device, PETMEM_IOC_STATUS, &report->status) ||
	    ioctl(device, PETMEM_IOC_COUNTERS, &report->counters))
		return -errno;
	err = device_ranges(device, &report->ranges, &report->ranges_count);
	if (!err)
		err = count_nodes(report);
	if (err)
		return err;
	return device_users(device, &report->users, &report->users_count);
}

bool show_status(int device, bool json)
{
	struct report report = { .ranges = NULL };
	int err = read_report(device, &report);

	if (err) {
		warnx("%s: %s", PETMEM_DEVICE, strerror(-err));
	} else {
		if (json)
			print_json(&report);
		else
			print_lines(&report);
		if (fflush(stdout)) {
			warn("standard output");
			err = -EIO;
		}
	}
	free(report.ranges);
	free(report.nodes);
	free(report.users);
	return !err;
}
