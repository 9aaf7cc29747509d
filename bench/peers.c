// SPDX-License-Identifier: GPL-2.0
/*
 * peers.c - the table of peers, with Linux's own memory and petmem. The pagers in user
 * space are in pagers.c.
 */
#define _GNU_SOURCE
#include "peers.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../petmem.h"
#include "../user/harness.h"

/* An aligned place far from all else, so that huge pages fit into a mapping. */
#define LARGE_PLACE ((void *)0x200000000000)

/* Off unless a peer asks for it: see bench/run. */
#define CLEAR_AHEAD "/sys/module/petmem/parameters/clear_ahead"
#define LOOK_AGAIN_US 10000

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

/* bench/guest turns huge pages on for everybody. */
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

static void set_clearing(const char *value)
{
	int fd = open(CLEAR_AHEAD, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, 1) != 1)
		err(EXIT_FAILURE, CLEAR_AHEAD);
	close(fd);
}

/* Have all free pages cleared now, and none after that. */
static void clear_pool(void)
{
	struct petmem_status status;
	int fd = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);

	set_clearing("1");
	do {
		usleep(LOOK_AGAIN_US);
		if (ioctl(fd, PETMEM_IOC_STATUS, &status))
			err(EXIT_FAILURE, "PETMEM_IOC_STATUS");
	} while (status.clean_pages != status.free_pages);
	set_clearing("0");
	close(fd);
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
		.traits = PEER_FORK | PEER_RANGES | PEER_THREADS | PEER_QUICK |
			  PEER_GIANT,
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
		.traits = PEER_LARGE | PEER_FORK | PEER_THREADS | PEER_GIANT,
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
		.set_up = uffd_set_up,
		.get = uffd_get,
		.put = unmap,
	},
	{
		.name = "mprotect",
		.label = "SIGSEGV mprotect",
		.set_up = segv_set_up,
		.get = segv_get,
		.put = unmap,
	},
	{
		.name = "signal",
		.label = "petmem signal",
		.traits = PEER_POOL | PEER_FORK | PEER_RANGES | PEER_THREADS |
			  PEER_QUICK,
		.settings = { "PETMEM_FAULTS=signal", "PETMEM_LARGE_PAGES=0" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "native",
		.label = "petmem native",
		.traits = PEER_POOL | PEER_FORK | PEER_RANGES | PEER_THREADS |
			  PEER_QUICK,
		.settings = { "PETMEM_FAULTS=native", "PETMEM_LARGE_PAGES=0" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "signal-around",
		.label = "petmem sig+16",
		.traits = PEER_POOL | PEER_QUICK,
		.settings = { "PETMEM_FAULTS=signal", "PETMEM_FAULT_AROUND=16",
			      "PETMEM_LARGE_PAGES=0" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "around",
		.label = "petmem nat+16",
		.traits = PEER_POOL | PEER_QUICK,
		.settings = { "PETMEM_FAULTS=native", "PETMEM_FAULT_AROUND=16",
			      "PETMEM_LARGE_PAGES=0" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "ahead",
		.label = "petmem ahead",
		.traits = PEER_POOL | PEER_EAGER | PEER_QUICK,
		.settings = { "PETMEM_POPULATE=1", "PETMEM_LARGE_PAGES=0" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "large-signal",
		.label = "petmem sig 2M",
		.traits = PEER_POOL | PEER_LARGE | PEER_THREADS,
		.settings = { "PETMEM_FAULTS=signal", "PETMEM_LARGE_PAGES=1" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "large",
		.label = "petmem nat 2M",
		.traits = PEER_POOL | PEER_LARGE | PEER_FORK | PEER_THREADS |
			  PEER_QUICK | PEER_GIANT,
		.settings = { "PETMEM_FAULTS=native", "PETMEM_LARGE_PAGES=1" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "ahead-large",
		.label = "petmem ahead L",
		.traits = PEER_POOL | PEER_LARGE | PEER_EAGER | PEER_GIANT,
		.settings = { "PETMEM_POPULATE=1", "PETMEM_LARGE_PAGES=1" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
	},
	{
		.name = "zeroed",
		.label = "petmem cleared",
		.traits = PEER_POOL | PEER_LARGE | PEER_QUICK | PEER_GIANT,
		.settings = { "PETMEM_FAULTS=native", "PETMEM_LARGE_PAGES=1" },
		.set_up = connect_petmem,
		.get = get_petmem,
		.put = put_petmem,
		.settle = clear_pool,
	},
};

const size_t nr_peers = sizeof(peers) / sizeof(peers[0]);
