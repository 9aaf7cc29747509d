// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * fault.c - a page fault step by step: the page tables before it and after it.
 *
 * In the module: petmem_handle_pagefault() in on_demand.c.
 */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "../user/walk.h"
#include "example.h"

static void walk(int device, const char *addr)
{
	if (!show_walk(device, getpid(), (uintptr_t)addr))
		exit(EXIT_FAILURE);
}

static void count(int device, const char *when)
{
	struct petmem_process_info info = own_counts(device);

	printf("\n== %s: %llu faults, %llu pages\n", when, info.faults,
	       info.mapped_pages);
}

int main(void)
{
	int device = connect_petmem();
	char *memory = allocate(2 * PAGE);

	count(device, "after pet_malloc: addresses, and nothing behind them");
	walk(device, memory);

	memory[5] = 'x';
	count(device, "after memory[5] = 'x'");
	walk(device, memory + 5);

	count(device, "the next page: its tables are there, it is not");
	walk(device, memory + PAGE);

	pet_free(memory);
	count(device, "after pet_free");
	walk(device, memory);
	return 0;
}
