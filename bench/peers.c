// SPDX-License-Identifier: GPL-2.0
/*
 * peers.c - the table of peers, with Linux's own memory and petmem. The pagers in user
 * space are in pagers.c.
 */
#define _GNU_SOURCE
#include "peers.h"

#include <err.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "../user/harness.h"

/* An aligned place far from all else, so that huge pages fit into a mapping. */
#define LARGE_PLACE ((void *)0x200000000000)

/* ---- Linux's own memory ---- */

static void *map(void *place, size_t size, int flags)
{
	void *memory = mmap(place, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	return memory;
}

void unmap(void *memory, size_t size)
{
	if (munmap(memory, size))
		err(EXIT_FAILURE, "munmap");
}

bool use_small_pages(void)
{
	return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0;
}

static void *get_small(size_t size)
{
	return map(NULL, size, 0);
}

static void *get_populated(size_t size)
{
	return map(NULL, size, MAP_POPULATE);
}

/* Huge pages are on for everybody: bench/guest sees to that. */
static void *get_transparent(size_t size)
{
	return map(LARGE_PLACE, size, 0);
}

static void *get_hugetlb(size_t size)
{
	return map(NULL, size, MAP_HUGETLB);
}

static bool is_there(void)
{
	return true;
}

/* ---- petmem ---- */

static bool connect_petmem(void)
{
	return init_petmem() == 0;
}

static void *get_petmem(size_t size)
{
	void *memory = pet_malloc(size);

	if (!memory)
		err(EXIT_FAILURE, "pet_malloc");
	return memory;
}

static void put_petmem(void *memory, size_t size)
{
	(void)size;
	pet_free(memory);
}

const struct peer peers[] = {
	{
		.name = "linux",
		.label = "Linux 4 KiB",
		.traits = PEER_FORK | PEER_RANGES | PEER_THREADS | PEER_QUICK,
		.set_up = use_small_pages,
		.get = get_small,
		.put = unmap,
	},
	{
		.name = "populate",
		.label = "Linux populate",
		.traits = PEER_EAGER,
		.set_up = use_small_pages,
		.get = get_populated,
		.put = unmap,
	},
	{
		.name = "thp",
		.label = "Linux THP",
		.traits = PEER_LARGE | PEER_FORK,
		.set_up = is_there,
		.get = get_transparent,
		.put = unmap,
	},
	{
		.name = "hugetlb",
		.label = "Linux hugetlb",
		.traits = PEER_LARGE,
		.set_up = is_there,
		.get = get_hugetlb,
		.put = unmap,
	},
	{
		.name = "uffd",
		.label = "user- faultfd",
		.traits = PEER_THREADS,
		.set_up = uffd_set_up,
		.get = uffd_get,
		.put = unmap,
	},
	{
		.name = "mprotect",
		.label = "SIGSEGV mprotect",
		.traits = PEER_THREADS,
		.set_up = segv_set_up,
		.get = segv_get,
		.put = unmap,
	},
	{
		.name = "signal",
		.label = "petmem signal",
		.traits = PEER_POOL | PEER_FORK | PEER_RANGES | PEER_THREADS |
			  PEER_QUICK,
		.settings = { "PETMEM_FAULTS=signal" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "native",
		.label = "petmem native",
		.traits = PEER_POOL | PEER_FORK | PEER_RANGES | PEER_THREADS |
			  PEER_QUICK,
		.settings = { "PETMEM_FAULTS=native" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "signal-around",
		.label = "petmem sig+16",
		.traits = PEER_POOL | PEER_QUICK,
		.settings = { "PETMEM_FAULTS=signal",
			      "PETMEM_FAULT_AROUND=16" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "around",
		.label = "petmem nat+16",
		.traits = PEER_POOL | PEER_QUICK,
		.settings = { "PETMEM_FAULTS=native",
			      "PETMEM_FAULT_AROUND=16" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "ahead",
		.label = "petmem ahead",
		.traits = PEER_POOL | PEER_EAGER | PEER_QUICK,
		.settings = { "PETMEM_POPULATE=1" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
};

const size_t nr_peers = sizeof(peers) / sizeof(peers[0]);
