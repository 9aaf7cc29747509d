/* SPDX-License-Identifier: GPL-2.0 */
/* kernel.h - container_of(), for the host's tests. */
#ifndef HOST_LINUX_KERNEL_H
#define HOST_LINUX_KERNEL_H

#include <linux/compiler.h>
#include <linux/types.h>

#define container_of(member_pointer, type, member) \
	((type *)((char *)(member_pointer)-offsetof(type, member)))

#endif /* HOST_LINUX_KERNEL_H */
