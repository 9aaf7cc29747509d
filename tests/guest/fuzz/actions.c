// SPDX-License-Identifier: GPL-2.0
/*
 * actions.c - the table of a hostile program's actions.
 *
 * One line each: CALL for a system call, with a kind of value for each argument;
 * IOCTL for a command of petmem.h, which fills its argument; DO for a function, and
 * BRANCH for one that makes threads or processes. The first number is how often it
 * is drawn.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <linux/prctl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "action.h"
#include "debuggers.h"
#include "descriptors.h"
#include "ioctls.h"
#include "maps.h"
#include "processes.h"
#include "result.h"
#include "rings.h"
#include "signals.h"
#include "threads.h"
#include "touch.h"
#include "transfers.h"

/* Newer than some C libraries' headers. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack 453
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define PR_SET_MEMORY_MERGE_ 67 /* Linux 6.4 */
#define ADVICES 128
#define MMAP_FLAGS                                                  \
	(MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | \
	 MAP_NORESERVE | MAP_HUGETLB | MAP_32BIT | MAP_NONBLOCK | MAP_SYNC)
#define MSG_FLAGS                                                           \
	(MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC | MSG_WAITALL | MSG_ZEROCOPY | \
	 MSG_OOB | MSG_ERRQUEUE)
/* Modes and their flags. */
#define POLICIES                                             \
	(7 | MPOL_F_NUMA_BALANCING | MPOL_F_RELATIVE_NODES | \
	 MPOL_F_STATIC_NODES)
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

#define CALL(weight, name, ...)                                             \
	{                                                                   \
#name, weight, run_call, SYS_##name, { __VA_ARGS__ }, false \
	}
#define IOCTL(weight, name)                                            \
	{                                                              \
#name, weight, run_ioctl, PETMEM_IOC_##name, {}, false \
	}
#define DO(weight, function)                              \
	{                                                 \
#function, weight, function, 0, {}, false \
	}
#define BRANCH(weight, function)                         \
	{                                                \
#function, weight, function, 0, {}, true \
	}

static const struct action actions[] = {
	/* petmem.h */
	IOCTL(60, ALLOC),
	IOCTL(30, FREE),
	IOCTL(40, FAULT),
	IOCTL(10, QUERY),
	IOCTL(10, POPULATE),
	IOCTL(10, INVLPG),
	IOCTL(4, MODE),
	IOCTL(4, VERSION),
	IOCTL(4, STATUS),
	IOCTL(4, BLOCK),
	IOCTL(1, DUMP),
	IOCTL(3, DONATE),
	IOCTL(3, RELEASE),
	IOCTL(3, COUNTERS),
	IOCTL(3, USER),
	IOCTL(6, PROCESS),
	IOCTL(8, WALK),
	IOCTL(8, SPAN),
	IOCTL(3, RUN),
	DO(6, unknown_ioctl),

	/* Normal use of memory */
	DO(60, touch),
	DO(20, touch_often),
	DO(15, touch_all),
	DO(20, work),
	DO(10, stray),

	/* The map of the address space */
	DO(10, map_region),
	DO(4, unmap_region),
	DO(4, grow_into_region),
	CALL(12, mmap, ADDRESS, LENGTH, BITS(RWX),
	     BITS(MMAP_FLAGS | MAP_FIXED_NOREPLACE), FD, IS(0)),
	CALL(8, mmap, ADDRESS, IS(4 * PAGE), BITS(RWX),
	     BITS(MMAP_FLAGS | MAP_FIXED | MAP_POPULATE | MAP_LOCKED), FD,
	     BITS(PAGE)),
	CALL(8, munmap, ADDRESS, LENGTH),
	CALL(8, mprotect, ADDRESS, LENGTH,
	     BITS(RWX | PROT_GROWSDOWN | PROT_GROWSUP)),
	CALL(8, mremap, ADDRESS, LENGTH, LENGTH, BITS(7), ADDRESS),
	CALL(20, madvise, ADDRESS, LENGTH, BELOW(ADVICES)),
	CALL(4, process_madvise, FD, IOVEC, IS(2), BELOW(ADVICES), BELOW(2)),
	CALL(3, remap_file_pages, ADDRESS, LENGTH, IS(0), BELOW(4),
	     BITS(MMAP_FLAGS)),
	CALL(3, pkey_alloc, IS(0), BELOW(4)),
	CALL(4, pkey_mprotect, ADDRESS, LENGTH, BITS(RWX), BELOW(4)),
	CALL(2, mseal, ADDRESS, LENGTH, IS(0)),
	CALL(2, map_shadow_stack, ADDRESS, LENGTH, BELOW(4)),
	CALL(2, brk, ADDRESS),
	DO(4, attach_shared_memory),

	/* Presence and placement of pages */
	CALL(6, mlock, ADDRESS, LENGTH),
	CALL(4, mlock2, ADDRESS, LENGTH, BITS(3)),
	CALL(4, munlock, ADDRESS, LENGTH),
	CALL(3, mlockall, BITS(7)),
	CALL(3, munlockall),
	/* No LENGTH: Linux would look up each page of the region, ignoring signals. */
	CALL(6, mincore, ADDRESS, BYTES, BUFFER),
	CALL(6, msync, ADDRESS, LENGTH, BITS(7)),
	CALL(8, mbind, ADDRESS, LENGTH, BITS(POLICIES), BUFFER, BELOW(128),
	     BITS(15)),
	CALL(3, set_mempolicy, BITS(POLICIES), BUFFER, BELOW(128)),
	CALL(3, get_mempolicy, BUFFER, BUFFER, BELOW(128), ADDRESS, BITS(7)),
	CALL(3, set_mempolicy_home_node, ADDRESS, LENGTH, BELOW(4), IS(0)),
	CALL(4, move_pages, PROCESS, BELOW(32), BUFFER, BUFFER, BUFFER,
	     BITS(7)),
	CALL(3, migrate_pages, PROCESS, BELOW(64), BUFFER, BUFFER),
	CALL(2, cachestat, FD, BUFFER, BUFFER, IS(0)),

	/* The kernel reads and writes there */
	CALL(12, read, FD, BUFFER, BYTES),
	CALL(12, write, FD, BUFFER, BYTES),
	CALL(6, pread64, FD, BUFFER, BYTES, ADDRESS),
	CALL(6, pwrite64, FD, BUFFER, BYTES, ADDRESS),
	CALL(5, readv, FD, IOVEC, BELOW(3)),
	CALL(5, writev, FD, IOVEC, BELOW(3)),
	CALL(3, preadv2, FD, IOVEC, BELOW(3), BELOW(PAGE), IS(0), BITS(31)),
	CALL(3, pwritev2, FD, IOVEC, BELOW(3), BELOW(PAGE), IS(0), BITS(31)),
	CALL(5, recvfrom, FD, BUFFER, BYTES, BITS(MSG_FLAGS), BUFFER, BUFFER),
	CALL(5, sendto, FD, BUFFER, BYTES, BITS(MSG_FLAGS), BUFFER, BELOW(64)),
	CALL(3, recvmsg, FD, BUFFER, BITS(MSG_FLAGS)),
	CALL(3, sendmsg, FD, BUFFER, BITS(MSG_FLAGS)),
	CALL(6, vmsplice, FD, IOVEC, BELOW(3), BITS(15)),
	CALL(3, splice, FD, BUFFER, FD, BUFFER, BYTES, BITS(15)),
	CALL(2, tee, FD, FD, BYTES, BITS(15)),
	CALL(3, sendfile, FD, FD, BUFFER, BYTES),
	CALL(2, copy_file_range, FD, BUFFER, FD, BUFFER, BYTES, IS(0)),
	CALL(5, process_vm_readv, PROCESS, IOVEC, BELOW(3), IOVEC, BELOW(3),
	     IS(0)),
	CALL(5, process_vm_writev, PROCESS, IOVEC, BELOW(3), IOVEC, BELOW(3),
	     IS(0)),
	CALL(5, getrandom, BUFFER, BYTES, BITS(7)),
	CALL(3, getdents64, FD, BUFFER, BYTES),
	CALL(3, getcwd, BUFFER, BYTES),
	CALL(3, fstat, FD, BUFFER),
	CALL(3, uname, BUFFER),
	CALL(3, clock_gettime, BELOW(12), BUFFER),
	CALL(3, getrusage, IS(0), BUFFER),
	CALL(3, poll, BUFFER, BELOW(8), BELOW(4)),
	CALL(2, epoll_ctl, FD, BELOW(4), FD, BUFFER),
	CALL(2, epoll_pwait, FD, BUFFER, BELOW(8), BELOW(4), BUFFER, IS(8)),
	CALL(4, ioctl, FD, BELOW(0x10000), BUFFER),
	CALL(3, fcntl, FD, BELOW(16), BUFFER),
	CALL(2, openat, IS(-100), BUFFER, IS(0)),
	CALL(2, prctl, IS(PR_SET_NAME), BUFFER),
	CALL(2, prctl, IS(PR_GET_NAME), BUFFER),
	CALL(3, prctl, IS(PR_SET_MM), BELOW(16), ADDRESS, LENGTH),
	CALL(3, prctl, IS(PR_SET_VMA), IS(0), ADDRESS, LENGTH, BUFFER),
	CALL(2, prctl, IS(PR_SET_MEMORY_MERGE_), BELOW(2)),
	CALL(2, prctl, IS(PR_SET_THP_DISABLE), BELOW(2)),
	CALL(2, get_robust_list, PROCESS, BUFFER, BUFFER),
	CALL(2, modify_ldt, BELOW(3), BUFFER, BELOW(64)),
	DO(12, transfer),
	DO(6, asynchronous_io),
	DO(10, ring_io),
	DO(6, user_faults),

	/* Futexes, barriers, leftovers of threads */
	CALL(6, futex, BUFFER, BELOW(14), BELOW(4), BUFFER, BUFFER, BELOW(4)),
	CALL(4, futex, BUFFER, IS(FUTEX_WAKE | FUTEX_PRIVATE_FLAG), BELOW(8)),
	CALL(4, membarrier, BITS(0x3ff), BELOW(2), BELOW(4)),
	BRANCH(4, leave_robust_list),
	BRANCH(3, register_rseq),

	/* Threads, children, other programs */
	BRANCH(16, start_thread),
	BRANCH(16, race),
	BRANCH(14, fork_child),
	BRANCH(12, share_and_part),
	BRANCH(4, fork_and_end),
	BRANCH(4, vfork_child),
	BRANCH(4, clone_sharing_memory),
	BRANCH(3, exec_again),
	DO(2, exec_from_petmem),
	BRANCH(6, watch_child_die),
	BRANCH(8, debug_child),
	DO(8, read_proc),
	BRANCH(6, keep_reading),
	DO(4, scan_pages),
	DO(4, clear_references),
	BRANCH(3, limit_resources),
	BRANCH(4, end_by_signal),

	/* Signals */
	DO(6, signal_storm),
	DO(4, signal_relative),
	BRANCH(4, stand_on_petmem),
	CALL(2, rt_sigprocmask, BELOW(3), BUFFER, BUFFER, IS(8)),
	CALL(2, rt_sigpending, BUFFER, IS(8)),
	CALL(2, rt_sigtimedwait, BUFFER, BUFFER, BUFFER, IS(8)),
	CALL(2, sigaltstack, BUFFER, BUFFER),
	CALL(2, timer_create, BELOW(12), BUFFER, BUFFER),

	/* Descriptors */
	DO(4, close_one),
	DO(6, duplicate_one),
	DO(4, open_one),
	DO(4, open_device),
	BRANCH(3, pass_device),
	CALL(2, ftruncate, FD, BELOW(MIB)),
	CALL(2, fallocate, FD, BITS(0x7f), BELOW(MIB), BELOW(MIB)),
	CALL(2, fsync, FD),
	CALL(2, lseek, FD, ADDRESS, BELOW(5)),
};

_Static_assert(COUNT_OF(actions) <= ACTIONS_MAX, "room for the counts");

const struct action *action_draw(struct flow *flow)
{
	static _Atomic unsigned int sum;
	unsigned int total = atomic_load(&sum);
	unsigned int at;

	if (!total) {
		for (size_t i = 0; i < COUNT_OF(actions); i++)
			total += actions[i].weight;
		atomic_store(&sum, total);
	}
	at = draw(flow, total);
	for (size_t i = 0;; i++) {
		if (at < actions[i].weight)
			return &actions[i];
		at -= actions[i].weight;
	}
}

const struct action *action_draw_simple(struct flow *flow)
{
	const struct action *action = action_draw(flow);

	while (action->branches)
		action = action_draw(flow);
	return action;
}

void action_take(struct flow *flow, const struct action *action)
{
	if (action->branches && flow->depth == DEPTH_MAX)
		return;
	atomic_fetch_add(&result->begun[action - actions], 1);
	action->run(flow, action);
}

void action_count(const struct action *action, long outcome)
{
	if (outcome >= 0)
		atomic_fetch_add(&result->granted[action - actions], 1);
}

void actions_print(void)
{
	for (size_t i = 0; i < COUNT_OF(actions); i++)
		printf("# %s: %u begun, %u granted\n", actions[i].name,
		       atomic_load(&result->begun[i]),
		       atomic_load(&result->granted[i]));
}

void run_call(struct flow *flow, const struct action *action)
{
	uint64_t value[ARGUMENTS];

	for (size_t i = 0; i < ARGUMENTS; i++)
		value[i] = value_draw(flow, action->arguments[i]);
	action_count(action, syscall(action->number, value[0], value[1],
				     value[2], value[3], value[4], value[5]));
}
