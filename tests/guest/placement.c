// SPDX-License-Identifier: GPL-2.0
/* placement.c - programs that ask Linux to place petmem's memory on NUMA nodes. */
#include <stdlib.h>
#include <unistd.h>

#include "guest.h"
#include "placement.h"

enum { SEED = 31, CHILD_SEED = 37, NOBODY = 1000 };

#define SIZE (4 * MIB)

/* From here on, do only what any program may do. */
static void drop_rights(void)
{
	CHECK(setgid(NOBODY) == 0);
	CHECK(setuid(NOBODY) == 0);
}

static void place_and_compare(char *memory)
{
	struct petmem_status before = pool_status(), after;

	place_all(memory, SIZE);
	after = pool_status();
	CHECK(holds(memory, SIZE, SEED));
	CHECK(before.data_pages == after.data_pages);
	CHECK(before.large_pages == after.large_pages);
	CHECK(before.table_pages == after.table_pages);
}

static void in_child(void *argument)
{
	char *memory = argument;

	drop_rights();
	place_all(memory, SIZE);
	CHECK(holds(memory, SIZE, SEED));
	fill(memory, SIZE, CHILD_SEED);
	place_all(memory, SIZE);
	CHECK(holds(memory, SIZE, CHILD_SEED));
}

static void all_calls(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(2 * SIZE);
	/* Half of it stays untouched. */
	fill(memory, SIZE, SEED);
	place_and_compare(memory);
	/* Share it with a relative, which then has copies. */
	join(spawn(in_child, memory));
	place_and_compare(memory);
	CHECK(is_zero(memory + SIZE, SIZE));
	pet_free(memory);
}

static void small_pages(void)
{
	CHECK(setenv("PETMEM_LARGE_PAGES", "0", 1) == 0);
	all_calls();
}

static void large_pages(void)
{
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	all_calls();
}

static struct gate to_parent, to_child;

static void be_placed(void *argument)
{
	pass(&to_parent);
	await(&to_child);
	CHECK(holds(argument, SIZE, SEED));
}

/* The calls come from another process, which is allowed to make them. */
static void of_another(void)
{
	char *memory;
	pid_t child;

	to_parent = new_gate();
	to_child = new_gate();
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	connect_petmem();
	memory = must_malloc(SIZE);
	fill(memory, SIZE, SEED);
	child = spawn(be_placed, memory);
	await(&to_parent);
	place_process(child);
	place_pages(child, memory, SIZE);
	pass(&to_child);
	join(child);
	CHECK(holds(memory, SIZE, SEED));
}

static const struct guest_case cases[] = {
	{ "mbind, migrate_pages, move_pages: 4 KiB pages", small_pages },
	{ "2 MiB pages", large_pages },
	{ "pages of another process", of_another },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
