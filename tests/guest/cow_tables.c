// SPDX-License-Identifier: GPL-2.0
/* cow_tables.c - copy-on-write at table boundaries, and freeing shared memory. */
#include <stdlib.h>

#include "guest.h"
#include "view.h"

#define WHOLE ((size_t)PETMEM_REGION_SIZE)

/* ---- Boundaries ---- */

/* Offsets at which pages and tables of every level end. */
static const size_t boundaries[] = {
	PAGE, 2 * MIB, 4 * MIB, GIB, GIB + 2 * MIB, 2 * GIB,
};

/* A word half in one page and half in the other. */
static uint64_t *across(char *memory, size_t boundary)
{
	return (uint64_t *)(memory + boundary - sizeof(uint64_t) / 2);
}

static void write_across(void *argument)
{
	char *memory = argument;

	for (size_t i = 0; i < COUNT_OF(boundaries); i++) {
		volatile uint64_t *word = across(memory, boundaries[i]);

		CHECK(*word == i + 1);
		*word = ~(uint64_t)i;
		CHECK(*word == ~(uint64_t)i);
	}
}

static void check_across(char *memory)
{
	for (size_t i = 0; i < COUNT_OF(boundaries); i++)
		CHECK(*across(memory, boundaries[i]) == i + 1);
}

static void words_across_boundaries(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(3 * GIB);
	for (size_t i = 0; i < COUNT_OF(boundaries); i++)
		*across(memory, boundaries[i]) = i + 1;
	for (int i = 0; i < 3; i++) {
		join(spawn(write_across, memory));
		check_across(memory);
	}
	write_across(memory);
}

static void pages_at_boundaries(void)
{
	pid_t child;
	char *memory;

	connect_petmem();
	open_gates();
	memory = must_malloc(3 * GIB);
	for (size_t i = 0; i < COUNT_OF(boundaries); i++) {
		view_add(memory + boundaries[i] - PAGE);
		if (i > 0)
			view_add(memory + boundaries[i]);
	}
	view_write_all(SEEDS);
	/* In each round the parent writes to one side of the boundaries. */
	for (size_t side = 0; side < 2; side++) {
		child = spawn(check_when_told, NULL);
		for (size_t i = side; i < view.count; i += 2)
			view_write(i, (2 + side) * SEEDS + i);
		view_check();
		pass(&to_child);
		join(child);
		child = spawn(write_second, NULL);
		for (size_t i = side; i < view.count; i += 2)
			view_write(i, (4 + side) * SEEDS + i);
		pass(&to_child);
		await(&to_parent);
		view_check();
		pass(&to_child);
		join(child);
		view_check();
	}
}

/* ---- Freeing shared memory ---- */

/* Allocations that end and begin in the middle of tables. */
static const size_t parts[] = { 3, 550, 1, 600, 2 };

static char *part[COUNT_OF(parts)];

/* Watch the first and last page of each. */
static void allocate_parts(void)
{
	connect_petmem();
	open_gates();
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		part[i] = must_malloc(parts[i] * PAGE);
		view_add(part[i]);
		if (parts[i] > 1)
			view_add(part[i] + (parts[i] - 1) * PAGE);
	}
	view_write_all(SEEDS);
}

/* Free one part, and write to the others. */
static void free_part(size_t freed)
{
	pet_free(part[freed]);
	CHECK(faults(part[freed], READ));
	CHECK(faults(part[freed] + (parts[freed] - 1) * PAGE, WRITE));
	CHECK(must_malloc(parts[freed] * PAGE) == part[freed]);
	CHECK(is_zero(part[freed], parts[freed] * PAGE));
	view_write_all((freed + 2) * SEEDS);
	view_check();
}

static void free_part_when_told(void *argument)
{
	await(&to_child);
	view_check();
	free_part((size_t)argument);
	pass(&to_parent);
	await(&to_child);
	view_check();
}

static void freeing_on_either_side(void)
{
	allocate_parts();
	for (size_t freed = 0; freed < COUNT_OF(parts); freed++) {
		pid_t child = spawn(free_part_when_told, (void *)freed);

		free_part((freed + 2) % COUNT_OF(parts));
		pass(&to_child);
		await(&to_parent);
		view_check();
		pass(&to_child);
		join(child);
		view_check();
	}
}

/* Free a part and never touch it again: the relative still has it. */
static void only_free(void *argument)
{
	pet_free(part[(size_t)argument]);
	CHECK(faults(part[(size_t)argument], READ));
}

static void freeing_alone(void)
{
	allocate_parts();
	for (size_t freed = 0; freed < COUNT_OF(parts); freed++) {
		join(spawn(only_free, (void *)freed));
		view_check();
	}
	view_write_all(2 * SEEDS);
	view_check();
}

static void free_everything(void *argument)
{
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		pet_free(part[i]);
	for (size_t i = 0; i < view.count; i++)
		CHECK(faults(view.page[i], WRITE));
	CHECK(must_malloc(WHOLE) == REGION);
	CHECK(is_zero(REGION, PAGE));
	pet_free(REGION);
	pass(&to_parent);
	await(&to_child);
	(void)argument;
}

static void child_frees_all(void)
{
	struct petmem_status before, after;
	pid_t child;

	allocate_parts();
	before = pool_status();
	child = spawn(free_everything, NULL);
	await(&to_parent);
	after = pool_status();
	/* The child has nothing left, not even tables. */
	CHECK(after.free_pages == before.free_pages);
	view_check();
	view_write_all(2 * SEEDS);
	CHECK(pool_status().free_pages == before.free_pages);
	pass(&to_child);
	join(child);
	view_check();
	/* And the other way round. */
	child = spawn(write_second, NULL);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		pet_free(part[i]);
	CHECK(must_malloc(WHOLE) == REGION);
	pass(&to_child);
	await(&to_parent);
	pass(&to_child);
	join(child);
	CHECK(is_zero(REGION, PAGE));
}

static const struct guest_case cases[] = {
	{ "a word across 4 KiB, 2 MiB and 1 GiB boundaries",
	  words_across_boundaries },
	{ "pages on both sides of boundaries", pages_at_boundaries },
	{ "freeing part of a shared table on either side, then writing",
	  freeing_on_either_side },
	{ "freeing part of a shared table, and nothing else", freeing_alone },
	{ "a child, and a parent, that frees everything", child_frees_all },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
