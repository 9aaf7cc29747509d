/* SPDX-License-Identifier: GPL-2.0 */
/* sched.h - for the host's tests. */
#ifndef HOST_LINUX_SCHED_H
#define HOST_LINUX_SCHED_H

#define cond_resched() ((void)0)

#endif /* HOST_LINUX_SCHED_H */
