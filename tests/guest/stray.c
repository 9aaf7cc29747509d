// SPDX-License-Identifier: GPL-2.0
/* stray.c - a wrong access kills, as it does without petmem. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/* Not canonical: no address with these bits can be mapped. */
#define NOT_CANONICAL ((char *)0x8000000000000000)
#define RET_INSTRUCTION 0xc3

/*
 * Mistakes of a process that has petmem and no handler of its own. @argument is the
 * address at which to make them.
 */
static void read_at(void *argument)
{
	CHECK(init_petmem() == 0);
	fill(must_malloc(2 * PAGE), 2 * PAGE, 1);
	(void)*(volatile char *)argument;
}

static void write_at(void *argument)
{
	CHECK(init_petmem() == 0);
	fill(must_malloc(2 * PAGE), 2 * PAGE, 1);
	*(volatile char *)argument = 1;
}

static void overrun_heap(void *argument)
{
	char *p = malloc(100);

	(void)argument;
	CHECK(init_petmem() == 0);
	CHECK(p != NULL);
	for (size_t i = 0;; i++)
		((volatile char *)p)[i] = 1;
}

static void overrun_petmem(void *argument)
{
	char *p;

	(void)argument;
	CHECK(init_petmem() == 0);
	p = must_malloc(100);
	for (size_t i = 0;; i++)
		((volatile char *)p)[i] = 1;
}

static void jump_into_data(void *argument)
{
	void (*code)(void) = argument;

	CHECK(init_petmem() == 0);
	memset(must_malloc(PAGE), RET_INSTRUCTION, PAGE);
	code();
}

static void jump_into_untouched(void *argument)
{
	void (*code)(void) = argument;

	CHECK(init_petmem() == 0);
	must_malloc(PAGE);
	code();
}

static void in_no_allocation(void)
{
	CHECK(dies_by(SIGSEGV, read_at, REGION + 2 * PAGE));
	CHECK(dies_by(SIGSEGV, write_at, REGION + 2 * PAGE));
	CHECK(dies_by(SIGSEGV, read_at, REGION + PETMEM_REGION_SIZE / 2));
	CHECK(dies_by(SIGSEGV, read_at, REGION + PETMEM_REGION_SIZE - 1));
	CHECK(dies_by(SIGSEGV, overrun_petmem, NULL));
}

static void outside_the_region(void)
{
	CHECK(dies_by(SIGSEGV, read_at, NULL));
	CHECK(dies_by(SIGSEGV, write_at, NULL));
	CHECK(dies_by(SIGSEGV, read_at, REGION - 1));
	CHECK(dies_by(SIGSEGV, read_at, REGION + PETMEM_REGION_SIZE));
	CHECK(dies_by(SIGSEGV, read_at, NOT_CANONICAL));
	CHECK(dies_by(SIGSEGV, overrun_heap, NULL));
}

/* faults() looks at the address that the signal gives. */
static void near_null_here(void *argument)
{
	static const size_t addresses[] = { 0, 1, 8, 4088, 0xfff0 };

	for (size_t i = 0; i < COUNT_OF(addresses); i++) {
		CHECK(faults((char *)addresses[i], READ));
		CHECK(faults((char *)addresses[i], WRITE));
		CHECK(faults((char *)addresses[i], FETCH));
	}
	(void)argument;
}

static void near_null(void)
{
	catch_faults();
	near_null_here(NULL);
	join(spawn(near_null_here, NULL));
	connect_petmem();
	near_null_here(NULL);
	fill(must_malloc(2 * PAGE), 2 * PAGE, 1);
	near_null_here(NULL);
	join(spawn(near_null_here, NULL));
	CHECK(holds(REGION, 2 * PAGE, 1));
}

static void touch(void *argument)
{
	*(volatile char *)argument = 1;
}

/* A stray touch without the harness, with it, and in a child with inherited memory. */
static void near_null_dies(void)
{
	CHECK(dies_by(SIGSEGV, touch, NULL));
	CHECK(dies_by(SIGSEGV, touch, (char *)8));
	CHECK(init_petmem() == 0);
	fill(must_malloc(2 * PAGE), 2 * PAGE, 1);
	CHECK(dies_by(SIGSEGV, touch, NULL));
	CHECK(dies_by(SIGSEGV, touch, (char *)8));
	join(spawn(touch, REGION));
	CHECK(holds(REGION, 2 * PAGE, 1));
}

static void right_access(void)
{
	join(spawn(read_at, REGION + 2 * PAGE - 1));
	join(spawn(write_at, REGION));
}

static void code_fetch(void)
{
	CHECK(dies_by(SIGSEGV, jump_into_data, REGION));
	CHECK(dies_by(SIGSEGV, jump_into_untouched, REGION));
	connect_petmem();
	memset(must_malloc(PAGE), RET_INSTRUCTION, PAGE);
	CHECK(faults(REGION, FETCH));
	CHECK(!faults(REGION, WRITE));
}

static const struct guest_case cases[] = {
	{ "the same accesses in an allocation are right", right_access },
	{ "inside the region, in no allocation", in_no_allocation },
	{ "outside the region: NULL, its edges, the heap", outside_the_region },
	{ "near NULL, in parent and child, with the right address", near_null },
	{ "near NULL kills, with and without the harness", near_null_dies },
	{ "petmem pages cannot be executed", code_fetch },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
