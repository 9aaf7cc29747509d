// SPDX-License-Identifier: GPL-2.0 OR MIT
/* device.c - /dev/petmem as the administrator's tool uses it. */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "device.h"

static int check_version(int device)
{
	struct petmem_version version = { 0 };

	if (ioctl(device, PETMEM_IOC_VERSION, &version)) {
		warn("%s is not petmem's device", PETMEM_DEVICE);
		return -1;
	}
	if (version.abi != PETMEM_ABI_VERSION) {
		warnx("the module speaks protocol %u, this program %u: build both from the same sources",
		      version.abi, PETMEM_ABI_VERSION);
		return -1;
	}
	return 0;
}

int device_open(void)
{
	int device = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);

	if (device < 0) {
		if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
			warn("%s: is the module loaded? (insmod petmem.ko)",
			     PETMEM_DEVICE);
		else if (errno == EACCES || errno == EPERM)
			warn("%s: run as root", PETMEM_DEVICE);
		else
			warn("%s", PETMEM_DEVICE);
		return -1;
	}
	if (check_version(device)) {
		close(device);
		return -1;
	}
	return device;
}

int device_ranges(int device, struct petmem_block **list, size_t *count)
{
	struct petmem_block range = { 0 };
	struct petmem_block *longer;

	*list = NULL;
	*count = 0;
	while (!ioctl(device, PETMEM_IOC_BLOCK, &range)) {
		longer = realloc(*list, (*count + 1) * sizeof(**list));
		if (!longer) {
			free(*list);
			return -ENOMEM;
		}
		*list = longer;
		(*list)[(*count)++] = range;
		range = (struct petmem_block){ .index = *count };
	}
	if (errno == ENOENT)
		return 0;
	free(*list);
	return -errno;
}

int device_users(int device, struct petmem_user_counts **list, size_t *count)
{
	struct petmem_user_counts user = { 0 };
	struct petmem_user_counts *longer;

	*list = NULL;
	*count = 0;
	while (!ioctl(device, PETMEM_IOC_USER, &user)) {
		longer = realloc(*list, (*count + 1) * sizeof(**list));
		if (!longer) {
			free(*list);
			return -ENOMEM;
		}
		*list = longer;
		(*list)[(*count)++] = user;
		user = (struct petmem_user_counts){ .index = *count };
	}
	if (errno == ENOENT)
		return 0;
	free(*list);
	return -errno;
}

static int extent_ioctl(int device, unsigned long command, __u64 start,
			__u64 size)
{
	struct petmem_extent extent = { .start = start, .size = size };

	return ioctl(device, command, &extent) ? -errno : 0;
}

int device_donate(int device, __u64 start, __u64 size)
{
	return extent_ioctl(device, PETMEM_IOC_DONATE, start, size);
}

int device_release(int device, __u64 start, __u64 size)
{
	return extent_ioctl(device, PETMEM_IOC_RELEASE, start, size);
}
