/* SPDX-License-Identifier: GPL-2.0 */
/* threads.h - actions: threads, and memory that they leave to the kernel. */
#ifndef FUZZ_THREADS_H
#define FUZZ_THREADS_H

#include "action.h"

/* A thread takes steps of its own; its stack is petmem memory now and then. */
void start_thread(struct flow *flow, const struct action *action);

/* Two actions against each other, many times, with the same memory. */
void race(struct flow *flow, const struct action *action);

/* A list of robust futexes in petmem memory, which the kernel walks at the end. */
void leave_robust_list(struct flow *flow, const struct action *action);

/* The kernel writes there when it schedules a thread, and must not fail. */
void register_rseq(struct flow *flow, const struct action *action);

#endif /* FUZZ_THREADS_H */
