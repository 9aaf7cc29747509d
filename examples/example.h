/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* example.h - what the examples share: connect, and count. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "../petmem.h"
#include "../user/harness.h"

#define PAGE PETMEM_PAGE_SIZE

/* Connect, and open the device for queries. The harness has its own descriptor. */
static inline int connect_petmem(void)
{
	int device;

	if (init_petmem())
		err(EXIT_FAILURE, "petmem");
	device = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(EXIT_FAILURE, "%s", PETMEM_DEVICE);
	return device;
}

static inline char *allocate(size_t size)
{
	char *memory = pet_malloc(size);

	if (!memory)
		err(EXIT_FAILURE, "pet_malloc");
	return memory;
}

static inline struct petmem_status pool_counts(int device)
{
	struct petmem_status status;

	if (ioctl(device, PETMEM_IOC_STATUS, &status))
		err(EXIT_FAILURE, "status");
	return status;
}

/* The counts of this process. */
static inline struct petmem_process_info own_counts(int device)
{
	struct petmem_process_info info = { .pid = 0 };

	if (ioctl(device, PETMEM_IOC_PROCESS, &info))
		err(EXIT_FAILURE, "process");
	return info;
}

#endif /* EXAMPLE_H */
