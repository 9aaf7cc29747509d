/* SPDX-License-Identifier: GPL-2.0 */
/* maps.h - actions: mappings of the whole region, and around it. */
#ifndef FUZZ_MAPS_H
#define FUZZ_MAPS_H

#include "action.h"

/* Map the device as the module does it, or nearly so. */
void map_region(struct flow *flow, const struct action *action);

/* Unmap the region, or more; now and then put other memory in its place first. */
void unmap_region(struct flow *flow, const struct action *action);

/* A stack below or above the region, that grows when it is touched. */
void grow_into_region(struct flow *flow, const struct action *action);

/* System V shared memory at an address of petmem's. */
void attach_shared_memory(struct flow *flow, const struct action *action);

/* userfaultfd on petmem's memory, and copies to and from it. */
void user_faults(struct flow *flow, const struct action *action);

#endif /* FUZZ_MAPS_H */
