/* SPDX-License-Identifier: GPL-2.0 */
/* processes.h - actions: children, other programs, and their ends. */
#ifndef FUZZ_PROCESSES_H
#define FUZZ_PROCESSES_H

#include "action.h"

/* A child takes steps of its own, beside its parent. */
void fork_child(struct flow *flow, const struct action *action);

/* The parent ends, and the child goes on. */
void fork_and_end(struct flow *flow, const struct action *action);

/* Page tables are shared, replaced by one side, and dropped by the other. */
void share_and_part(struct flow *flow, const struct action *action);

/* A child on the same memory, while its parent waits. */
void vfork_child(struct flow *flow, const struct action *action);

/* A process, not a thread, on the same memory, at the same time. */
void clone_sharing_memory(struct flow *flow, const struct action *action);

/* Run this program again, with a new address space and the old descriptors. */
void exec_again(struct flow *flow, const struct action *action);

/* exec with its name and arguments in petmem memory. */
void exec_from_petmem(struct flow *flow, const struct action *action);

/* Limits on address space, data and locked memory, for a child. */
void limit_resources(struct flow *flow, const struct action *action);

/* A child ends by one of the signals that end processes, SIGKILL among them. */
void end_by_signal(struct flow *flow, const struct action *action);

#endif /* FUZZ_PROCESSES_H */
