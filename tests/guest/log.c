// SPDX-License-Identifier: GPL-2.0
/* log.c - how much the processes of a user can write into the kernel's log. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "view.h"

/* Each is new to the module when its case begins. */
#define DUMPING_USER 1000
#define RETURNING_USER 1001
#define HUNGRY_USER 1002

/* The same as in account.c and on_demand.c. */
#define LINES_PER_SECOND 2
#define LINES_AT_ONCE 64
#define DUMP_RANGES 64
#define DUMP_LINES (DUMP_RANGES + 2)

#define ATTEMPTS 30

#define MAX_FAMILY "/sys/module/petmem/parameters/max_family_pages"

/* Root has opened it, and others inherit it. */
static int device;

static void become(uid_t uid)
{
	CHECK(setresuid(uid, uid, uid) == 0);
}

static uint64_t alloc_page(void)
{
	struct petmem_alloc alloc = { .size = PAGE };

	CHECK(ioctl(device, PETMEM_IOC_ALLOC, &alloc) == 0);
	return alloc.addr;
}

static bool dumps(void)
{
	bool done = ioctl(device, PETMEM_IOC_DUMP) == 0;

	CHECK(done || errno == EAGAIN);
	return done;
}

/* The most lines that may have come since @begin. */
static size_t most_lines(time_t begin)
{
	return LINES_AT_ONCE + DUMP_LINES +
	       LINES_PER_SECOND * (time(NULL) - begin + 1);
}

/* Dump as many ranges as are printed, again and again. */
static void dump_often(void *uid)
{
	unsigned int done = 0;

	become((uintptr_t)uid);
	for (int i = 0; i < DUMP_RANGES; i++)
		alloc_page();
	CHECK(dumps());
	for (int i = 1; i < ATTEMPTS; i++)
		done += dumps();
	printf("# %u of %d\n", done, ATTEMPTS - 1);
}

static void many_dumps(void)
{
	time_t begin = time(NULL);
	size_t lines;
	int log = open_log();

	device = open_device();
	join(spawn(dump_often, (void *)DUMPING_USER));
	lines = messages(log, "petmem:   0x");
	CHECK(lines >= DUMP_RANGES && lines <= most_lines(begin));
	/* Another user's dumps are not fewer because of that. */
	CHECK(dumps());
	CHECK(messages(log, "petmem: memory map of process ") == 1);
	close(log);
}

/* One process dumps after the other. Each is the user's only one. */
static void dump_once(void *uid)
{
	become((uintptr_t)uid);
	for (int i = 0; i < DUMP_RANGES; i++)
		alloc_page();
	dumps();
}

static void many_processes(void)
{
	time_t begin = time(NULL);
	size_t lines;
	int log = open_log();

	device = open_device();
	for (int i = 0; i < ATTEMPTS; i++)
		join(spawn(dump_once, (void *)RETURNING_USER));
	lines = messages(log, "petmem:   0x");
	CHECK(lines >= DUMP_RANGES && lines <= most_lines(begin));
	close(log);
}

/* ---- An empty pool ---- */

/* The number of faults that find no page. */
#define HUNGRY_FAULTS 1000

static void take_page(void)
{
	struct petmem_fault fault = { .addr = alloc_page() };

	CHECK(ioctl(device, PETMEM_IOC_FAULT, &fault) == 0);
}

static void fault_in_vain(unsigned int times)
{
	struct petmem_fault fault = { .addr = alloc_page() };

	for (unsigned int i = 0; i < times; i++) {
		CHECK(ioctl(device, PETMEM_IOC_FAULT, &fault) == -1);
		CHECK(errno == ENOMEM);
	}
}

static void be_hungry(void *uid)
{
	become((uintptr_t)uid);
	take_page();
	pass(&to_parent);
	await(&to_child);
	fault_in_vain(HUNGRY_FAULTS);
}

static void hunger(void)
{
	time_t begin = time(NULL);
	int log = open_log();
	size_t lines;
	pid_t child;

	device = open_device();
	open_gates();
	child = spawn(be_hungry, (void *)HUNGRY_USER);
	await(&to_parent);
	take_page();
	CHECK(write_file(MAX_FAMILY, "1") == 0);
	pass(&to_child);
	join(child);
	lines = messages(log, "the pool is empty");
	CHECK(lines > 0 && lines <= most_lines(begin));
	/* Root's message is not lost among them. */
	fault_in_vain(1);
	CHECK(messages(log, "the pool is empty") == 1);
	CHECK(write_file(MAX_FAMILY, "0") == 0);
	close(log);
}

static const struct guest_case cases[] = {
	{ "a user's dumps are few, and another user's are not fewer for it",
	  many_dumps },
	{ "a user's next process is no new user", many_processes },
	{ "a user with many faults in vain hides no other's message", hunger },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
