// SPDX-License-Identifier: GPL-2.0
/* operations.c - the table of operations. */
#include "operation.h"

const struct operation operations[] = {
	/* The commands of petmem.h, and normal use of memory */
	{ "alloc", run_alloc, 400, 0 },
	{ "fill", run_fill, 40, 0 },
	{ "refree", run_refree, 60, DESTROYS },
	{ "fault", run_fault, 600, 0 },
	{ "touch", run_touch, 60, 0 },
	{ "populate", run_populate, 15, 0 },
	{ "giant", run_giant, 4, EMPTIES },
	{ "mode", run_mode, 600, 0 },
	{ "unmap", run_unmap, 40, DESTROYS },
	{ "walk", run_walk, 200, 0 },
	{ "dump", run_dump, 40, 0 },
	{ "invlpg", run_invlpg, 200, 0 },
	{ "status", run_status, 300, 0 },
	{ "donate", run_donate, 2, NEEDS_ROOT },

	/* Processes */
	{ "fork", run_fork, 20, 0 },
	{ "child", run_child, 10, 0 },
	{ "relative", run_relative, 15, 0 },
	{ "exec", run_exec, 6, 0 },
	{ "death", run_death, 6, 0 },
	{ "stranger", run_stranger, 8, 0 },
	{ "signals", run_signals, 4, 0 },
	{ "ptrace", run_ptrace, 10, 0 },

	/* Files of /proc */
	{ "smaps", run_smaps, 10, 0 },
	{ "numa_maps", run_numa_maps, 5, 0 },
	{ "pagemap", run_pagemap, 60, 0 },
	{ "clear_refs", run_clear_refs, 60, 0 },
	{ "mem", run_mem, 100, 0 },
	{ "scan", run_scan, 15, 0 },

	/* Linux's memory system calls */
	{ "mbind", run_mbind, 30, 0 },
	{ "migrate", run_migrate, 10, 0 },
	{ "move", run_move, 60, 0 },
	{ "madvise", run_madvise, 100, DESTROYS },
	{ "uffd", run_uffd, 30, 0 },
	{ "protect", run_protect, 40, 0 },
	{ "readv", run_readv, 100, 0 },
	{ "copy", run_copy, 60, 0 },
};

const size_t operations_count = COUNT_OF(operations);
