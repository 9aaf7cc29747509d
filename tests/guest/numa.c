// SPDX-License-Identifier: GPL-2.0
/*
 * numa.c - two NUMA nodes: the node that a donation takes, and the node of a fault's page.
 *
 * This needs a guest with two nodes and nothing donated. It donates a block of each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command.h"
#include "guest.h"

#define NODES 2
#define MAX_CPUS 64
#define BLOCK_PAGES ((size_t)32768)
#define LARGE ((size_t)512) /* pages in 2 MiB */

static bool has_nodes(void)
{
	return access("/sys/devices/system/node/node1", F_OK) == 0;
}

static void need_nodes(void)
{
	if (!has_nodes())
		skip_case("one NUMA node");
	CHECK(pool_status().free_pages == NODES * BLOCK_PAGES);
}

static void donate_each(void)
{
	int node;

	CHECK(pool_status().total_pages == 0);
	for (node = 0; node < NODES; node++)
		run(0, "petmem 128 --node %d 2>&1", node);
}

static void give_back(void)
{
	run(0, "petmem --release 2>&1");
}

/* Run on a processor of the node. */
static void go_to(unsigned int node)
{
	unsigned int here;
	int cpu;

	for (cpu = 0; cpu < MAX_CPUS; cpu++)
		if (run_on_cpu(cpu) && getcpu(NULL, &here) == 0 && here == node)
			return;
	CHECK(!"a processor of the node");
}

/* The only donated range of the node. */
static struct petmem_block block_of(int node)
{
	struct petmem_block block = { .index = 0 };
	int device = open_device();

	while (ioctl(device, PETMEM_IOC_BLOCK, &block) == 0) {
		if (block.node == node) {
			close(device);
			return block;
		}
		block.index++;
	}
	CHECK(!"a block of the node");
	abort();
}

static bool is_on(uint64_t frame, int node)
{
	struct petmem_block block = block_of(node);

	return frame >= block.start && frame < block.start + block.size;
}

/* The frame that an entry points to: Intel SDM volume 3A, section 4.5.4. */
static uint64_t frame_of(const struct petmem_walk_level *level)
{
	uint64_t frame = level->entry & 0x000ffffffffff000;

	/* Bit 12 of a 2 MiB entry is not part of the address. */
	return level->kind == PETMEM_WALK_PAGE && level->shift > 12
		       ? frame & ~UINT64_C(0x1000)
		       : frame;
}

/* Is the page of an address on the node? */
static bool page_is_on(const void *address, int node)
{
	const struct petmem_walk_level *last;
	struct petmem_walk way;

	walk(0, address, &way);
	last = &way.level[way.nr - 1];
	CHECK(last->kind == PETMEM_WALK_PAGE);
	return is_on(frame_of(last), node);
}

/* ---- Donation ---- */

/* Is the donated range a block of that node according to Linux? */
static bool belongs_to_linux_node(const struct petmem_block *block, int node)
{
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/devices/system/node/node%d/memory%llu", node,
		 block->start / block->size);
	return access(path, F_OK) == 0;
}

static void donates_from_a_node(void)
{
	struct petmem_block block;
	char line[128];
	int node;

	need_nodes();
	give_back();
	donate_each();
	CHECK(says("donated 128 MB (1 block of 128 MB) on node 1\n"));
	for (node = 0; node < NODES; node++) {
		block = block_of(node);
		CHECK(block.size == BLOCK_PAGES * PAGE);
		CHECK(belongs_to_linux_node(&block, node));
		run(0, "petmem --status");
		snprintf(line, sizeof(line), "\nnode: %d free 32768 of 32768\n",
			 node);
		CHECK(says(line));
		snprintf(line, sizeof(line), "-0x%llx node %d free 32768",
			 block.start + block.size, node);
		CHECK(says(line));
	}
	run(0, "petmem pool");
	CHECK(says("\nnode 0 ") && says("\nnode 1 "));
	give_back();
	run(0, "petmem 256 --node 1");
	CHECK(block_of(1).node == 1);
	run(0, "petmem --status --json");
	CHECK(strstr(output, "\"node\": 0,") == NULL);
	CHECK(says("{\"node\": 1, \"pages\": 65536, \"free_pages\": 65536}"));
	run(1, "petmem 128 --node 2 2>&1");
	CHECK(says("on node 2") && says("nothing was donated"));
	give_back();
	donate_each();
}

/* ---- Faults ---- */

static void pages_are_near(void)
{
	struct petmem_walk way;
	char *memory[NODES];
	unsigned int i;
	int node;

	need_nodes();
	connect_petmem();
	for (node = 0; node < NODES; node++) {
		go_to(node);
		/* Upper tables may exist already, but the last one does not. */
		memory[node] = must_malloc(GIB);
		for (i = 0; i < 2 * LARGE; i++)
			memory[node][i * PAGE] = 1;
		for (i = 0; i < 2 * LARGE; i++)
			CHECK(page_is_on(memory[node] + i * PAGE, node));
		walk(0, memory[node], &way);
		CHECK(way.level[way.nr - 2].kind == PETMEM_WALK_TABLE);
		CHECK(is_on(frame_of(&way.level[way.nr - 2]), node));
		run(0, "petmem --status");
		CHECK(BLOCK_PAGES - block_of(node).free_pages >= 2 * LARGE);
	}
	for (node = 0; node < NODES; node++)
		pet_free(memory[node]);
	/* The pages went back to their own nodes. */
	for (node = 0; node < NODES; node++)
		CHECK(BLOCK_PAGES - block_of(node).free_pages < 2 * LARGE);
}

static void large_pages_are_near(void)
{
	char *memory;
	int node;

	need_nodes();
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	connect_petmem();
	for (node = 0; node < NODES; node++) {
		go_to(node);
		memory = must_malloc(4 * MIB);
		memset(memory, 1, 4 * MIB);
		CHECK(page_is_on(memory, node));
		CHECK(page_is_on(memory + 2 * MIB, node));
	}
	CHECK(pool_status().large_pages == 2 * (uint64_t)NODES);
}

/* A shared page is copied to the node of its writer. */
static void write_there(void *memory)
{
	go_to(1);
	*(char *)memory = 2;
	CHECK(page_is_on(memory, 1));
}

static void copies_are_near(void)
{
	char *memory;

	need_nodes();
	connect_petmem();
	go_to(0);
	memory = must_malloc(PAGE);
	*memory = 1;
	join(spawn(write_there, memory));
	CHECK(*memory == 1 && page_is_on(memory, 0));
}

/* ---- A node that runs out of pages ---- */

/* One more touch may take a page, and the tables on the path to it. */
#define PAGES_A_TOUCH 4

/*
 * Write more than one node has. Until it is empty, nothing is taken from the other; from
 * then on, everything.
 */
static void spills(const char *large)
{
	size_t pages = BLOCK_PAGES + 2 * LARGE, before = 0, i;
	char *memory;

	need_nodes();
	CHECK(setenv("PETMEM_LARGE_PAGES", large, 1) == 0);
	go_to(1);
	connect_petmem();
	memory = must_malloc(pages * PAGE);
	for (i = 0; i < pages; i++) {
		/* Ask for each page only near the end. */
		bool asks = i % LARGE == 0 || before < 2 * LARGE;

		if (asks)
			before = block_of(1).free_pages;
		memory[i * PAGE] = 1;
		if (asks && before >= PAGES_A_TOUCH)
			CHECK(block_of(0).free_pages == BLOCK_PAGES);
	}
	CHECK(block_of(1).free_pages == 0);
	CHECK(page_is_on(memory, 1));
	CHECK(page_is_on(memory + (pages - 1) * PAGE, 0));
}

static void small_pages_spill(void)
{
	spills("0");
}

static void large_pages_spill(void)
{
	spills("1");
}

/* An access faults, as with one node. */
static void both_run_out(void)
{
	struct petmem_populate all = { .size = NODES * BLOCK_PAGES * PAGE };
	char *memory;
	int device;

	need_nodes();
	connect_petmem();
	memory = must_malloc(all.size);
	all.addr = (uintptr_t)memory;
	device = open_device();
	CHECK(ioctl(device, PETMEM_IOC_POPULATE, &all) != 0);
	CHECK(errno == ENOMEM && pool_status().free_pages == 0);
	CHECK(faults(memory + all.size - PAGE, WRITE));
}

static const struct guest_case cases[] = {
	{ "petmem MB --node K takes from one node, and --status shows each",
	  donates_from_a_node },
	{ "pages and tables come from the node that faults", pages_are_near },
	{ "2 MiB pages too", large_pages_are_near },
	{ "the copy of a shared page comes from the node that writes",
	  copies_are_near },
	{ "when a node has no page left, the other's are used",
	  small_pages_spill },
	{ "with 2 MiB pages too, and not before", large_pages_spill },
	{ "when both have none, an access faults", both_run_out },
};

int main(void)
{
	int status;

	if (has_nodes())
		donate_each();
	status = run_cases(cases, COUNT_OF(cases));
	if (has_nodes())
		give_back();
	return status;
}
