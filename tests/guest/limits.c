// SPDX-License-Identifier: GPL-2.0
/* limits.c - the families and users that pages are charged to, and their limits. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "view.h"

#define PARAMETERS "/sys/module/petmem/parameters/"
#define MAX_FAMILY PARAMETERS "max_family_pages"
#define MAX_USER PARAMETERS "max_user_pages"
#define MAX_MAP_ALLOCATIONS PARAMETERS "max_map_allocations"
#define MAX_USER_ALLOCATIONS PARAMETERS "max_user_allocations"
#define USER 1000
#define OTHER_USER 1001

/* Tables on the path to a first page. They are charged like pages. */
#define TABLES 3

static void set_limit(const char *path, size_t pages)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", pages);
	CHECK(write_file(path, text) == 0);
}

static struct petmem_process_info info(void)
{
	struct petmem_process_info info = { .pid = getpid() };
	int device = open_device();

	CHECK(ioctl(device, PETMEM_IOC_PROCESS, &info) == 0);
	close(device);
	return info;
}

static struct petmem_counters counters(void)
{
	struct petmem_counters counters;
	int device = open_device();

	CHECK(ioctl(device, PETMEM_IOC_COUNTERS, &counters) == 0);
	close(device);
	return counters;
}

/* The counts of a user; all 0, and NO_USER, for a user without a process. */
#define NO_USER UINT32_MAX

static struct petmem_user_counts user_counts(int device, uint32_t uid)
{
	struct petmem_user_counts user = { .index = 0 };

	for (; ioctl(device, PETMEM_IOC_USER, &user) == 0; user.index++)
		if (user.uid == uid)
			return user;
	CHECK(errno == ENOENT);
	return (struct petmem_user_counts){ .index = NO_USER, .uid = uid };
}

static bool user_has(uint32_t uid, uint64_t families, uint64_t pages)
{
	int device = open_device();
	struct petmem_user_counts user = user_counts(device, uid);

	close(device);
	if (user.families == families && user.pages == pages &&
	    (user.index == NO_USER) == (families == 0))
		return true;
	printf("# user %u: families %llu, pages %llu\n", uid, user.families,
	       user.pages);
	return false;
}

static void touch(char *memory, size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		memory[i * PAGE] = 1;
}

/* ---- Charges ---- */

static void counts(void)
{
	struct petmem_process_info before, after;
	struct petmem_counters all = counters();
	char *memory;

	connect_petmem();
	memory = must_malloc(8 * PAGE);
	CHECK(user_has(0, 1, 0));
	before = info();
	CHECK(before.family_pages == 0 && before.mapped_pages == 0);
	CHECK(before.allocations == 1 && before.relatives == 1);
	CHECK(!(before.flags & PETMEM_PROCESS_NATIVE) == !is_native());
	touch(memory, 5);
	after = info();
	CHECK(after.family_pages == TABLES + 5 && after.mapped_pages == 5);
	CHECK(after.faults == before.faults + 5 && after.copies == 0);
	CHECK(counters().faults == all.faults + 5);
	CHECK(user_has(0, 1, TABLES + 5));
	pet_free(memory);
	after = info();
	CHECK(after.family_pages == 0 && after.mapped_pages == 0);
	CHECK(after.allocations == 0);
	CHECK(user_has(0, 1, 0));
}

static void write_two(void *argument)
{
	char *memory = argument;

	CHECK(info().relatives == 2 && info().mapped_pages == 4);
	CHECK(info().family_pages == TABLES + 4);
	touch(memory, 2);
	CHECK(info().copies == 2 && info().faults == 2);
	CHECK(info().family_pages == 2 * TABLES + 6);
	CHECK(info().mapped_pages == 4);
	CHECK(user_has(0, 1, 2 * TABLES + 6));
	pass(&to_parent);
	await(&to_child);
	/* The parent has freed its memory: its own pages are gone, the rest is ours. */
	CHECK(info().family_pages == TABLES + 4 && info().mapped_pages == 4);
}

static void relatives_are_one(void)
{
	struct petmem_counters all = counters();
	char *memory;
	pid_t child;

	connect_petmem();
	open_gates();
	memory = must_malloc(4 * PAGE);
	touch(memory, 4);
	child = spawn(write_two, memory);
	await(&to_parent);
	CHECK(info().family_pages == 2 * TABLES + 6);
	pet_free(memory);
	pass(&to_child);
	join(child);
	CHECK(counters().copies == all.copies + 2);
	CHECK(counters().forks == all.forks + 1);
	CHECK(info().family_pages == 0);
	CHECK(user_has(0, 1, 0));
}

static void become(uid_t uid)
{
	CHECK(setresuid(uid, uid, uid) == 0);
	prctl(PR_SET_DUMPABLE, 1);
}

/* Root has opened it, and others inherit it. */
static int shared_device;

static void take_as_user(void *argument)
{
	struct petmem_alloc alloc = { .size = 3 * PAGE,
				      .flags = PETMEM_ALLOC_POPULATE };
	struct petmem_process_info info = { .pid = 0 };

	become((uintptr_t)argument);
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == 0);
	CHECK(ioctl(shared_device, PETMEM_IOC_PROCESS, &info) == 0);
	CHECK(info.uid == (uintptr_t)argument);
	CHECK(info.family_pages == TABLES + 3);
	CHECK(user_counts(shared_device, (uintptr_t)argument).pages ==
	      TABLES + 3);
	CHECK(user_counts(shared_device, (uintptr_t)argument).families == 1);
}

static void users_apart(void)
{
	shared_device = open_device();
	join(spawn(take_as_user, (void *)USER));
	join(spawn(take_as_user, (void *)OTHER_USER));
	CHECK(user_has(USER, 0, 0) && user_has(OTHER_USER, 0, 0));
}

/* The user who began the family pays, whoever its members become. */
static void change_user(void *memory)
{
	become(USER);
	touch(memory, 2);
	CHECK(user_counts(shared_device, USER).families == 0);
	CHECK(user_counts(shared_device, 0).pages == 2 * TABLES + 3);
}

static void changing_users(void)
{
	char *memory;

	shared_device = open_device();
	connect_petmem();
	memory = must_malloc(2 * PAGE);
	touch(memory, 1);
	join(spawn(change_user, memory));
	CHECK(user_has(0, 1, TABLES + 1));
}

/* ---- Limits ---- */

static void touch_eleven(void *memory)
{
	touch(memory, 11);
}

static void family_limit(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(20 * PAGE);
	set_limit(MAX_FAMILY, TABLES + 10);
	touch(memory, 10);
	CHECK(info().family_pages == TABLES + 10);
	CHECK(faults(memory + 10 * PAGE, WRITE));
	/* The relatives' copies count, too. */
	CHECK(dies_by(SIGSEGV, touch_eleven, memory));
	errno = 0;
	CHECK(pet_populate(memory, 11 * PAGE) == -1 && errno == ENOMEM);
	CHECK(info().family_pages == TABLES + 10);
	/* The limit can be changed at run time. */
	set_limit(MAX_FAMILY, TABLES + 12);
	touch(memory, 12);
	CHECK(faults(memory + 12 * PAGE, READ));
	set_limit(MAX_FAMILY, 0);
	touch(memory, 20);
	pet_free(memory);
	CHECK(info().family_pages == 0);
}

static void populate_as_user(void *argument)
{
	struct petmem_alloc alloc = { .size = 6 * PAGE,
				      .flags = PETMEM_ALLOC_POPULATE };

	become(USER);
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == 0);
	pass(&to_parent);
	await(&to_child);
	(void)argument;
}

static void populate_in_vain(void *argument)
{
	struct petmem_alloc alloc = { .size = 5 * PAGE,
				      .flags = PETMEM_ALLOC_POPULATE };

	become((uintptr_t)argument);
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == -1);
	CHECK(errno == ENOMEM);
	alloc.size = 4 * PAGE;
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == 0);
	CHECK(user_counts(shared_device, USER).pages == 2 * TABLES + 10);
}

static void user_limit(void)
{
	pid_t child;

	shared_device = open_device();
	open_gates();
	set_limit(MAX_USER, 2 * TABLES + 10);
	child = spawn(populate_as_user, NULL);
	await(&to_parent);
	/* Another process of the same user gets the rest; another user gets all. */
	join(spawn(populate_in_vain, (void *)USER));
	CHECK(user_counts(shared_device, USER).pages == TABLES + 6);
	join(spawn(take_as_user, (void *)OTHER_USER));
	pass(&to_child);
	join(child);
	CHECK(user_counts(shared_device, USER).index == NO_USER);
	set_limit(MAX_USER, 0);
}

/* The members' pages come back, however the members end. */
static void killed_members(void)
{
	pid_t children[4];
	char *memory;

	connect_petmem();
	memory = must_malloc(64 * PAGE);
	touch(memory, 64);
	for (size_t i = 0; i < COUNT_OF(children); i++)
		children[i] = spawn(touch_eleven, memory);
	for (size_t i = 0; i < COUNT_OF(children); i++)
		kill(children[i], SIGKILL);
	for (size_t i = 0; i < COUNT_OF(children); i++)
		status_of(children[i]);
	CHECK(info().family_pages == TABLES + 64 && info().relatives == 1);
	CHECK(user_has(0, 1, TABLES + 64));
}

/* ---- Page tables and allocations ---- */

#define LARGE_PAGE (2 * MIB)

/* For a child: it gets tables of its own, though it takes no page of data. */
static void unshare_tables(void *argument)
{
	char *memory = argument;
	uint64_t before = info().family_pages;
	size_t i;

	for (i = 0; i < 4; i++)
		pet_free(memory + i * LARGE_PAGE);
	/* A PUD table and a PMD table, and a PTE table for each range. */
	CHECK(info().family_pages == before + 2 + 4);
}

/* Each 2 MiB has two allocations: freeing one unshares the table of both. */
static void tables_are_charged(void)
{
	char *memory[4];
	size_t i;

	connect_petmem();
	for (i = 0; i < COUNT_OF(memory); i++) {
		memory[i] = must_malloc(PAGE);
		CHECK(memory[i] == memory[0] + i * LARGE_PAGE);
		touch(memory[i], 1);
		touch(must_malloc(LARGE_PAGE - PAGE), 1);
	}
	CHECK(info().family_pages == 2 + 4 + 8);
	join(spawn(unshare_tables, memory[0]));
	CHECK(info().family_pages == 2 + 4 + 8);
	/* The limit does not allow the relatives tables of their own. */
	set_limit(MAX_FAMILY, 2 + 4 + 8 + 1);
	CHECK(dies_by(SIGSEGV, touch_eleven, memory[0]));
	set_limit(MAX_FAMILY, 0);
}

static void allocate_in_vain(void *argument)
{
	struct petmem_alloc alloc = { .size = PAGE };

	become((uintptr_t)argument);
	for (size_t i = 0; i < 3; i++)
		CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == 0);
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == -1);
	CHECK(errno == ENOMEM);
	/* A freed allocation makes room for another. */
	CHECK(ioctl(shared_device, PETMEM_IOC_FREE,
		    &(struct petmem_free){ .addr = alloc.addr }) == 0);
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == 0);
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == -1);
}

static void allocation_limits(void)
{
	shared_device = open_device();
	set_limit(MAX_MAP_ALLOCATIONS, 3);
	join(spawn(allocate_in_vain, (void *)USER));
	set_limit(MAX_MAP_ALLOCATIONS, 0);
	set_limit(MAX_USER_ALLOCATIONS, 3);
	join(spawn(allocate_in_vain, (void *)OTHER_USER));
	/* Allocations of ended processes are no longer counted. */
	join(spawn(allocate_in_vain, (void *)OTHER_USER));
	set_limit(MAX_USER_ALLOCATIONS, 0);
}

/* A map that a relative changes is copied, and counted again. */
static void change_map(void *memory)
{
	errno = 0;
	CHECK(!pet_malloc(PAGE) && errno == ENOMEM);
	/* The parent's map is as it was. */
	CHECK(((char *)memory)[0] == 1);
	set_limit(MAX_USER_ALLOCATIONS, 5);
	CHECK(pet_malloc(PAGE));
	CHECK(!pet_malloc(PAGE));
}

static void relatives_allocations(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGE);
	touch(memory, 1);
	must_malloc(PAGE);
	/* There are two. The child would have copies of these, and one of its own. */
	set_limit(MAX_USER_ALLOCATIONS, 4);
	join(spawn(change_map, memory));
	/* The child's allocations are no longer counted. */
	must_malloc(PAGE);
	must_malloc(PAGE);
	must_malloc(PAGE);
	CHECK(!pet_malloc(PAGE));
	set_limit(MAX_USER_ALLOCATIONS, 0);
}

/* ---- User namespaces ---- */

/* Touch memory as user 1 of the namespace, who is another user outside. */
static void touch_in_namespace(void *argument)
{
	struct petmem_alloc alloc = { .size = PAGE,
				      .flags = PETMEM_ALLOC_POPULATE };

	become(USER);
	CHECK(unshare(CLONE_NEWUSER) == 0);
	pass(&to_parent);
	await(&to_child);
	CHECK(setuid(1) == 0);
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == 0);
	pass(&to_parent);
	await(&to_child);
	(void)argument;
}

/* A user cannot escape a limit as some other user of a namespace of their own. */
static void namespaces(void)
{
	char path[64], users[64];
	pid_t child;

	shared_device = open_device();
	open_gates();
	child = spawn(touch_in_namespace, NULL);
	await(&to_parent);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
	snprintf(users, sizeof(users), "0 %d 1\n1 %d 1\n", USER, OTHER_USER);
	CHECK(write_file(path, users) == 0);
	pass(&to_child);
	await(&to_parent);
	CHECK(user_has(USER, 1, TABLES + 1));
	pass(&to_child);
	join(child);
}

static const struct guest_case cases[] = {
	{ "faults, pages and allocations of a process are counted", counts },
	{ "relatives are charged as one family, until a page is free",
	  relatives_are_one },
	{ "each user is charged for their own", users_apart },
	{ "the user who began a family is charged for it", changing_users },
	{ "a family gets no more than its limit", family_limit },
	{ "a user gets no more than their limit", user_limit },
	{ "pages charged to killed members come back", killed_members },
	{ "page tables are charged, a relative's own included",
	  tables_are_charged },
	{ "the allocations of a process and of a user are limited",
	  allocation_limits },
	{ "a relative's memory map counts once it is changed",
	  relatives_allocations },
	{ "in a user namespace the user who made it pays", namespaces },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
