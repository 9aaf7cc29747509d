/* SPDX-License-Identifier: GPL-2.0 */
/* gfp.h - for the host's tests. */
#ifndef HOST_LINUX_GFP_H
#define HOST_LINUX_GFP_H

#include <linux/types.h>

#define GFP_KERNEL 0
#define GFP_KERNEL_ACCOUNT 0
#define __GFP_NOWARN 0

#endif /* HOST_LINUX_GFP_H */
