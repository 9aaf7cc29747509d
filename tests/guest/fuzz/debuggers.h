/* SPDX-License-Identifier: GPL-2.0 */
/* debuggers.h - actions: petmem memory as others see it, by ptrace and /proc. */
#ifndef FUZZ_DEBUGGERS_H
#define FUZZ_DEBUGGERS_H

#include "action.h"

/* Stop a child, look into its memory and change it, and let it go or kill it. */
void debug_child(struct flow *flow, const struct action *action);

/* Look at a child in /proc while it is killed. */
void watch_child_die(struct flow *flow, const struct action *action);

/* Read files of /proc about the memory of this process, or of a relative. */
void read_proc(struct flow *flow, const struct action *action);

/* A child reads a file of /proc about this process again and again, beside it. */
void keep_reading(struct flow *flow, const struct action *action);

/* PAGEMAP_SCAN, with flags and categories of all kinds. */
void scan_pages(struct flow *flow, const struct action *action);

/* Write to clear_refs of this process or a relative. */
void clear_references(struct flow *flow, const struct action *action);

#endif /* FUZZ_DEBUGGERS_H */
