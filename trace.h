/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - the events that perf, trace-cmd and bpftrace can watch: petmem:petmem_*.
 *
 * An event that nobody watches costs one jump. The process is in the field common_pid, which
 * every event has. Addresses and sizes are in bytes; a result is 0 or a negative errno.
 * Fields, once released, stay.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM petmem

#if !defined(PETMEM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define PETMEM_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

/* Their layout is that of all trace events in Linux. */
/* clang-format off */

/* A range of virtual pages, including its guard page, was allocated or freed. */
DECLARE_EVENT_CLASS(petmem_range,
	TP_PROTO(u64 addr, u64 size),
	TP_ARGS(addr, size),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(u64, size)
	),
	TP_fast_assign(
		__entry->addr = addr;
		__entry->size = size;
	),
	TP_printk("addr=%#llx size=%llu", __entry->addr, __entry->size)
);

DEFINE_EVENT(petmem_range, petmem_alloc,
	TP_PROTO(u64 addr, u64 size),
	TP_ARGS(addr, size)
);

DEFINE_EVENT(petmem_range, petmem_free,
	TP_PROTO(u64 addr, u64 size),
	TP_ARGS(addr, size)
);

/* A page fault was handled, in any fault mode. */
TRACE_EVENT(petmem_fault,
	TP_PROTO(u64 addr, u32 error_code, int result),
	TP_ARGS(addr, error_code, result),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(u32, error_code) /* PETMEM_FAULT_* */
		__field(int, result)
	),
	TP_fast_assign(
		__entry->addr = addr;
		__entry->error_code = error_code;
		__entry->result = result;
	),
	TP_printk("addr=%#llx error_code=%#x result=%d", __entry->addr,
		  __entry->error_code, __entry->result)
);

/* A write unshared a page, with or without a copy. */
TRACE_EVENT(petmem_cow,
	TP_PROTO(u64 addr, bool copied),
	TP_ARGS(addr, copied),
	TP_STRUCT__entry(
		__field(u64, addr)
		__field(bool, copied) /* 0: the page had no other owner any more */
	),
	TP_fast_assign(
		__entry->addr = addr;
		__entry->copied = copied;
	),
	TP_printk("addr=%#llx copied=%d", __entry->addr, __entry->copied)
);

/* A process with petmem memory forked. */
TRACE_EVENT(petmem_fork,
	TP_PROTO(u32 relatives, bool native),
	TP_ARGS(relatives, native),
	TP_STRUCT__entry(
		__field(u32, relatives) /* living ones, including the child */
		__field(bool, native) /* faults */
	),
	TP_fast_assign(
		__entry->relatives = relatives;
		__entry->native = native;
	),
	TP_printk("relatives=%u native=%d", __entry->relatives,
		  __entry->native)
);

/* Physical memory was donated. */
TRACE_EVENT(petmem_donate,
	TP_PROTO(u64 start, u64 size, int node),
	TP_ARGS(start, size, node),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, size)
		__field(int, node)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->size = size;
		__entry->node = node;
	),
	TP_printk("start=%#llx size=%llu node=%d", __entry->start,
		  __entry->size, __entry->node)
);

/* Physical memory was released. */
TRACE_EVENT(petmem_release,
	TP_PROTO(u64 start, u64 size),
	TP_ARGS(start, size),
	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, size)
	),
	TP_fast_assign(
		__entry->start = start;
		__entry->size = size;
	),
	TP_printk("start=%#llx size=%llu", __entry->start, __entry->size)
);

/* clang-format on */

#endif /* PETMEM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
