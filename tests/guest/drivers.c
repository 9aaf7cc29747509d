// SPDX-License-Identifier: GPL-2.0
/*
 * drivers.c - memory that belongs to a driver, which may take it away again.
 *
 * This needs a guest with such memory. tests/check has QEMU give some by virtio-mem; parts
 * of its last memory block are not plugged in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest.h"

/* In /proc/iomem the name of the driver follows this. */
#define DRIVERS_RAM "System RAM ("

static void state_path(char *path, size_t size, uint64_t block)
{
	snprintf(path, size, "/sys/devices/system/memory/memory%llu/state",
		 (unsigned long long)block);
}

/* The driver may keep a block online, which is then refused all the same. */
static void try_block(int device, uint64_t block, uint64_t size)
{
	struct petmem_extent extent = { block * size, size };
	char path[100];
	bool was_online;

	state_path(path, sizeof(path), block);
	was_online = write_file(path, "offline") == 0;
	CHECK(ioctl(device, PETMEM_IOC_DONATE, &extent) == -1);
	CHECK(errno == EOPNOTSUPP);
	if (was_online)
		CHECK(write_file(path, "online") == 0);
}

static void refused(void)
{
	uint64_t size = pool_status().block_size;
	unsigned long long first, last;
	size_t blocks = 0;
	char line[200];
	FILE *iomem = fopen("/proc/iomem", "re");
	int device = open_device();

	CHECK(iomem != NULL);
	while (fgets(line, sizeof(line), iomem)) {
		if (!strstr(line, DRIVERS_RAM))
			continue;
		CHECK(sscanf(line, " %llx-%llx", &first, &last) == 2);
		for (; first < last; first += size, blocks++)
			try_block(device, first / size, size);
	}
	fclose(iomem);
	if (!blocks)
		skip_case("no memory belongs to a driver");
}

static const struct guest_case cases[] = {
	{ "memory that belongs to a driver is refused", refused },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
