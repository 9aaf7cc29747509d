/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * petmem.h - the protocol of /dev/petmem, shared by the module and user space.
 *
 * What a program does, in order:
 *
 *   1. open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC).
 *   2. PETMEM_IOC_VERSION, and go on only if .abi is PETMEM_ABI_VERSION.
 *   3. PETMEM_IOC_MODE, with PETMEM_MODE_NATIVE, for native faults. Step 5 is
 *      the kernel's business then.
 *   4. PETMEM_IOC_ALLOC reserves a range of virtual pages inside
 *      [PETMEM_REGION_START, PETMEM_REGION_END). No memory stands behind it.
 *   5. The first access to each page, and the first write to each after a fork,
 *      raises SIGSEGV. The handler passes the address and the processor's error
 *      code to PETMEM_IOC_FAULT. If that returns 0, the page is mapped: return
 *      from the handler and the access is repeated. On any error the access was
 *      wrong: do what would have been done without petmem.
 *   6. PETMEM_IOC_FREE unmaps the range and gives its pages back.
 *
 * After fork, parent and child each see the memory as it was, and each its own
 * writes only: pages are shared until one of them writes. The child may have
 * nothing, when there was no kernel memory, or more relatives than the module's
 * parameter max_relatives; its accesses raise SIGSEGV then.
 *
 * Memory belongs to the address space (the mm), not to the descriptor: any
 * descriptor of the device acts on the address space of the thread that calls,
 * and closing one frees nothing. Everything comes back when the address space
 * ends: exit, a fatal signal or exec.
 *
 * The administrator moves memory in and out with PETMEM_IOC_DONATE and
 * PETMEM_IOC_RELEASE (CAP_SYS_ADMIN); user/petmem does this.
 *
 * Rules for every command: the result is 0, or -1 with errno set and nothing
 * changed. ENOTTY: unknown command. EFAULT: the argument cannot be read or
 * written. EINVAL: a reserved field or an unknown flag is not zero. ENOMEM: no
 * kernel memory for the bookkeeping. EINTR: a fatal signal came first. MODE, ALLOC
 * and DUMP, which reserve the region, also give EEXIST or EBUSY when something else
 * is there already, and ENOMEM when RLIMIT_AS leaves no room for it (it counts
 * with its whole PETMEM_REGION_SIZE). All sizes and addresses are in bytes. A
 * released command never changes; new ones are added.
 */
#ifndef PETMEM_H
#define PETMEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PETMEM_DEVICE "/dev/petmem"
#define PETMEM_ABI_VERSION 5

#define PETMEM_PAGE_SIZE 4096ULL

/*
 * The region is one whole top-level slot of the page tables: one PGD entry with
 * 4-level paging, one P4D entry with 5-level paging. It is the same for every
 * process, and lies between the places where Linux puts non-PIE programs and
 * where it puts PIE programs and mmap.
 */
#define PETMEM_REGION_START 0x100000000000ULL
#define PETMEM_REGION_SIZE (1ULL << 39)
#define PETMEM_REGION_END (PETMEM_REGION_START + PETMEM_REGION_SIZE)

struct petmem_version {
	__u32 abi; /* out: PETMEM_ABI_VERSION of the module */
	__u32 reserved; /* in: 0 */
};

/*
 * Allocate virtual pages, first fit.
 * EINVAL: size is 0, or align is neither 0 nor a power of two.
 * ENOMEM: no hole in the region is large enough, or there are too many allocations: the
 * module's parameters max_map_allocations and max_user_allocations limit them.
 * EAGAIN: another thread unmapped the region at this moment.
 */
struct petmem_alloc {
	__u64 size; /* in: at least 1; out: rounded up to whole pages */
	__u64 align; /* in: alignment of addr; 0 and less than a page: a page */
	__u64 addr; /* out: where the allocation begins */
	__u64 flags; /* in: PETMEM_ALLOC_* */
};

/* Behind the allocation there is a page that belongs to it and cannot be touched. */
#define PETMEM_ALLOC_GUARD (1ULL << 0)
/* If the region is not reserved yet: with native faults, as by PETMEM_IOC_MODE. */
#define PETMEM_ALLOC_NATIVE (1ULL << 1)
/*
 * Map all of it now, a whole aligned 1 GiB by one page where the processor and the pool
 * have them and 2 MiB pages are not turned off. ENOMEM, and nothing allocated, when the
 * pool has not enough. If another thread forks at this moment, giving the range back may
 * fail as PETMEM_IOC_FREE does: then it stays until the process unmaps the region or ends.
 */
#define PETMEM_ALLOC_POPULATE (1ULL << 2)

/*
 * Free a whole allocation.
 * EINVAL: addr is not the beginning of a live allocation.
 * ENOMEM: relatives share page tables that have to be unshared for it, and the pool has
 * no free page. Nothing was freed. A range that was never touched takes no page.
 */
struct petmem_free {
	__u64 addr; /* in */
};

/*
 * Find the allocation that an address lies in.
 * ENOENT: it lies in none.
 */
struct petmem_query {
	__u64 addr; /* in: any address; out: the beginning of its allocation */
	__u64 size; /* out: the allocation's size */
};

/*
 * Map the page of a faulting address.
 * EFAULT: the address lies in no allocation.
 * EACCES: the access is not allowed there (an instruction fetch, say).
 * ENOMEM: the pool has no free page.
 * EHWPOISON: the page would have to be copied, and its memory has failed.
 */
struct petmem_fault {
	__u64 addr; /* in: the faulting address, as in siginfo's si_addr */
	__u32 error_code; /* in: PETMEM_FAULT_* bits, as in gregs[REG_ERR] */
	__u32 reserved; /* in: 0 */
};

/*
 * The page-fault error code (Intel SDM volume 3A, section 4.7, figure 4-12). Any
 * bit but the first three is EACCES: a fetch, a reserved bit, a protection key, a
 * shadow stack, an enclave.
 */
#define PETMEM_FAULT_PRESENT (1U << 0) /* 0: the page was not present */
#define PETMEM_FAULT_WRITE (1U << 1) /* the access was a write */
#define PETMEM_FAULT_USER (1U << 2) /* it was made in user mode */

/*
 * Choose how page faults come in, before the first allocation. It holds until the
 * program unmaps the whole region and chooses again; children of fork inherit it, and
 * the rest of what is chosen here.
 * EINVAL: fault_around is not a power of two, or too large.
 * EBUSY: it has been chosen already, and otherwise.
 * EOPNOTSUPP: this kernel cannot do it (native faults need 5.11, and one that keeps
 * userfaultfd away from mappings like petmem's).
 */
struct petmem_mode {
	__u32 flags; /* in: PETMEM_MODE_* */
	/*
	 * in: so many pages does one fault map, as far as they are allocated and in
	 * the same page table: a power of two up to 512. 0: leave it as it is. It
	 * can be changed at any time; it is 1 at first.
	 */
	__u32 fault_around;
};

/*
 * The kernel handles the faults itself, also those of system calls; no SIGSEGV is
 * raised but for a stray access. Without it faults raise SIGSEGV, as below.
 */
#define PETMEM_MODE_NATIVE (1U << 0)
/*
 * From now on, until a call without it: 4 KiB pages only. Otherwise a fault maps a 2 MiB
 * page where an allocation covers an aligned 2 MiB, nothing of it is mapped yet and the
 * pool has one, and an allocation of 2 MiB or more begins at a multiple of 2 MiB, of
 * 1 GiB or more at a multiple of 1 GiB if the processor has such pages.
 */
#define PETMEM_MODE_SMALL_PAGES (1U << 1)

/*
 * Map all pages of a range now, as a write to each would, and as PETMEM_ALLOC_POPULATE.
 * EFAULT: it does not lie in one allocation.
 * ENOMEM: the pool has not enough free pages. EINTR. Some pages are mapped then.
 */
struct petmem_populate {
	__u64 addr; /* in */
	__u64 size; /* in: at least 1 */
};

/*
 * Invalidate the TLB entries of one page on the processors that run the process; one
 * that ran it before may keep them. Never needed for correctness: the module invalidates
 * on every processor when it unmaps. EINVAL: the address lies outside the region.
 */
struct petmem_invlpg {
	__u64 addr; /* in */
};

/*
 * Give memory to the pool, or take it back.
 *
 * DONATE: EPERM: not CAP_SYS_ADMIN. EINVAL: empty, unaligned to
 * status.block_size, beyond the physical address space, or not real RAM.
 * EBUSY: part of it is online. EEXIST: part of it is donated already.
 * EOPNOTSUPP: the memory holds its own page structs (memmap_on_memory), it belongs to a
 * driver (virtio-mem, kmem), the kernel has taken it out of its direct map, or some of its
 * pages have failed and the kernel does not know which any more.
 * RELEASE: takes back one donated range exactly as it was donated. EPERM: not
 * CAP_SYS_ADMIN. ENOENT: no such range. EBUSY: some of its pages are in use. EHWPOISON:
 * none is, but some have failed, and Linux would use them.
 */
struct petmem_extent {
	__u64 start; /* in: physical address */
	__u64 size; /* in */
};

struct petmem_status {
	__u64 total_pages; /* out: donated */
	__u64 free_pages; /* out */
	__u64 clean_pages; /* out: of these, cleared ahead */
	__u64 table_pages; /* out: in use as page tables */
	__u64 data_pages; /* out: in use as memory of processes */
	__u64 large_pages; /* out: 2 MiB pages; those of 4 KiB in them count as data */
	__u64 giant_pages; /* out: entries of 1 GiB; what is in them counts as large */
	__u64 processes; /* out: address spaces bound to the module */
	__u64 native_processes; /* out: of them, those with native faults */
	__u64 blocks; /* out: donated ranges, see PETMEM_IOC_BLOCK */
	__u64 block_size; /* out: size and alignment of a donation's unit */
	__u64 bad_pages; /* out: that have failed, and are never handed out */
};

/*
 * One donated range.
 * ENOENT: index is not less than the number of them.
 */
struct petmem_block {
	__u32 index; /* in: 0, 1, ... in order of address */
	__s32 node; /* out: NUMA node */
	__u64 start; /* out: physical address */
	__u64 size; /* out */
	__u64 free_pages; /* out */
};

/*
 * What there was since the module was loaded, and what may be: the module parameters.
 */
struct petmem_counters {
	__u64 faults; /* out: handled, pages that were populated among them */
	__u64 copies; /* out: of pages, after a fork */
	__u64 forks; /* out: that gave a child its parent's memory */
	__u64 max_family_pages; /* out: 0: no limit */
	__u64 max_user_pages; /* out: 0: no limit */
};

/*
 * A user who has processes with petmem memory.
 * ENOENT: index is not less than the number of them.
 */
struct petmem_user_counts {
	__u32 index; /* in: 0, 1, ... */
	__u32 uid; /* out */
	__u64 families; /* out: processes with their relatives by fork */
	__u64 pages; /* out: pages of all of them, of data and of page tables */
};

/*
 * A process that uses petmem. EINVAL: flags. ESRCH: there is no such process. EPERM: it
 * is another user's (its user IDs are not all the real one of the caller), and the caller
 * lacks CAP_SYS_ADMIN. ENOENT: it does not use petmem. EINTR. Pages are counted in parts,
 * between which the process may change its memory.
 */
struct petmem_process_info {
	__u32 pid; /* in: as the caller sees it; 0: the caller */
	__u32 flags; /* in: 0; out: PETMEM_PROCESS_* */
	__u32 uid; /* out: who pays for its family */
	__u32 relatives; /* out: living members of the family, with itself */
	__u64 family_pages; /* out: pages of the family, of data and of page tables */
	__u64 mapped_pages; /* out: data pages that this one can see; 4 KiB each */
	__u64 allocations; /* out */
	__u64 faults; /* out: handled for it */
	__u64 copies; /* out: of pages that it wrote to */
};

#define PETMEM_PROCESS_NATIVE (1U << 0) /* its faults are native */

/*
 * The way of an address through the page tables, from CR3 down. It is only read. Of
 * another process: EPERM without CAP_SYS_ADMIN. Without it, too, frame and the address
 * bits of entries are 0, as in /proc/PID/pagemap. EINVAL: pid, flags or addr; what
 * belongs to the kernel is not shown. ESRCH: there is no such process. EINTR.
 *
 * Of an address that no mapping covers, only the first level is shown: Linux may be
 * freeing the tables below.
 */
struct petmem_walk_level {
	__u64 entry; /* out: as it is in the table */
	__u64 user_entry; /* out: its copy for user mode (page-table isolation), or 0 */
	__u32 index; /* out: in the table */
	__u32 shift; /* out: an entry of this level spans 1 << shift bytes */
	__u32 kind; /* out: PETMEM_WALK_* */
	__u32 refs; /* out: of what it points to, if that is a page of the pool */
};

#define PETMEM_WALK_NONE 0 /* the entry is 0 */
#define PETMEM_WALK_ABSENT 1 /* not present, but not 0: swapped out, say */
#define PETMEM_WALK_TABLE 2 /* it leads to a table */
#define PETMEM_WALK_PAGE 3 /* it leads to memory: the end */
#define PETMEM_WALK_EMPTY \
	4 /* it leads to a table of the module's without entries */
#define PETMEM_WALK_UNKNOWN 5 /* what is below is not looked at */

#define PETMEM_WALK_LEVELS 5

struct petmem_walk {
	__u64 addr; /* in */
	__u32 pid; /* in: 0: the caller */
	__u32 flags; /* in: 0; out: PETMEM_WALK_IN_* */
	__u32 nr; /* out: levels that were walked */
	__u32 reserved; /* in: 0 */
	__u64 root; /* out: physical address of the first table, what CR3 holds */
	struct petmem_walk_level
		level[PETMEM_WALK_LEVELS]; /* out: the first is CR3's */
};

#define PETMEM_WALK_IN_MAPPING (1U << 0) /* the address is in some mapping */
#define PETMEM_WALK_IN_PETMEM (1U << 1) /* in petmem's */

/*
 * How a process's region is used: the longest span from addr on that is all of one
 * kind, but for 1 GiB boundaries, at which it may end. It is looked at in parts of 2 MiB
 * or less, and ends earlier where the process changes its memory meanwhile. Begin at
 * PETMEM_REGION_START, go on at addr + size, until that is PETMEM_REGION_END. Errors as
 * for the walk, and ENOENT: the process does not use petmem.
 */
struct petmem_span {
	__u64 addr; /* in: in the region, multiple of the page size */
	__u32 pid; /* in: 0: the caller */
	__u32 kind; /* in: 0; out: PETMEM_SPAN_* */
	__u64 size; /* out */
	__u64 range_start; /* out: of the hole or allocation that it lies in */
	__u64 range_size; /* out: with the guard page */
};

#define PETMEM_SPAN_HOLE 0 /* not allocated */
#define PETMEM_SPAN_UNTOUCHED 1 /* allocated, no page */
#define PETMEM_SPAN_PAGES 2 /* 4 KiB pages of its own */
#define PETMEM_SPAN_SHARED 3 /* 4 KiB pages that relatives have too */
#define PETMEM_SPAN_LARGE 4 /* 2 MiB pages of its own */
#define PETMEM_SPAN_LARGE_SHARED 5
#define PETMEM_SPAN_GUARD 6
#define PETMEM_SPAN_GIANT 7 /* 1 GiB pages of its own */
#define PETMEM_SPAN_GIANT_SHARED 8

/*
 * What is in a donated range from addr on: the rest of a free buddy block, or the longest
 * run of pages of one kind, but for 2 MiB boundaries, at which it ends. Begin at the
 * start of the range, go on at addr + size. EPERM: not CAP_SYS_ADMIN. EINVAL: kind, order
 * or addr. ENOENT: addr is not donated.
 */
struct petmem_run {
	__u64 addr; /* in: physical, multiple of the page size */
	__u64 size; /* out */
	__u32 kind; /* in: 0; out: PETMEM_RUN_* */
	__u32 order; /* in: 0; out: the free block has 1 << order pages in all */
};

#define PETMEM_RUN_FREE 0
#define PETMEM_RUN_TABLE 1
#define PETMEM_RUN_DATA 2
#define PETMEM_RUN_LARGE 3 /* a 2 MiB page */
#define PETMEM_RUN_BAD 4 /* pages that have failed */

/*
 * 'P' with numbers of our own. Plain 1 and 2 would be FIBMAP and FIGETBSZ, which
 * the VFS answers before a driver sees them.
 */
#define PETMEM_IOC_VERSION _IOWR('P', 0xe0, struct petmem_version)
#define PETMEM_IOC_ALLOC _IOWR('P', 0xe1, struct petmem_alloc)
#define PETMEM_IOC_FREE _IOW('P', 0xe2, struct petmem_free)
#define PETMEM_IOC_QUERY _IOWR('P', 0xe3, struct petmem_query)
#define PETMEM_IOC_FAULT _IOW('P', 0xe4, struct petmem_fault)
#define PETMEM_IOC_INVLPG _IOW('P', 0xe5, struct petmem_invlpg)
/*
 * Print the memory map of the calling process into the kernel log, or give
 * EAGAIN when the user's processes have written too much there: 2 lines a second
 * in the long run.
 */
#define PETMEM_IOC_DUMP _IO('P', 0xe6)
#define PETMEM_IOC_DONATE _IOW('P', 0xe7, struct petmem_extent)
#define PETMEM_IOC_RELEASE _IOW('P', 0xe8, struct petmem_extent)
#define PETMEM_IOC_STATUS _IOR('P', 0xe9, struct petmem_status)
#define PETMEM_IOC_BLOCK _IOWR('P', 0xea, struct petmem_block)
#define PETMEM_IOC_MODE _IOW('P', 0xeb, struct petmem_mode)
#define PETMEM_IOC_POPULATE _IOW('P', 0xec, struct petmem_populate)
#define PETMEM_IOC_COUNTERS _IOR('P', 0xf0, struct petmem_counters)
#define PETMEM_IOC_USER _IOWR('P', 0xf1, struct petmem_user_counts)
#define PETMEM_IOC_PROCESS _IOWR('P', 0xf2, struct petmem_process_info)
#define PETMEM_IOC_WALK _IOWR('P', 0xf3, struct petmem_walk)
#define PETMEM_IOC_SPAN _IOWR('P', 0xf4, struct petmem_span)
#define PETMEM_IOC_RUN _IOWR('P', 0xf5, struct petmem_run)

#endif /* PETMEM_H */
