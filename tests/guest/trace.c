// SPDX-License-Identifier: GPL-2.0
/* trace.c - the events petmem:petmem_*, as tracefs shows them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "guest.h"
#include "view.h"

#define TRACING "/sys/kernel/tracing"
#define EVENTS TRACING "/events/petmem"
#define FIELDS_MAX 128

/* Begin with an empty trace of all of petmem's events. */
static void start_trace(void)
{
	CHECK(mount("tracefs", TRACING, "tracefs", 0, NULL) == 0 ||
	      errno == EBUSY);
	CHECK(access(EVENTS "/enable", W_OK) == 0);
	fclose(fopen(TRACING "/trace", "w"));
	CHECK(write_file(EVENTS "/enable", "1") == 0);
}

/* How many events of process @pid, or of any for 0, have exactly these fields? */
static int events(pid_t pid, const char *name, const char *fields)
{
	FILE *trace = fopen(TRACING "/trace", "re");
	char line[BUFSIZ], wanted[FIELDS_MAX], process[FIELDS_MAX];
	int count = 0;

	CHECK(trace != NULL);
	CHECK(write_file(EVENTS "/enable", "0") == 0);
	snprintf(wanted, sizeof(wanted), " petmem_%s: %s\n", name, fields);
	snprintf(process, sizeof(process), "-%d ", pid);
	while (fgets(line, sizeof(line), trace) != NULL)
		if (strstr(line, wanted) != NULL &&
		    (pid == 0 || strstr(line, process) != NULL))
			count++;
	fclose(trace);
	return count;
}

static char *fields(const char *format, ...)
{
	static char text[FIELDS_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return text;
}

static void alloc_and_free(void)
{
	char *memory;
	pid_t self = getpid();

	connect_petmem();
	start_trace();
	memory = must_malloc(3 * PAGE);
	pet_free(memory);
	CHECK(events(self, "alloc",
		     fields("addr=%p size=%zu", memory, 3 * PAGE)) == 1);
	CHECK(events(self, "free",
		     fields("addr=%p size=%zu", memory, 3 * PAGE)) == 1);
}

static void touches(void)
{
	char *memory;
	pid_t self = getpid();

	connect_petmem();
	memory = must_malloc(2 * PAGE);
	start_trace();
	*(volatile char *)(memory + 8);
	memory[PAGE + 16] = 1;
	CHECK(faults(memory + 2 * PAGE, READ));
	/* A native fault has the address of the page, a signal that of the byte. */
	CHECK(events(self, "fault",
		     fields("addr=%p error_code=0x4 result=0",
			    memory + (is_native() ? 0 : 8))) == 1);
	CHECK(events(self, "fault",
		     fields("addr=%p error_code=0x6 result=0",
			    memory + PAGE + (is_native() ? 0 : 16))) == 1);
	CHECK(events(self, "fault",
		     fields("addr=%p error_code=0x4 result=%d",
			    memory + 2 * PAGE, -EFAULT)) == 1);
	CHECK(events(self, "cow", fields("addr=%p copied=0", memory)) == 0);
}

static void write_page(void *page)
{
	*(char *)page = 2;
}

static void fork_and_write(void)
{
	char *memory;
	pid_t child, self = getpid();

	connect_petmem();
	memory = must_malloc(PAGE);
	*memory = 1;
	start_trace();
	child = spawn(write_page, memory);
	join(child);
	*memory = 3;
	CHECK(events(self, "fork",
		     fields("relatives=2 native=%d", is_native())) == 1);
	CHECK(events(child, "cow", fields("addr=%p copied=1", memory)) == 1);
	CHECK(events(self, "cow", fields("addr=%p copied=0", memory)) == 1);
}

/* The last block of the pool, which nobody uses, is released and donated again. */
static void release_and_donate(void)
{
	struct petmem_status status = pool_status();
	struct petmem_block block = { .index = status.blocks - 1 };
	struct petmem_extent extent;
	int device = open_device();

	CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	extent = (struct petmem_extent){ block.start, block.size };
	start_trace();
	CHECK(ioctl(device, PETMEM_IOC_RELEASE, &extent) == 0);
	CHECK(ioctl(device, PETMEM_IOC_DONATE, &extent) == 0);
	CHECK(events(0, "release",
		     fields("start=0x%llx size=%llu", block.start,
			    block.size)) == 1);
	CHECK(events(0, "donate",
		     fields("start=0x%llx size=%llu node=%d", block.start,
			    block.size, block.node)) == 1);
}

/* An event that nobody watches leaves nothing. */
static void switched_off(void)
{
	connect_petmem();
	start_trace();
	CHECK(write_file(EVENTS "/enable", "0") == 0);
	*(char *)must_malloc(PAGE) = 1;
	CHECK(events(getpid(), "fault", "") == 0);
	CHECK(events(getpid(), "alloc",
		     fields("addr=%p size=%zu", (void *)REGION, PAGE)) == 0);
}

/* ---- PETMEM_IOC_INVLPG ---- */

#define FLUSHES TRACING "/events/tlb/tlb_flush"
#define INVALIDATIONS 200

static struct gate to_sleeper, from_sleeper;

static void *sleep_in_between(void *unused)
{
	char byte;

	CHECK(run_on_cpu(1));
	while (read(to_sleeper.ends[0], &byte, 1) == 1)
		pass(&from_sleeper);
	return unused;
}

/* How often did a processor flush all of an address space when it went back to it? */
static int flushes_on_return(int cpu)
{
	FILE *trace = fopen(TRACING "/trace", "re");
	char line[BUFSIZ], place[FIELDS_MAX];
	int count = 0;

	CHECK(trace != NULL);
	snprintf(place, sizeof(place), " [%03d] ", cpu);
	while (fgets(line, sizeof(line), trace) != NULL)
		if (strstr(line, place) != NULL &&
		    strstr(line, "tlb_flush: pages:-1 ") != NULL &&
		    strstr(line, "reason:flush on task switch") != NULL)
			count++;
	fclose(trace);
	return count;
}

/*
 * A thread sleeps on a processor that has nothing else to do and keeps the address space.
 * If the invalidation raised the generation, that processor would flush all of it whenever
 * the thread goes on.
 */
static void invalidations(void)
{
	pthread_t thread;
	char *memory;

	if (!run_on_cpu(1) || !run_on_cpu(0))
		skip_case("needs two processors");
	connect_petmem();
	memory = must_malloc(PAGE);
	*memory = 1;
	to_sleeper = new_gate();
	from_sleeper = new_gate();
	CHECK(pthread_create(&thread, NULL, sleep_in_between, NULL) == 0);
	pass(&to_sleeper);
	await(&from_sleeper);
	start_trace();
	CHECK(write_file(EVENTS "/enable", "0") == 0);
	CHECK(write_file(FLUSHES "/enable", "1") == 0);
	for (int i = 0; i < INVALIDATIONS; i++) {
		CHECK(pet_invlpg(memory) == 0);
		pass(&to_sleeper);
		await(&from_sleeper);
	}
	CHECK(write_file(FLUSHES "/enable", "0") == 0);
	printf("# %d flushes\n", flushes_on_return(1));
	CHECK(flushes_on_return(1) < INVALIDATIONS / 2);
	close(to_sleeper.ends[1]);
	CHECK(pthread_join(thread, NULL) == 0 && *memory == 1);
}

static const struct guest_case cases[] = {
	{ "allocations and frees are told, with address and size",
	  alloc_and_free },
	{ "so are faults, with the processor's code and the result", touches },
	{ "so are fork, and copy-on-write with and without a copy",
	  fork_and_write },
	{ "so are donation and release", release_and_donate },
	{ "events that are switched off report nothing", switched_off },
	{ "PETMEM_IOC_INVLPG makes no processor flush an address space",
	  invalidations },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
