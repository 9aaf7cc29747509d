// SPDX-License-Identifier: GPL-2.0
/* guards.c - pages that cannot be touched, between allocations. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest.h"

/* Check the guard behind an allocation. */
static void check_guard(char *guard)
{
	CHECK(faults(guard, READ));
	CHECK(faults(guard, WRITE));
	CHECK(faults(guard + PAGE - 1, READ));
}

static void check_guard_of(void *argument)
{
	check_guard(argument);
}

static void between_allocations(void)
{
	char *first, *second;

	connect_petmem();
	pet_guard(1);
	first = must_malloc(2 * PAGE);
	second = must_malloc(100);
	CHECK(second == first + 3 * PAGE);
	fill(first, 2 * PAGE, 1);
	fill(second, PAGE, 2);
	check_guard(first + 2 * PAGE);
	check_guard(second + PAGE);
	join(spawn(check_guard_of, first + 2 * PAGE));
	CHECK(holds(first, 2 * PAGE, 1) && holds(second, PAGE, 2));
	/* No memory stands behind a guard. */
	CHECK(pool_status().data_pages == 3);
}

static void overrun(void *argument)
{
	volatile char *memory = argument;

	for (size_t i = 0; i < 2 * PAGE; i++)
		memory[i] = 1;
}

static void overrun_dies(void)
{
	char *first, *second;

	CHECK(init_petmem() == 0);
	first = must_malloc(PAGE);
	second = must_malloc(PAGE);
	/* Without guards nothing stops the overrun. */
	CHECK(second == first + PAGE);
	join(spawn(overrun, first));
	pet_free(first);
	pet_free(second);
	pet_guard(1);
	first = must_malloc(PAGE);
	second = must_malloc(PAGE);
	CHECK(dies_by(SIGSEGV, overrun, first));
	CHECK(dies_by(SIGSEGV, overrun, second));
}

static void by_environment(void)
{
	char *memory;

	CHECK(setenv("PETMEM_GUARD", "1", 1) == 0);
	connect_petmem();
	memory = must_malloc(PAGE);
	CHECK(must_malloc(PAGE) == memory + 2 * PAGE);
	check_guard(memory + PAGE);
	pet_guard(0);
	CHECK(must_malloc(PAGE) == memory + 4 * PAGE);
	CHECK(must_malloc(PAGE) == memory + 5 * PAGE);
	/* An allocation that was made with a guard keeps it. */
	check_guard(memory + PAGE);
}

static void calls_on_guards(void)
{
	struct petmem_query query;
	struct petmem_fault fault;
	int device = open_device();
	char *memory;

	connect_petmem();
	pet_guard(1);
	memory = must_malloc(2 * PAGE);
	query = (struct petmem_query){ .addr = (uintptr_t)memory + PAGE };
	CHECK(ioctl(device, PETMEM_IOC_QUERY, &query) == 0);
	CHECK(query.addr == (uintptr_t)memory && query.size == 2 * PAGE);
	query.addr = (uintptr_t)memory + 2 * PAGE;
	CHECK(ioctl(device, PETMEM_IOC_QUERY, &query) == -1 && errno == ENOENT);
	fault = (struct petmem_fault){ .addr = (uintptr_t)memory + 2 * PAGE };
	CHECK(ioctl(device, PETMEM_IOC_FAULT, &fault) == -1 && errno == EFAULT);
	CHECK(pet_populate(memory, 2 * PAGE + 1) == -1 && errno == EFAULT);
	CHECK(pet_populate(memory + 2 * PAGE, 1) == -1 && errno == EFAULT);
	CHECK(pool_status().data_pages == 0);
	CHECK(pet_populate(memory, 2 * PAGE) == 0);
}

static void freeing(void)
{
	char *first, *second;

	connect_petmem();
	pet_guard(1);
	first = must_malloc(PAGE);
	second = must_malloc(PAGE);
	fill(first, PAGE, 1);
	fill(second, PAGE, 2);
	pet_free(first);
	CHECK(faults(first, READ));
	CHECK(holds(second, PAGE, 2));
	/* The guard is free, too. */
	pet_guard(0);
	CHECK(must_malloc(2 * PAGE) == first);
	CHECK(is_zero(first, 2 * PAGE));
	pet_free(second);
	pet_free(first);
	CHECK(must_malloc(PETMEM_REGION_SIZE) == REGION);
}

static void resizing(void)
{
	char *memory, *grown;

	connect_petmem();
	pet_guard(1);
	memory = must_malloc(2 * PAGE);
	fill(memory, 2 * PAGE, 3);
	CHECK(pet_realloc(memory, PAGE + 1) == memory);
	grown = pet_realloc(memory, 2 * PAGE + 1);
	CHECK(grown == memory + 3 * PAGE && holds(grown, 2 * PAGE, 3));
	CHECK(is_zero(grown + 2 * PAGE, PAGE));
	check_guard(grown + 3 * PAGE);
	CHECK(faults(memory, READ));
	memory = pet_aligned_alloc(2 * MIB, PAGE);
	CHECK(memory != NULL && (uintptr_t)memory % (2 * MIB) == 0);
	check_guard(memory + PAGE);
	errno = 0;
	CHECK(pet_malloc(PETMEM_REGION_SIZE) == NULL && errno == ENOMEM);
}

static const struct guest_case cases[] = {
	{ "a guard behind each allocation, in parent and child",
	  between_allocations },
	{ "an overrun dies at once", overrun_dies },
	{ "PETMEM_GUARD=1 in the environment", by_environment },
	{ "query, fault and populate at a guard", calls_on_guards },
	{ "pet_free with guards", freeing },
	{ "pet_realloc and pet_aligned_alloc with guards", resizing },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
