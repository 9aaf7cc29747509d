/* SPDX-License-Identifier: GPL-2.0 */
/*
 * placement.h - every call by which a program asks Linux to place memory on NUMA nodes,
 * with every mode and flag. These calls look at the pages behind the page tables, and move
 * those that they may: never petmem's.
 */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

/* MPOL_* of <linux/mempolicy.h>: newer ones are errors where they are not known. */
enum {
	PLACEMENT_MODES = 7,
	PLACEMENT_MODE_FLAGS = 8, /* of three bits */
	PLACEMENT_MODE_SHIFT = 13,
	PLACEMENT_FLAGS = 16, /* STRICT, MOVE, MOVE_ALL, LAZY */
	PLACEMENT_MAX_NODE = 64,
	PLACEMENT_LOOKS = 16,
	PLACEMENT_HOME_NODE = 450, /* set_mempolicy_home_node() */
};

static const unsigned long placement_nodes[] = { 0, 1, 2, 3 };

static inline void place_by_mode(char *start, size_t size, unsigned long mode)
{
	static unsigned int turn;

	for (unsigned long flags = 0; flags < PLACEMENT_FLAGS; flags++) {
		if (turn++ % every())
			continue;
		syscall(SYS_mbind, start, size, mode, NULL, 0, flags);
		for (size_t i = 0; i < COUNT_OF(placement_nodes); i++)
			syscall(SYS_mbind, start, size, mode,
				&placement_nodes[i], PLACEMENT_MAX_NODE, flags);
	}
}

static inline void place_by_mbind(char *start, size_t size)
{
	for (unsigned long mode = 0; mode < PLACEMENT_MODES; mode++)
		for (unsigned long i = 0; i < PLACEMENT_MODE_FLAGS; i++)
			place_by_mode(start, size,
				      mode | i << PLACEMENT_MODE_SHIFT);
	syscall(PLACEMENT_HOME_NODE, start, size, 0UL, 0UL);
}

/* The mapping takes a policy only as a whole. Looking at all of it is slow. */
static inline void place_region(void)
{
	for (unsigned long mode = 0; mode < PLACEMENT_MODES; mode++)
		for (unsigned long flags = 0; flags < PLACEMENT_FLAGS / 2;
		     flags++)
			syscall(SYS_mbind, REGION, PETMEM_REGION_SIZE, mode,
				mode ? &placement_nodes[1 + flags % 2] : NULL,
				mode ? PLACEMENT_MAX_NODE : 0, flags);
}

static inline void place_process(pid_t pid)
{
	for (size_t i = 0; i < COUNT_OF(placement_nodes); i++)
		for (size_t j = 0; j < COUNT_OF(placement_nodes); j++)
			syscall(SYS_migrate_pages, pid, PLACEMENT_MAX_NODE,
				&placement_nodes[i], &placement_nodes[j]);
}

/* Look at pages all over the memory, and ask for them on each of two nodes. */
static inline void place_pages(pid_t pid, char *memory, size_t size)
{
	enum { STAT = 8 };
	void *pages[PLACEMENT_LOOKS];
	int nodes[PLACEMENT_LOOKS], status[PLACEMENT_LOOKS];
	size_t step = size / PLACEMENT_LOOKS / PAGE * PAGE;

	for (size_t i = 0; i < PLACEMENT_LOOKS; i++)
		pages[i] = memory + i * step;
	for (int flags = 0; flags < STAT; flags++) {
		syscall(SYS_move_pages, pid, PLACEMENT_LOOKS, pages, NULL,
			status, flags);
		for (int node = 0; node < 2; node++) {
			for (size_t i = 0; i < PLACEMENT_LOOKS; i++)
				nodes[i] = node;
			syscall(SYS_move_pages, pid, PLACEMENT_LOOKS, pages,
				nodes, status, flags);
		}
	}
}

/* All the calls, on the whole region, on this memory, and on its first page. */
static inline void place_all(char *memory, size_t size)
{
	place_by_mbind(memory, size);
	place_by_mbind(memory, PAGE);
	place_region();
	place_process(0);
	place_pages(0, memory, size);
}

#endif /* PLACEMENT_H */
