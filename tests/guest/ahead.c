// SPDX-License-Identifier: GPL-2.0
/* ahead.c - pages that are mapped before they are touched. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guest.h"

#define TABLE ((size_t)512) /* pages of one page table */

static size_t data_pages(void)
{
	return pool_status().data_pages;
}

/* Touch page @number. Returns the number of pages that it mapped. */
static size_t touch(char *memory, size_t number)
{
	size_t before = data_pages();

	memory[number * PAGE] = 1;
	return data_pages() - before;
}

static void around(void)
{
	enum { PAGES = 100 };
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGES * PAGE);
	CHECK(touch(memory, 5) == 1);
	CHECK(pet_fault_around(16) == 0);
	/* Groups are aligned, keep pages that are there, and stay within a range. */
	CHECK(touch(memory, 31) == 16);
	CHECK(touch(memory, 16) == 0);
	CHECK(touch(memory, 0) == 15);
	CHECK(touch(memory, PAGES - 1) == PAGES % 16);
	CHECK(memory[5 * PAGE] == 1 && is_zero(memory + PAGE, 4 * PAGE));
	CHECK(pet_fault_around(1) == 0);
	CHECK(touch(memory, 40) == 1);
}

static void around_within_a_table(void)
{
	char *memory;

	connect_petmem();
	CHECK(pet_fault_around(TABLE) == 0);
	memory = must_malloc(3 * TABLE * PAGE);
	CHECK(touch(memory, TABLE + 1) == TABLE);
	CHECK(touch(memory, TABLE - 1) == TABLE);
	CHECK(faults(memory + 3 * TABLE * PAGE, READ));
	pet_free(memory);
}

/* Neighbours are optional: the fault itself succeeds with the pool's last page. */
static void around_the_last_page(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(2 * TABLE * PAGE);
	memory[0] = 1;
	leave_free(3);
	CHECK(pet_fault_around(TABLE) == 0);
	CHECK(touch(memory, 1) == 3);
	CHECK(faults(memory + 10 * PAGE, WRITE));
}

static void bad_around(void)
{
	struct petmem_mode mode = { .fault_around = 3 };
	int device = open_device();

	connect_petmem();
	CHECK(ioctl(device, PETMEM_IOC_MODE, &mode) < 0 && errno == EINVAL);
	mode.fault_around = 2 * TABLE;
	CHECK(ioctl(device, PETMEM_IOC_MODE, &mode) < 0 && errno == EINVAL);
	CHECK(pet_fault_around(0) < 0 && errno == EINVAL);
	CHECK(pet_fault_around(100) < 0 && errno == EINVAL);
}

static void inherits(void *argument)
{
	CHECK(touch(argument, 0) == 8);
}

static void around_in_a_child(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(8 * PAGE);
	CHECK(pet_fault_around(8) == 0);
	join(spawn(inherits, memory));
	CHECK(data_pages() == 0);
}

static void populate(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(700 * PAGE);
	CHECK(pet_populate(memory + 100 * PAGE + 7, 3 * PAGE) == 0);
	CHECK(data_pages() == 4);
	CHECK(pet_populate(memory, 700 * PAGE) == 0);
	CHECK(data_pages() == 700);
	CHECK(pet_populate(memory, 701 * PAGE) < 0 && errno == EFAULT);
	CHECK(pet_populate(memory - 1, 1) < 0 && errno == EFAULT);
	CHECK(pet_populate(memory, SIZE_MAX) < 0 && errno == EFAULT);
	CHECK(pet_populate(memory, 0) == 0);
	CHECK(is_zero(memory, 700 * PAGE));
}

static void populate_always(void)
{
	size_t before;

	connect_petmem();
	pet_populate_always(1);
	must_malloc(600 * PAGE);
	CHECK(data_pages() == 600);
	before = pool_status().free_pages;
	errno = 0;
	CHECK(pet_malloc((before + 1) * PAGE) == NULL && errno == ENOMEM);
	CHECK(pool_status().free_pages == before);
	pet_populate_always(0);
	must_malloc((before + 1) * PAGE);
	CHECK(pool_status().free_pages == before);
}

static const struct guest_case cases[] = {
	{ "a fault maps its neighbours", around },
	{ "at most a table's worth, and no other range's",
	  around_within_a_table },
	{ "neighbours when the pool ends", around_the_last_page },
	{ "how many neighbours: bad numbers", bad_around },
	{ "a child of fork does as its parent", around_in_a_child },
	{ "pet_populate", populate },
	{ "allocations that are mapped at once", populate_always },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
