/* SPDX-License-Identifier: GPL-2.0 */
/* slab.h - for the host's tests. */
#ifndef HOST_LINUX_SLAB_H
#define HOST_LINUX_SLAB_H

#include "../../host.h"

#define kmalloc(size, gfp) ((void)(gfp), host_alloc(size))
#define kfree(memory) host_free(memory)

#endif /* HOST_LINUX_SLAB_H */
