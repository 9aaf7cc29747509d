// SPDX-License-Identifier: GPL-2.0
/* inspect.c - looking at the page tables and regions of this process and of others. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "view.h"

#define USER 1000
#define OTHER_USER 1001

/* Bits of an entry: Intel SDM volume 3A, section 4.5.4. */
#define ENTRY_PRESENT 1ULL
#define ENTRY_WRITE 2ULL
#define ENTRY_USER 4ULL
#define ENTRY_NX (1ULL << 63)
#define ENTRY_FRAME 0x000ffffffffff000ULL

static const struct petmem_walk_level *last(const struct petmem_walk *walk)
{
	return &walk->level[walk->nr - 1];
}

/* The frame of an address, according to Linux. */
static uint64_t frame_by_pagemap(const void *addr)
{
	uint64_t entry;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(pread(fd, &entry, sizeof(entry),
		    (uintptr_t)addr / PAGE * sizeof(entry)) == sizeof(entry));
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * PAGE;
}

/* ---- petmem's addresses ---- */

static void before_and_after(void)
{
	struct petmem_walk way;
	char *memory;

	connect_petmem();
	memory = must_malloc(2 * PAGE);
	walk(0, memory, &way);
	CHECK(way.flags == (PETMEM_WALK_IN_MAPPING | PETMEM_WALK_IN_PETMEM));
	CHECK(last(&way)->kind == PETMEM_WALK_NONE);
	CHECK(last(&way)->shift == 21);
	CHECK(way.level[way.nr - 2].kind == PETMEM_WALK_EMPTY);
	*memory = 1;
	walk(0, memory + 5, &way);
	CHECK(last(&way)->kind == PETMEM_WALK_PAGE && last(&way)->shift == 12);
	CHECK(last(&way)->refs == 1 && last(&way)->index == 0);
	CHECK((last(&way)->entry &
	       (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_NX)) ==
	      (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_NX));
	for (unsigned int i = 0; i + 1 < way.nr; i++)
		CHECK(way.level[i].kind == PETMEM_WALK_TABLE);
	CHECK(way.root != 0 && way.root % PAGE == 0);
	walk(0, memory + PAGE, &way);
	CHECK(last(&way)->kind == PETMEM_WALK_NONE && last(&way)->index == 1);
}

static void shared_way(void *memory)
{
	struct petmem_walk way;

	walk(0, memory, &way);
	CHECK(last(&way)->refs == 1);
	/* Two slots point to the PUD table. */
	CHECK(way.level[way.nr - 4].refs == 2);
	CHECK(!(way.level[way.nr - 4].entry & ENTRY_WRITE));
	*(char *)memory = 2;
	walk(0, memory, &way);
	CHECK(way.level[way.nr - 4].refs == 1);
	CHECK(way.level[way.nr - 4].entry & ENTRY_WRITE);
	CHECK(last(&way)->refs == 1 && (last(&way)->entry & ENTRY_WRITE));
}

static void after_fork(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGE);
	*memory = 1;
	join(spawn(shared_way, memory));
}

/* ---- Ordinary addresses ---- */

static void ordinary(void)
{
	char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct petmem_walk way;

	CHECK(memory != MAP_FAILED);
	memory[PAGE] = 1;
	walk(0, memory + PAGE, &way);
	CHECK(way.flags == PETMEM_WALK_IN_MAPPING);
	CHECK(last(&way)->kind == PETMEM_WALK_PAGE && last(&way)->refs == 0);
	CHECK((last(&way)->entry & ENTRY_FRAME) ==
	      frame_by_pagemap(memory + PAGE));
	walk(0, memory + 2 * PAGE, &way);
	CHECK(last(&way)->kind == PETMEM_WALK_NONE);
	CHECK(munmap(memory, 4 * PAGE) == 0);
	walk(0, memory + PAGE, &way);
	CHECK(way.flags == 0 && way.nr == 1);
	CHECK(last(&way)->kind == PETMEM_WALK_UNKNOWN ||
	      last(&way)->kind == PETMEM_WALK_NONE);
	/* An address of this program, which its other processes share. */
	walk(0, (void *)ordinary, &way);
	CHECK(last(&way)->kind == PETMEM_WALK_PAGE);
	CHECK(!(last(&way)->entry & (ENTRY_WRITE | ENTRY_NX)));
}

static void wrong_arguments(void)
{
	struct petmem_walk wrong[] = {
		{ .addr = 1ULL << 63 }, { .addr = UINT64_MAX },
		{ .addr = 1ULL << 56 }, { .flags = 1 },
		{ .reserved = 1 },
	};
	struct petmem_walk nobody = { .pid = 0x7ffffff0 };
	struct petmem_walk kernel_thread = { .pid = 2 };
	struct petmem_span wrong_span[] = {
		{ .addr = 0 },
		{ .addr = PETMEM_REGION_START + 1 },
		{ .addr = PETMEM_REGION_END },
		{ .addr = PETMEM_REGION_START, .kind = 1 },
	};
	struct petmem_span unbound = { .addr = PETMEM_REGION_START };
	struct petmem_process_info info = { .flags = 1 };
	int device = open_device();

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CHECK(ioctl(device, PETMEM_IOC_WALK, &wrong[i]) == -1);
		CHECK(errno == EINVAL);
	}
	for (size_t i = 0; i < COUNT_OF(wrong_span); i++) {
		CHECK(ioctl(device, PETMEM_IOC_SPAN, &wrong_span[i]) == -1);
		CHECK(errno == EINVAL);
	}
	CHECK(ioctl(device, PETMEM_IOC_WALK, &nobody) == -1 && errno == ESRCH);
	CHECK(ioctl(device, PETMEM_IOC_WALK, &kernel_thread) == -1);
	CHECK(errno == ESRCH);
	CHECK(ioctl(device, PETMEM_IOC_SPAN, &unbound) == -1);
	CHECK(errno == ENOENT);
	CHECK(ioctl(device, PETMEM_IOC_PROCESS, &info) == -1);
	CHECK(errno == EINVAL);
	info.flags = 0;
	CHECK(ioctl(device, PETMEM_IOC_PROCESS, &info) == -1);
	CHECK(errno == ENOENT);
}

/* ---- Permissions ---- */

struct looked_at {
	int device;
	pid_t pid;
	char *memory;
};

static void look_as_user(void *argument)
{
	const struct looked_at *at = argument;
	struct petmem_walk other = { .addr = (uintptr_t)at->memory,
				     .pid = at->pid };
	struct petmem_walk own = { .addr = (uintptr_t)at->memory };
	struct petmem_span span = { .addr = PETMEM_REGION_START,
				    .pid = at->pid };

	CHECK(setresuid(USER, USER, USER) == 0);
	CHECK(ioctl(at->device, PETMEM_IOC_WALK, &other) == -1);
	CHECK(errno == EPERM);
	CHECK(ioctl(at->device, PETMEM_IOC_SPAN, &span) == -1);
	CHECK(errno == EPERM);
	CHECK(ioctl(at->device, PETMEM_IOC_WALK, &own) == 0);
	CHECK(own.root == 0 && last(&own)->kind == PETMEM_WALK_PAGE);
	for (unsigned int i = 0; i < own.nr; i++) {
		CHECK(!(own.level[i].entry & ENTRY_FRAME));
		CHECK(!(own.level[i].user_entry & ENTRY_FRAME));
		CHECK(own.level[i].entry & ENTRY_PRESENT);
	}
}

static void permissions(void)
{
	struct looked_at at = { .device = open_device(), .pid = getpid() };

	connect_petmem();
	at.memory = must_malloc(PAGE);
	*at.memory = 1;
	join(spawn(look_as_user, &at));
}

/* A process looks at another one's numbers, through a device that root has opened. */
struct look {
	uid_t looker;
	bool without_rights; /* the looker's capabilities are gone */
	bool uses_petmem; /* the other one does */
	uid_t real, effective, saved; /* of the other one */
	int error;
};

static int root_device;
static pid_t looked_at;

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};

	CHECK(syscall(SYS_capset, &header, none) == 0);
}

static void be_looked_at(void *argument)
{
	const struct look *look = argument;

	if (look->uses_petmem) {
		connect_petmem();
		*(char *)must_malloc(PAGE) = 1;
	}
	CHECK(setresuid(look->real, look->effective, look->saved) == 0);
	pass(&to_parent);
	pause();
}

static void look_at_numbers(void *argument)
{
	const struct look *look = argument;
	struct petmem_process_info info = { .pid = looked_at };
	int error;

	CHECK(setresuid(look->looker, look->looker, look->looker) == 0);
	if (look->without_rights)
		drop_capabilities();
	error = ioctl(root_device, PETMEM_IOC_PROCESS, &info) ? errno : 0;
	if (error != look->error)
		printf("# %u looks at %u, %u, %u: %s\n", look->looker,
		       look->real, look->effective, look->saved,
		       strerror(error));
	CHECK(error == look->error);
	CHECK(error || info.mapped_pages == 1);
}

static void numbers_of_users(void)
{
	static struct look looks[] = {
		{ USER, false, true, 0, 0, 0, EPERM },
		{ USER, false, false, 0, 0, 0, EPERM },
		{ USER, false, true, USER, USER, USER, 0 },
		{ USER, false, false, USER, USER, USER, ENOENT },
		{ USER, false, true, 0, USER, USER, EPERM },
		{ USER, false, true, USER, 0, USER, EPERM },
		{ USER, false, true, USER, USER, 0, EPERM },
		{ USER, false, true, OTHER_USER, OTHER_USER, OTHER_USER,
		  EPERM },
		{ 0, false, true, USER, USER, USER, 0 },
		{ 0, true, true, USER, USER, USER, EPERM },
		{ 0, true, true, 0, 0, 0, 0 },
	};

	root_device = open_device();
	open_gates();
	for (size_t i = 0; i < COUNT_OF(looks); i++) {
		looked_at = spawn(be_looked_at, &looks[i]);
		await(&to_parent);
		join(spawn(look_at_numbers, &looks[i]));
		kill(looked_at, SIGKILL);
		status_of(looked_at);
	}
}

static void look_at_parent(void *memory)
{
	struct petmem_walk way, own;

	walk(getppid(), memory, &way);
	CHECK(last(&way)->kind == PETMEM_WALK_PAGE);
	walk(0, memory, &own);
	CHECK(way.root != own.root);
}

static void root_looks(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGE);
	*memory = 1;
	join(spawn(look_at_parent, memory));
}

/* ---- The region ---- */

static struct petmem_span span_at(const void *addr)
{
	struct petmem_span span = { .addr = (uintptr_t)addr };
	int device = open_device();

	CHECK(ioctl(device, PETMEM_IOC_SPAN, &span) == 0);
	close(device);
	return span;
}

static bool is_span(const void *addr, uint32_t kind, uint64_t pages)
{
	struct petmem_span span = span_at(addr);

	if (span.kind == kind && span.size == pages * PAGE)
		return true;
	printf("# span: kind %u, pages %llu\n", span.kind,
	       span.size / PETMEM_PAGE_SIZE);
	return false;
}

static void shared_spans(void *argument)
{
	char *memory = argument;

	CHECK(is_span(memory, PETMEM_SPAN_UNTOUCHED, 2));
	CHECK(is_span(memory + 2 * PAGE, PETMEM_SPAN_SHARED, 3));
	memory[3 * PAGE] = 1;
	CHECK(is_span(memory + 2 * PAGE, PETMEM_SPAN_SHARED, 1));
	CHECK(is_span(memory + 3 * PAGE, PETMEM_SPAN_PAGES, 1));
	CHECK(is_span(memory + 4 * PAGE, PETMEM_SPAN_SHARED, 1));
}

static void spans(void)
{
	char *memory, *guarded;

	connect_petmem();
	memory = must_malloc(8 * PAGE);
	pet_guard(1);
	guarded = must_malloc(PAGE);
	CHECK(is_span(memory, PETMEM_SPAN_UNTOUCHED, 8));
	for (size_t i = 2; i < 5; i++)
		memory[i * PAGE] = 1;
	CHECK(is_span(memory, PETMEM_SPAN_UNTOUCHED, 2));
	CHECK(is_span(memory + PAGE, PETMEM_SPAN_UNTOUCHED, 1));
	CHECK(is_span(memory + 2 * PAGE, PETMEM_SPAN_PAGES, 3));
	CHECK(is_span(memory + 5 * PAGE, PETMEM_SPAN_UNTOUCHED, 3));
	CHECK(is_span(guarded + PAGE, PETMEM_SPAN_GUARD, 1));
	CHECK(span_at(guarded).range_size == 2 * PAGE);
	CHECK(span_at(guarded).range_start == (uintptr_t)guarded);
	CHECK(span_at(guarded + 2 * PAGE).kind == PETMEM_SPAN_HOLE);
	join(spawn(shared_spans, memory));
}

static void shared_large_spans(void *argument)
{
	char *memory = argument;

	CHECK(is_span(memory, PETMEM_SPAN_LARGE_SHARED, 1024));
	memory[2 * MIB] = 1;
	CHECK(is_span(memory, PETMEM_SPAN_LARGE_SHARED, 512));
	CHECK(is_span(memory + 2 * MIB, PETMEM_SPAN_LARGE, 512));
}

static void large_spans(void)
{
	char *memory;

	if (!kernel_has_large_pages())
		skip_case("no 2 MiB pages on this kernel");
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	connect_petmem();
	memory = must_malloc(6 * MIB);
	memory[0] = 1;
	memory[2 * MIB] = 1;
	CHECK(is_span(memory, PETMEM_SPAN_LARGE, 1024));
	CHECK(is_span(memory + 4 * MIB, PETMEM_SPAN_UNTOUCHED, 512));
	join(spawn(shared_large_spans, memory));
}

/* The spans make up the whole region, and contain all of its pages. */
static void whole_region(void)
{
	uint64_t addr = PETMEM_REGION_START, pages = 0, steps = 0;
	struct petmem_process_info info = { .pid = 0 };
	struct petmem_span span;
	int device = open_device();
	char *memory;

	connect_petmem();
	memory = must_malloc(5 * GIB);
	for (size_t i = 0; i < 5; i++)
		memory[i * GIB + i * PAGE] = 1;
	for (; addr < PETMEM_REGION_END; addr += span.size, steps++) {
		span = span_at((void *)addr);
		CHECK(span.size > 0 && span.size % PAGE == 0);
		if (span.kind == PETMEM_SPAN_PAGES)
			pages += span.size / PAGE;
	}
	CHECK(addr == PETMEM_REGION_END && pages == 5 && steps < 32);
	CHECK(ioctl(device, PETMEM_IOC_PROCESS, &info) == 0);
	CHECK(info.mapped_pages == 5);
}

/* ---- Physical memory ---- */

/* The use of all donated ranges, in pages. */
struct usage {
	uint64_t pages[PETMEM_RUN_LARGE + 1];
};

static struct petmem_run run_at(int device, uint64_t addr)
{
	struct petmem_run run = { .addr = addr };

	CHECK(ioctl(device, PETMEM_IOC_RUN, &run) == 0);
	CHECK(run.addr == addr && run.size > 0 && run.size % PAGE == 0);
	CHECK(run.kind <= PETMEM_RUN_LARGE);
	return run;
}

/* A free run is a whole block, aligned in its range; from inside, the rest of one. */
static void check_free(int device, const struct petmem_run *run, uint64_t start)
{
	struct petmem_run rest;

	CHECK(run->size == PAGE << run->order);
	CHECK((run->addr - start) % run->size == 0);
	if (!run->order)
		return;
	rest = run_at(device, run->addr + run->size - PAGE);
	CHECK(rest.kind == PETMEM_RUN_FREE && rest.size == PAGE);
	CHECK(rest.order == run->order);
}

static void add_range(int device, const struct petmem_block *block,
		      struct usage *usage)
{
	uint64_t addr = block->start, end = addr + block->size;
	struct petmem_run run, last = { .kind = PETMEM_RUN_DATA };

	for (; addr < end; addr += run.size) {
		run = run_at(device, addr);
		usage->pages[run.kind] += run.size / PAGE;
		if (run.kind == PETMEM_RUN_FREE)
			check_free(device, &run, block->start);
		/* Two free halves of a block would be merged. */
		if (run.kind == PETMEM_RUN_FREE && run.kind == last.kind &&
		    run.order == last.order)
			CHECK((last.addr - block->start) % (2 * run.size) != 0);
		last = run;
	}
	CHECK(addr == end);
}

static struct usage usage(void)
{
	struct usage usage = { .pages = { 0 } };
	struct petmem_block block = { .index = 0 };
	int device = open_device();

	for (; ioctl(device, PETMEM_IOC_BLOCK, &block) == 0; block.index++)
		add_range(device, &block, &usage);
	close(device);
	return usage;
}

static void runs(void)
{
	/* The first touch maps 2 MiB, where there are such pages. */
	uint64_t large = kernel_has_large_pages();
	uint64_t data = (large ? 512 : 1) + 32;
	struct petmem_status status;
	struct usage now;
	char *memory;

	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	connect_petmem();
	memory = must_malloc(4 * MIB);
	*memory = 1;
	pet_large_pages(0);
	memory = must_malloc(64 * PAGE);
	for (size_t i = 0; i < 64; i += 2)
		memory[i * PAGE] = 1;
	status = pool_status();
	now = usage();
	CHECK(status.large_pages == large && status.data_pages == data);
	CHECK(now.pages[PETMEM_RUN_LARGE] == large * 512);
	CHECK(now.pages[PETMEM_RUN_DATA] == data - large * 512);
	CHECK(now.pages[PETMEM_RUN_TABLE] == status.table_pages);
	CHECK(now.pages[PETMEM_RUN_FREE] == status.free_pages);
}

static void ask_as_user(void *argument)
{
	struct petmem_run run = { .addr = *(uint64_t *)argument };
	int device = open_device();

	CHECK(setresuid(USER, USER, USER) == 0);
	CHECK(ioctl(device, PETMEM_IOC_RUN, &run) == -1 && errno == EPERM);
}

static void bad_runs(void)
{
	struct petmem_block block = { .index = 0 };
	int device = open_device();

	CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	struct petmem_run wrong[] = {
		{ .addr = block.start + 1 },
		{ .addr = block.start, .kind = 1 },
		{ .addr = block.start, .order = 1 },
	};
	struct petmem_run nowhere[] = {
		{ .addr = 0 },
		{ .addr = block.start - PAGE },
		{ .addr = -PAGE },
	};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CHECK(ioctl(device, PETMEM_IOC_RUN, &wrong[i]) == -1);
		CHECK(errno == EINVAL);
	}
	for (size_t i = 0; i < COUNT_OF(nowhere); i++) {
		CHECK(ioctl(device, PETMEM_IOC_RUN, &nowhere[i]) == -1);
		CHECK(errno == ENOENT);
	}
	join(spawn(ask_as_user, &block.start));
}

/* ---- Counters ---- */

static uint64_t counter(const char *name)
{
	char path[96], text[32];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/misc/petmem/counters/%s",
		 name);
	file = fopen(path, "r");
	CHECK(file != NULL && fgets(text, sizeof(text), file) != NULL);
	fclose(file);
	CHECK(text[strlen(text) - 1] == '\n');
	return strtoull(text, NULL, 10);
}

static void counters_in_sysfs(void)
{
	struct petmem_counters counters;
	struct petmem_status status;
	int device = open_device();
	char *memory;

	connect_petmem();
	memory = must_malloc(5 * PAGE);
	for (size_t i = 0; i < 5; i++)
		memory[i * PAGE] = 1;
	status = pool_status();
	CHECK(counter("total_pages") == status.total_pages);
	CHECK(counter("free_pages") == status.free_pages);
	CHECK(counter("clean_pages") <= status.free_pages);
	CHECK(counter("table_pages") == status.table_pages);
	CHECK(counter("data_pages") == status.data_pages);
	CHECK(counter("large_pages") == 0 && counter("data_pages") == 5);
	CHECK(counter("processes") == 1);
	CHECK(counter("native_processes") == (is_native() ? 1 : 0));
	CHECK(ioctl(device, PETMEM_IOC_COUNTERS, &counters) == 0);
	CHECK(counters.faults >= 5 && counter("faults") == counters.faults);
	CHECK(counter("copies") == counters.copies);
	CHECK(counter("forks") == counters.forks);
}

/* ---- While it changes ---- */

static void churn(void *argument)
{
	for (;;) {
		char *memory = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		char *petmem = must_malloc(3 * MIB);

		for (size_t i = 0; i < 3 * MIB; i += 64 * PAGE) {
			memory[i] = 1;
			petmem[i] = 1;
		}
		*(char **)argument = memory;
		pet_free(petmem);
		munmap(memory, 4 * MIB);
	}
}

static void look_while_it_changes(void)
{
	char **at = shared_memory(PAGE);
	struct petmem_span span;
	int device = open_device();
	pid_t child;

	connect_petmem();
	child = spawn(churn, at);
	for (unsigned int i = 0; i < rounds(20000); i++) {
		struct petmem_walk way = { .addr = (uintptr_t)*at,
					   .pid = child };

		CHECK(ioctl(device, PETMEM_IOC_WALK, &way) == 0);
		way = (struct petmem_walk){ .addr = PETMEM_REGION_START +
						    i % 64 * PAGE,
					    .pid = child };
		CHECK(ioctl(device, PETMEM_IOC_WALK, &way) == 0);
		span = (struct petmem_span){ .addr = PETMEM_REGION_START,
					     .pid = child };
		CHECK(ioctl(device, PETMEM_IOC_SPAN, &span) == 0 ||
		      errno == ENOENT);
	}
	kill(child, SIGKILL);
	status_of(child);
}

/* Reserve the region, with small pages, in the fault mode of this test run. */
static void reserve(int device)
{
	struct petmem_mode mode = {
		.flags = PETMEM_MODE_SMALL_PAGES |
			 (is_native() ? PETMEM_MODE_NATIVE : 0),
	};

	CHECK(ioctl(device, PETMEM_IOC_MODE, &mode) == 0);
}

static void end(void *unused)
{
	(void)unused;
}

/* Reserve, map pages, fork, and unmap the region, again and again. */
static void come_and_go(void *argument)
{
	struct petmem_alloc alloc;
	pid_t *child = argument;
	int device = open_device();

	for (;;) {
		reserve(device);
		alloc = (struct petmem_alloc){
			.size = 6 * MIB,
			.flags = PETMEM_ALLOC_POPULATE,
		};
		CHECK(ioctl(device, PETMEM_IOC_ALLOC, &alloc) == 0);
		*child = spawn(end, NULL);
		join(*child);
		CHECK(munmap(REGION, PETMEM_REGION_SIZE) == 0);
	}
}

/* Look at all spans and the page counts of a process, whatever it does. */
static void look_all_over(int device, pid_t pid)
{
	struct petmem_process_info info = { .pid = pid };
	struct petmem_span span = { .addr = PETMEM_REGION_START, .pid = pid };

	if (ioctl(device, PETMEM_IOC_PROCESS, &info) == 0)
		CHECK(info.mapped_pages <= 6 * MIB / PAGE);
	else
		CHECK(errno == ENOENT || errno == ESRCH);
	while (span.addr < PETMEM_REGION_END &&
	       ioctl(device, PETMEM_IOC_SPAN, &span) == 0) {
		CHECK(span.kind <= PETMEM_SPAN_SHARED && span.size > 0);
		span = (struct petmem_span){ .addr = span.addr + span.size,
					     .pid = pid };
	}
	CHECK(span.addr == PETMEM_REGION_END || errno == ENOENT ||
	      errno == ESRCH);
}

static void look_while_it_comes_and_goes(void)
{
	pid_t *grandchild = shared_memory(PAGE);
	int device = open_device();
	pid_t child;

	/* A grandchild that outlives the child has pages, too, and is waited for. */
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	child = spawn(come_and_go, grandchild);
	for (unsigned int i = 0; i < rounds(2000); i++) {
		look_all_over(device, child);
		if (*grandchild)
			look_all_over(device, *grandchild);
	}
	kill(child, SIGKILL);
	status_of(child);
	while (wait(NULL) > 0)
		;
}

/* ---- A look does not block the process ---- */

/*
 * A process handles a fault now and then, and has priority on the processor on which
 * another one looks at it. Most of LOOKS looks have to let it handle MIN_BETWEEN faults;
 * one can come before a look and one after it.
 */
#define LOOKS 21
#define MIN_BETWEEN 3
#define PERIOD_NS 100000

struct watched {
	size_t gib; /* with a page in each */
	size_t pages; /* that are populated behind them */
	uint64_t handled; /* faults */
};

static void come_first(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	CHECK(run_on_cpu(0));
	CHECK(sched_setscheduler(0, SCHED_FIFO, &first) == 0);
}

static void handle_faults(void *argument)
{
	const struct timespec period = { .tv_nsec = PERIOD_NS };
	struct petmem_fault fault = { .addr = PETMEM_REGION_START };
	struct watched *watched = argument;
	int device = open_device();
	char *memory;

	connect_petmem();
	memory = must_malloc(watched->gib * GIB + watched->pages * PAGE);
	CHECK(memory == REGION);
	for (size_t i = 0; i < watched->gib; i++)
		memory[i * GIB] = 1;
	if (watched->pages)
		CHECK(pet_populate(memory + watched->gib * GIB,
				   watched->pages * PAGE) == 0);
	come_first();
	pass(&to_parent);
	for (;;) {
		nanosleep(&period, NULL);
		CHECK(ioctl(device, PETMEM_IOC_FAULT, &fault) == 0);
		__atomic_fetch_add(&watched->handled, 1, __ATOMIC_SEQ_CST);
	}
}

static void look_at_process(const struct watched *watched, int device,
			    pid_t pid)
{
	struct petmem_process_info info = { .pid = pid };

	CHECK(ioctl(device, PETMEM_IOC_PROCESS, &info) == 0);
	CHECK(info.mapped_pages == watched->gib + watched->pages);
}

static void look_at_span(const struct watched *watched, int device, pid_t pid)
{
	struct petmem_span span = {
		.addr = PETMEM_REGION_START + watched->gib * GIB,
		.pid = pid,
	};

	CHECK(ioctl(device, PETMEM_IOC_SPAN, &span) == 0);
	CHECK(span.kind == PETMEM_SPAN_PAGES &&
	      span.size == watched->pages * PAGE);
}

static uint64_t handled(const struct watched *watched)
{
	return __atomic_load_n(&watched->handled, __ATOMIC_SEQ_CST);
}

static void watch(size_t gib, size_t pages,
		  void (*look)(const struct watched *watched, int device,
			       pid_t pid))
{
	struct watched *watched = shared_memory(PAGE);
	unsigned int good = 0;
	int device = open_device();
	uint64_t before, between;
	pid_t child;

	*watched = (struct watched){ .gib = gib, .pages = pages };
	open_gates();
	CHECK(run_on_cpu(0));
	child = spawn(handle_faults, watched);
	await(&to_parent);
	printf("# faults during a look:");
	for (unsigned int i = 0; i < LOOKS; i++) {
		before = handled(watched);
		look(watched, device, child);
		between = handled(watched) - before;
		printf(" %llu", (unsigned long long)between);
		good += between >= MIN_BETWEEN;
	}
	printf("\n");
	CHECK(good > LOOKS / 2);
	kill(child, SIGKILL);
	status_of(child);
}

static void faults_in_process(void)
{
	watch(500, 0, look_at_process);
}

static void faults_in_span(void)
{
	watch(1, 64 * MIB / PAGE, look_at_span);
}

static const struct guest_case cases[] = {
	{ "a walk before and after the first touch", before_and_after },
	{ "a walk after fork shows shared tables and pages", after_fork },
	{ "ordinary addresses end where Linux says", ordinary },
	{ "wrong arguments are refused", wrong_arguments },
	{ "others are for root to see, and frames, too", permissions },
	{ "the numbers of a process are for its user and root",
	  numbers_of_users },
	{ "root sees another process", root_looks },
	{ "spans tell mapped, shared and guarded memory apart", spans },
	{ "spans tell 2 MiB pages, and which are shared", large_spans },
	{ "all spans together are the region", whole_region },
	{ "all runs of physical memory together are the pool", runs },
	{ "wrong runs are refused, and all runs to ordinary users", bad_runs },
	{ "sysfs has the counters", counters_in_sysfs },
	{ "looking at what changes all the time", look_while_it_changes },
	{ "looking at a region that comes and goes",
	  look_while_it_comes_and_goes },
	{ "faults go on while the pages of a process are counted",
	  faults_in_process },
	{ "faults go on while a span is looked at", faults_in_span },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
