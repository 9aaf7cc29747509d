/* SPDX-License-Identifier: GPL-2.0 */
/* vmalloc.h - for the host's tests. */
#ifndef HOST_LINUX_VMALLOC_H
#define HOST_LINUX_VMALLOC_H

#include "../../host.h"

#define __vmalloc(size, gfp) ((void)(gfp), host_alloc(size))
#define vfree(memory) host_free(memory)

#endif /* HOST_LINUX_VMALLOC_H */
