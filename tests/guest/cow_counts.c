// SPDX-License-Identifier: GPL-2.0
/* cow_counts.c - the pages that copy-on-write takes, and a pool that has too few. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "view.h"

/* The path to a page has a PUD, a PMD and a PTE table. */
#define TABLES UINT64_C(3)

#define MAX_RELATIVES "/sys/module/petmem/parameters/max_relatives"

/* The earlier page counts that grew_by() compares with. */
static struct petmem_status before;

static bool grew_by(uint64_t tables, uint64_t data)
{
	struct petmem_status now = pool_status();

	if (now.table_pages == before.table_pages + tables &&
	    now.data_pages == before.data_pages + data)
		return true;
	printf("# tables %lld, data %lld\n",
	       (long long)(now.table_pages - before.table_pages),
	       (long long)(now.data_pages - before.data_pages));
	return false;
}

/* ---- The pages that a write takes ---- */

static void read_and_write(void *argument)
{
	CHECK(grew_by(0, 0));
	view_check();
	CHECK(grew_by(0, 0));
	view_write(0, 2 * SEEDS);
	CHECK(grew_by(TABLES, 1));
	view_write(1, 2 * SEEDS);
	CHECK(grew_by(TABLES, 2));
	view_write(2, 2 * SEEDS);
	CHECK(grew_by(TABLES + 1, 3)); /* in another PTE table */
	view_check();
	CHECK(grew_by(TABLES + 1, 3));
	(void)argument;
}

static void pages_needed(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(4 * MIB);
	view_add_pages(memory, 2);
	view_add(memory + 2 * MIB);
	view_write_all(SEEDS);
	before = pool_status();
	for (int i = 0; i < 3; i++) {
		join(spawn(read_and_write, NULL));
		CHECK(grew_by(0, 0));
	}
	/* The last owner writes without a copy. */
	view_write_all(3 * SEEDS);
	CHECK(grew_by(0, 0));
	view_check();
}

static void keep_and_write(void *argument)
{
	await(&to_child);
	/* The parent has copied every page: this process is the only owner. */
	view_check();
	view_write_all(2 * SEEDS);
	CHECK(grew_by(TABLES, view.count));
	view_check();
	(void)argument;
}

static void last_owner(void)
{
	pid_t child;

	connect_petmem();
	open_gates();
	view_add_pages(must_malloc(5 * PAGE), 5);
	view_write_all(SEEDS);
	before = pool_status();
	child = spawn(keep_and_write, NULL);
	view_write_all(3 * SEEDS);
	CHECK(grew_by(TABLES, view.count));
	pass(&to_child);
	join(child);
	CHECK(grew_by(0, 0));
	view_check();
}

/* A child whose parent has ended is the only owner. */
static void write_alone(void *argument)
{
	pid_t parent = getppid();

	prctl(PR_SET_PDEATHSIG, 0);
	pass(&to_parent);
	while (getppid() == parent)
		usleep(1000);
	view_write_all(2 * SEEDS);
	view_check();
	CHECK(grew_by(0, 0));
	(void)argument;
}

static void leave_it_to_a_child(void *argument)
{
	connect_petmem();
	view_add_pages(must_malloc(5 * PAGE), 5);
	view_write_all(SEEDS);
	before = pool_status();
	spawn(write_alone, argument);
	await(&to_parent);
}

static void outliving(void)
{
	int status;

	open_gates();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	join(spawn(leave_it_to_a_child, NULL));
	CHECK(wait(&status) > 0 && status == 0);
}

/* ---- Every number of free pages ---- */

enum { FREE_MOST = 150 };

/* Below this try every number: a single page is most likely to matter when few are left. */
enum { FREE_FEW = 12 };

/* Each page is in its own GiB, so that a write takes a page and two tables. */
enum { FAR_PAGES = FREE_MOST / 3 };

static size_t far_pages_writable(size_t free_pages)
{
	/* The first one needs the PUD table, too. */
	return free_pages ? (free_pages - 1) / 3 : 0;
}

static void write_while_there_are_pages(void *argument)
{
	size_t free_pages = *(size_t *)argument, i;

	for (i = 0; i < FAR_PAGES; i++) {
		if (faults(view.page[i], WRITE))
			break;
		view_write(i, 2 * SEEDS + i);
	}
	CHECK(i == far_pages_writable(free_pages));
	/* The failed write has taken no page. */
	CHECK(pool_status().free_pages == free_pages - (i ? 1 : 0) - 3 * i);
	view_check();
}

static void k_free_pages(void)
{
	size_t free_pages;
	char *memory, *steps;

	connect_petmem();
	memory = pet_aligned_alloc(GIB, FAR_PAGES * GIB);
	CHECK(memory != NULL);
	for (size_t i = 0; i < FAR_PAGES; i++)
		view_add(memory + i * GIB);
	view_write_all(SEEDS);
	/* These share one PTE table: each takes one page. */
	steps = pet_aligned_alloc(2 * MIB, 2 * MIB);
	CHECK(steps != NULL);
	steps[FREE_MOST * PAGE] = 1;
	leave_free(FREE_MOST);
	for (free_pages = FREE_MOST;; free_pages--) {
		CHECK(pool_status().free_pages == free_pages);
		if (free_pages < FREE_FEW || free_pages % every() == 0)
			join(spawn(write_while_there_are_pages, &free_pages));
		CHECK(pool_status().free_pages == free_pages);
		if (free_pages == 0)
			break;
		steps[(free_pages - 1) * PAGE] = 1;
	}
	/* This process is the only owner: its writes take no pages. */
	view_check();
	view_write_all(3 * SEEDS);
	view_check();
}

/* ---- More than the pool holds ---- */

/* The same share of the pool as 200 MB of 256 MB. */
static size_t large;
enum { READERS = 50 };

/* Each reader starts at another page and reads every READERS-th: together, all pages. */
static void read_share(void *argument)
{
	char *memory = argument;
	size_t first = (uintptr_t)argument % PAGE;

	memory -= first;
	for (size_t i = first * PAGE; i < large; i += READERS * PAGE)
		CHECK(*(size_t *)(memory + i) == i);
	pass(&to_parent);
	await(&to_child);
}

static void write_all(void *argument)
{
	char *memory = argument;

	for (size_t i = 0; i < large; i += PAGE)
		*(volatile size_t *)(memory + i) = ~i;
}

/* A user's processes get LOG_LINES_PER_SECOND of account.c. */
#define LOG_LINE_SECONDS 1

static void fifty_forks(void)
{
	pid_t reader[READERS];
	char *memory;
	int log;

	large = pool_status().total_pages / 32 * 25 * PAGE;
	if (large > 300 * MIB)
		skip_case("takes too long with so large a pool");
	/* Without a handler below petmem's, a death is one fault and one message. */
	CHECK(init_petmem() == 0);
	open_gates();
	memory = must_malloc(large);
	CHECK(pet_populate(memory, large) == 0);
	for (size_t i = 0; i < large; i += PAGE)
		*(size_t *)(memory + i) = i;
	before = pool_status();
	for (int i = 0; i < READERS; i++)
		reader[i] = spawn(read_share, memory + i);
	for (int i = 0; i < READERS; i++)
		await(&to_parent);
	CHECK(grew_by(0, 0));
	/* The messages of earlier cases count against root's limit. */
	sleep(LOG_LINE_SECONDS);
	log = open_log();
	CHECK(dies_by(SIGSEGV, write_all, memory));
	CHECK(messages(log, "pool is empty") == 1);
	close(log);
	CHECK(grew_by(0, 0));
	for (int i = 0; i < READERS; i++)
		pass(&to_child);
	for (int i = 0; i < READERS; i++)
		join(reader[i]);
	CHECK(pet_populate(memory, large) == 0);
	write_all(memory);
	CHECK(grew_by(0, 0));
}

/* ---- The most relatives ---- */

static void be_without(void *argument)
{
	char *memory = argument;

	CHECK(faults(memory, READ));
	CHECK(faults(memory, WRITE));
	CHECK(must_malloc(PAGE) == memory);
	CHECK(is_zero(memory, PAGE));
	fill(memory, PAGE, 2 * SEEDS);
	CHECK(holds(memory, PAGE, 2 * SEEDS));
}

static void be_last(void *argument)
{
	view_check();
	join(spawn(be_without, argument));
	view_write_all(3 * SEEDS);
	view_check();
}

static void be_second(void *argument)
{
	join(spawn(be_last, argument));
	/* One has gone: there is room for another. */
	join(spawn(be_last, argument));
	view_check();
}

static void three_relatives(void *argument)
{
	(void)argument;
	connect_petmem();
	view_add_pages(must_malloc(3 * PAGE), 3);
	view_write_all(SEEDS);
	CHECK(view.page[0] == REGION);
	join(spawn(be_second, REGION));
	view_check();
	view_write_all(4 * SEEDS);
	view_check();
}

/* A limit of 0 is like one of 1: a process is not its own relative. */
static void no_relatives(void *argument)
{
	(void)argument;
	connect_petmem();
	view_add_pages(must_malloc(PAGE), 1);
	view_write_all(SEEDS);
	join(spawn(be_without, REGION));
	view_check();
}

static void too_many_relatives(void)
{
	char usual[20] = "";
	int file = open(MAX_RELATIVES, O_RDONLY | O_CLOEXEC), three, none;

	CHECK(file >= 0 && read(file, usual, sizeof(usual) - 1) > 0);
	CHECK(write_file(MAX_RELATIVES, "3") == 0);
	three = status_of(spawn(three_relatives, NULL));
	CHECK(write_file(MAX_RELATIVES, "0") == 0);
	none = status_of(spawn(no_relatives, NULL));
	CHECK(write_file(MAX_RELATIVES, usual) == 0);
	CHECK(WIFEXITED(three) && WEXITSTATUS(three) == EXIT_SUCCESS);
	CHECK(WIFEXITED(none) && WEXITSTATUS(none) == EXIT_SUCCESS);
}

static const struct guest_case cases[] = {
	{ "reads copy nothing, a write one page and its tables", pages_needed },
	{ "the last owner writes without a copy", last_owner },
	{ "a child that outlives its parent has it alone", outliving },
	{ "fork with 0 to 150 free pages", k_free_pages },
	{ "200 MB, 50 readers, a writer too many", fifty_forks },
	{ "more relatives than there may be", too_many_relatives },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
