/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * petmem.h - the protocol of /dev/petmem, shared by the module and user space.
 *
 * What a program does, in order:
 *
 *   1. open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC).
 *   2. PETMEM_IOC_VERSION, and go on only if .abi is PETMEM_ABI_VERSION.
 *   3. PETMEM_IOC_MODE, with PETMEM_MODE_NATIVE, for native faults. Then the
 *      kernel does step 5.
 *   4. PETMEM_IOC_ALLOC allocates a range of virtual pages inside
 *      [PETMEM_REGION_START, PETMEM_REGION_END). It has no memory yet.
 *   5. The first access to each page, and the first write to each after a fork,
 *      raises SIGSEGV. The handler passes the address and the processor's error
 *      code to PETMEM_IOC_FAULT. If this returns 0, the page is mapped: the
 *      handler returns, and the processor repeats the access. On an error the
 *      access was wrong: the handler does what it would do without petmem.
 *   6. PETMEM_IOC_FREE unmaps the range and gives its pages back.
 *
 * After fork, parent and child see the memory as it was, and then only their own
 * writes: they share pages until one of them writes. The child has no memory if
 * there was no kernel memory for it, or there are more relatives than the module's
 * parameter max_relatives allows. Then its accesses raise SIGSEGV.
 *
 * Memory belongs to the address space (the mm), not to the descriptor: any
 * descriptor of the device acts on the address space of the thread that calls,
 * and closing one frees nothing. All pages return to the pool when the address
 * space ends: exit, a fatal signal or exec.
 *
 * The administrator moves memory in and out with PETMEM_IOC_DONATE and
 * PETMEM_IOC_RELEASE (CAP_SYS_ADMIN); user/petmem does this.
 *
 * Rules for every command: the result is 0, or -1 with errno set and nothing
 * changed. ENOTTY: unknown command. EFAULT: the argument cannot be read or
 * written. EINVAL: a reserved field or an unknown flag is not zero. ENOMEM: there is
 * no kernel memory. EINTR: a fatal signal came first. MODE, ALLOC and DUMP reserve
 * the region. They also fail with EEXIST or EBUSY when something else is there, and
 * with ENOMEM when RLIMIT_AS leaves no room for it (the region counts with its whole
 * PETMEM_REGION_SIZE). All sizes and addresses are in bytes. A released command never
 * changes; new ones are added.
 */
#ifndef PETMEM_H
#define PETMEM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PETMEM_DEVICE "/dev/petmem"
#define PETMEM_ABI_VERSION 6

/* The release of the module, the tools and the library. debian/changelog has it, too. */
#define PETMEM_VERSION "1.0"

#define PETMEM_PAGE_SIZE 4096ULL

/*
 * The region is one whole top-level slot of the page tables: one PGD entry with
 * 4-level paging, one P4D entry with 5-level paging. It is the same for every
 * process. Linux puts non-PIE programs below it, and PIE programs and mmap above
 * it. DESIGN has a table of other users of fixed addresses.
 */
#define PETMEM_REGION_START 0x510000000000ULL
#define PETMEM_REGION_SIZE (1ULL << 39)
#define PETMEM_REGION_END (PETMEM_REGION_START + PETMEM_REGION_SIZE)

struct petmem_version {
	__u32 abi; /* out: PETMEM_ABI_VERSION of the module */
	__u32 reserved; /* in: 0 */
};

/*
 * Allocate virtual pages, first fit.
 * EINVAL: size is 0, or align is neither 0 nor a power of two.
 * ENOMEM: no hole in the region is large enough, or there are too many allocations. The
 * module's parameters max_map_allocations and max_user_allocations limit them.
 * EAGAIN: another thread unmapped the region at this moment.
 */
struct petmem_alloc {
	__u64 size; /* in: at least 1; out: rounded up to whole pages */
	__u64 align; /* in: alignment of addr; at least a page, also if this is less */
	__u64 addr; /* out: where the allocation begins */
	__u64 flags; /* in: PETMEM_ALLOC_* */
};

/* Add a page after the allocation that belongs to it and cannot be touched. */
#define PETMEM_ALLOC_GUARD (1ULL << 0)
/* If this reserves the region: use native faults, as with PETMEM_IOC_MODE. */
#define PETMEM_ALLOC_NATIVE (1ULL << 1)
/*
 * Map all pages now. A whole aligned 1 GiB becomes one page if the processor and the pool
 * have such pages and 2 MiB pages are not turned off. ENOMEM: the pool has not enough pages;
 * nothing is allocated. If another thread forks at this moment, giving the range back can
 * fail as PETMEM_IOC_FREE does. Then the range stays until the process unmaps the region or
 * ends.
 */
#define PETMEM_ALLOC_POPULATE (1ULL << 2)

/*
 * Free a whole allocation.
 * EINVAL: addr is not the beginning of a live allocation.
 * ENOMEM: page tables have to be unshared for it, and the pool has no free page. Nothing
 * was freed. Freeing a range that was never touched takes no page.
 */
struct petmem_free {
	__u64 addr; /* in */
};

/*
 * Find the allocation that holds an address.
 * ENOENT: there is none.
 */
struct petmem_query {
	__u64 addr; /* in: any address; out: the beginning of its allocation */
	__u64 size; /* out: the allocation's size */
};

/*
 * Map the page of a faulting address.
 * EFAULT: the address lies in no allocation.
 * EACCES: the access is not allowed there, for example an instruction fetch.
 * ENOMEM: the pool has no free page.
 * EHWPOISON: the page has to be copied, and its memory has failed.
 */
struct petmem_fault {
	__u64 addr; /* in: the faulting address, as in siginfo's si_addr */
	__u32 error_code; /* in: PETMEM_FAULT_* bits, as in gregs[REG_ERR] */
	__u32 reserved; /* in: 0 */
};

/*
 * The page-fault error code (Intel SDM volume 3A, section 4.7, figure 4-12). All other
 * bits give EACCES: a fetch, a reserved bit, a protection key, a shadow stack, an enclave.
 */
#define PETMEM_FAULT_PRESENT (1U << 0) /* 0: the page was not present */
#define PETMEM_FAULT_WRITE (1U << 1) /* the access was a write */
#define PETMEM_FAULT_USER (1U << 2) /* the access was made in user mode */

/*
 * Choose the fault mode, before the first allocation. The mode holds until the program
 * unmaps the whole region and chooses again. Children of fork inherit it, and the other
 * settings made here.
 * EINVAL: fault_around is not a power of two, or is too large.
 * EBUSY: another mode is in effect.
 * EOPNOTSUPP: this kernel has no native faults. They need Linux 5.11, and a kernel that
 * keeps userfaultfd away from mappings like petmem's.
 */
struct petmem_mode {
	__u32 flags; /* in: PETMEM_MODE_* */
	/*
	 * in: the number of pages that one fault maps, as far as they are allocated
	 * and in the same page table: a power of two up to 512. 0: leave it as it is.
	 * It is 1 at first and can be changed at any time.
	 */
	__u32 fault_around;
};

/*
 * The kernel handles all faults itself, also those of system calls. Only a stray access
 * raises SIGSEGV. Without this flag, faults raise SIGSEGV: see PETMEM_IOC_FAULT.
 */
#define PETMEM_MODE_NATIVE (1U << 0)
/*
 * Use 4 KiB pages only, until a call without this flag. Without it, a fault maps a 2 MiB
 * page if an allocation covers an aligned 2 MiB, nothing in it is mapped yet, and the pool
 * has such a page. An allocation of 2 MiB or more begins at a multiple of 2 MiB, and one of
 * 1 GiB or more at a multiple of 1 GiB if the processor has such pages.
 */
#define PETMEM_MODE_SMALL_PAGES (1U << 1)

/*
 * Map all pages of a range now, as a write to each of them would. 1 GiB pages are used as
 * with PETMEM_ALLOC_POPULATE.
 * EFAULT: the range does not lie in one allocation.
 * ENOMEM: the pool has not enough free pages. EINTR. In both cases some pages are mapped.
 */
struct petmem_populate {
	__u64 addr; /* in */
	__u64 size; /* in: at least 1 */
};

/*
 * Invalidate the TLB entries of one page on the processors that run the process. A
 * processor that ran it before may keep them. Programs never need this: when the module
 * unmaps a page, it invalidates it on every processor. EINVAL: the address lies outside the
 * region.
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
 * EOPNOTSUPP: the memory holds its own struct pages (memmap_on_memory), it belongs to a
 * driver (virtio-mem, kmem), the kernel has taken it out of its direct map, or some of its
 * pages have failed and the kernel does not know any more which ones.
 * RELEASE: takes back one donated range, exactly as it was donated. EPERM: not
 * CAP_SYS_ADMIN. ENOENT: no such range. EBUSY: some of its pages are in use. EHWPOISON: no
 * page is in use, but some have failed, and Linux would use them.
 */
struct petmem_extent {
	__u64 start; /* in: physical address */
	__u64 size; /* in */
};

struct petmem_status {
	__u64 total_pages; /* out: donated */
	__u64 free_pages; /* out */
	__u64 clean_pages; /* out: free pages that are cleared already */
	__u64 table_pages; /* out: in use as page tables */
	__u64 data_pages; /* out: in use as memory of processes */
	__u64 large_pages; /* out: 2 MiB pages; each also counts as 512 data pages */
	__u64 giant_pages; /* out: 1 GiB entries; each page also counts as 512 large ones */
	__u64 processes; /* out: address spaces bound to the module */
	__u64 native_processes; /* out: those of them that have native faults */
	__u64 blocks; /* out: donated ranges, see PETMEM_IOC_BLOCK */
	__u64 block_size; /* out: size and alignment of a donation's unit */
	__u64 bad_pages; /* out: failed pages, which are never handed out */
};

/*
 * Describe one donated range.
 * ENOENT: index is not less than the number of ranges.
 */
struct petmem_block {
	__u32 index; /* in: 0, 1, ... in order of address */
	__s32 node; /* out: NUMA node */
	__u64 start; /* out: physical address */
	__u64 size; /* out */
	__u64 free_pages; /* out */
};

/*
 * Events since the module was loaded, and the limits that the module parameters set.
 */
struct petmem_counters {
	__u64 faults; /* out: faults handled, including populated pages */
	__u64 copies; /* out: pages copied on a write after a fork */
	__u64 forks; /* out: forks that gave the child its parent's memory */
	__u64 max_family_pages; /* out: 0: no limit */
	__u64 max_user_pages; /* out: 0: no limit */
};

/*
 * Describe one user who has processes with petmem memory.
 * ENOENT: index is not less than the number of users.
 */
struct petmem_user_counts {
	__u32 index; /* in: 0, 1, ... */
	__u32 uid; /* out */
	__u64 families; /* out: a family is a process and its relatives by fork */
	__u64 pages; /* out: data pages and page tables of all families */
};

/*
 * Describe a process that uses petmem. EINVAL: flags is not 0. ESRCH: there is no such
 * process. EPERM: it belongs to another user (one of its user IDs is not the caller's real
 * one), and the caller lacks CAP_SYS_ADMIN. ENOENT: it does not use petmem. EINTR. Pages are
 * counted in parts, and the process may change its memory between two parts.
 */
struct petmem_process_info {
	__u32 pid; /* in: as the caller sees it; 0: the caller */
	__u32 flags; /* in: 0; out: PETMEM_PROCESS_* */
	__u32 uid; /* out: the user to whom its family is charged */
	__u32 relatives; /* out: living members of the family, including itself */
	__u64 family_pages; /* out: data pages and page tables of the family */
	__u64 mapped_pages; /* out: data pages that it maps, in units of 4 KiB */
	__u64 allocations; /* out */
	__u64 faults; /* out: faults handled for it */
	__u64 copies; /* out: pages copied because it wrote to them */
};

#define PETMEM_PROCESS_NATIVE (1U << 0) /* its faults are native */

/*
 * Show the path of an address through the page tables, from CR3 down. Nothing is changed.
 * EPERM: another process, without CAP_SYS_ADMIN. Without CAP_SYS_ADMIN, root and the address
 * bits of entries are 0, as in /proc/PID/pagemap. EINVAL: flags is not 0, or addr belongs to
 * the kernel, whose addresses are not shown. ESRCH: there is no such process. EINTR.
 *
 * If no mapping covers the address, only the first level is shown, because Linux may be
 * freeing the tables below it.
 */
struct petmem_walk_level {
	__u64 entry; /* out: as it is in the table */
	__u64 user_entry; /* out: the copy for user mode (page-table isolation), or 0 */
	__u32 index; /* out: in the table */
	__u32 shift; /* out: an entry of this level spans 1 << shift bytes */
	__u32 kind; /* out: PETMEM_WALK_* */
	__u32 refs; /* out: references to the page or table, if it is in the pool */
};

#define PETMEM_WALK_NONE 0 /* the entry is 0 */
#define PETMEM_WALK_ABSENT 1 /* not present, not 0: swapped out, for one */
#define PETMEM_WALK_TABLE 2 /* it leads to a table */
#define PETMEM_WALK_PAGE 3 /* it leads to a page: the end of the path */
#define PETMEM_WALK_EMPTY 4 /* it leads to the module's empty table */
#define PETMEM_WALK_UNKNOWN 5 /* the tables below are not looked at */

#define PETMEM_WALK_LEVELS 5

struct petmem_walk {
	__u64 addr; /* in */
	__u32 pid; /* in: 0: the caller */
	__u32 flags; /* in: 0; out: PETMEM_WALK_IN_* */
	__u32 nr; /* out: number of levels that were walked */
	__u32 reserved; /* in: 0 */
	__u64 root; /* out: physical address of the first table, as in CR3 */
	struct petmem_walk_level
		level[PETMEM_WALK_LEVELS]; /* out: the first is the top level */
};

#define PETMEM_WALK_IN_MAPPING (1U << 0) /* the address is in some mapping */
#define PETMEM_WALK_IN_PETMEM (1U << 1) /* the address is in petmem's region */

/*
 * Show how a process's region is used: the longest span from addr onwards that is all of
 * one kind. It may end at a 1 GiB boundary. It is read in parts of at most 2 MiB, and ends
 * earlier if the process changes its memory meanwhile. Begin at PETMEM_REGION_START and
 * continue at addr + size until this is PETMEM_REGION_END. Errors as for PETMEM_IOC_WALK, and
 * ENOENT: the process does not use petmem.
 */
struct petmem_span {
	__u64 addr; /* in: in the region, multiple of the page size */
	__u32 pid; /* in: 0: the caller */
	__u32 kind; /* in: 0; out: PETMEM_SPAN_* */
	__u64 size; /* out */
	__u64 range_start; /* out: beginning of the hole or allocation that holds it */
	__u64 range_size; /* out: size of the same, including the guard page */
};

#define PETMEM_SPAN_HOLE 0 /* not allocated */
#define PETMEM_SPAN_UNTOUCHED 1 /* allocated, no page */
#define PETMEM_SPAN_PAGES 2 /* unshared 4 KiB pages */
#define PETMEM_SPAN_SHARED 3 /* 4 KiB pages shared with relatives */
#define PETMEM_SPAN_LARGE 4 /* unshared 2 MiB pages */
#define PETMEM_SPAN_LARGE_SHARED 5
#define PETMEM_SPAN_GUARD 6
#define PETMEM_SPAN_GIANT 7 /* unshared 1 GiB pages */
#define PETMEM_SPAN_GIANT_SHARED 8

/*
 * Show how a donated range is used from addr onwards: the rest of a free buddy block, or
 * the longest run of pages of one kind. A run ends at a 2 MiB boundary. Begin at the start
 * of the range and continue at addr + size. EPERM: not CAP_SYS_ADMIN. EINVAL: kind or order
 * is not 0, or addr is not a multiple of the page size. ENOENT: addr is not donated.
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
 * The type is 'P', with numbers that no other driver uses. Plain 1 and 2 would be FIBMAP
 * and FIGETBSZ, which the VFS answers before a driver sees them.
 */
#define PETMEM_IOC_VERSION _IOWR('P', 0xe0, struct petmem_version)
#define PETMEM_IOC_ALLOC _IOWR('P', 0xe1, struct petmem_alloc)
#define PETMEM_IOC_FREE _IOW('P', 0xe2, struct petmem_free)
#define PETMEM_IOC_QUERY _IOWR('P', 0xe3, struct petmem_query)
#define PETMEM_IOC_FAULT _IOW('P', 0xe4, struct petmem_fault)
#define PETMEM_IOC_INVLPG _IOW('P', 0xe5, struct petmem_invlpg)
/*
 * Print the memory map of the calling process to the kernel log. EAGAIN: the user's
 * processes have written too much there; they may write 2 lines a second in the long run.
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
