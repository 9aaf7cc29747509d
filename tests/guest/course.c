// SPDX-License-Identifier: GPL-2.0
/*
 * course.c - what the programs of a course on virtual memory do: init_petmem(),
 * pet_malloc(), touch, pet_free(), and no other function of the harness.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define LISTED 33000
#define SMALL 10 /* bytes */

#define CHUNKS 5000
#define CHUNK ((size_t)32 << 10)

/* Pages of the pool that are left to tables, and to what others have. */
#define SPARE 1024

static char *pages[LISTED];

/* @count, or as many as the pool has room for: each takes @needs pages. */
static int that_fit(int count, size_t needs)
{
	size_t room = (pool_status().free_pages - SPARE) / needs;

	return room < (size_t)count ? (int)room : count;
}

static void addresses_only(void)
{
	char *a, *b, *c;

	CHECK(init_petmem() == 0);
	a = pet_malloc(3 * PAGE);
	b = pet_malloc(5 * PAGE);
	c = pet_malloc(2 * PAGE);
	CHECK(a && b == a + 3 * PAGE && c == b + 5 * PAGE);
	pet_free(b);
	CHECK(pet_malloc(2 * PAGE) == b);
	CHECK(pet_malloc(4 * PAGE) == c + 2 * PAGE);
	CHECK(pet_malloc(3 * PAGE) == b + 2 * PAGE);
	pet_free(a);
	CHECK(pet_malloc(PAGE + 1) == a);
	CHECK(pet_malloc(1) == a + 2 * PAGE);
}

/* Free neighbours in each order; the hole then has room for all of them together. */
static void neighbours_become_one(void)
{
	static const int orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }
	};

	CHECK(init_petmem() == 0);
	for (size_t i = 0; i < COUNT_OF(orders); i++) {
		char *p[3], *behind, *whole;

		for (int j = 0; j < 3; j++)
			p[j] = pet_malloc((j + 1) * PAGE);
		behind = pet_malloc(PAGE);
		for (int j = 0; j < 3; j++)
			pet_free(p[orders[i][j]]);
		whole = pet_malloc(6 * PAGE);
		CHECK(whole == p[0]);
		pet_free(whole);
		pet_free(behind);
	}
}

static void far_too_much(void)
{
	char *p, *q;

	CHECK(init_petmem() == 0);
	CHECK(!pet_malloc(100000000000000));
	/* Addresses are not memory: more than any pool holds, and more again. */
	p = pet_malloc((size_t)100 << 30);
	q = pet_malloc((size_t)100 << 30);
	CHECK(p && q == p + ((size_t)100 << 30));
}

static void a_string(void)
{
	char *p;

	CHECK(init_petmem() == 0);
	p = pet_malloc(2 * PAGE);
	CHECK(p);
	strcpy(p + 50, "hello, world");
	CHECK(strcmp(p + 50, "hello, world") == 0);
	CHECK(p[0] == 0 && p[PAGE] == 0);
	pet_free(p);
}

static void in_any_order(void)
{
	static const int order[] = { 3, 0, 4, 1, 2 };
	char *p[COUNT_OF(order)];

	CHECK(init_petmem() == 0);
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT_OF(order); i++) {
			p[i] = pet_malloc((i + 1) * PAGE);
			fill(p[i], (i + 1) * PAGE, i + round);
		}
		for (size_t i = 0; i < COUNT_OF(order); i++) {
			size_t j = order[i];

			CHECK(holds(p[j], (j + 1) * PAGE, j + round));
			pet_free(p[j]);
		}
	}
}

static void pages_513(void)
{
	char *p;

	CHECK(init_petmem() == 0);
	p = pet_malloc(513 * PAGE);
	for (size_t i = 0; i < 513; i++)
		p[i * PAGE] = i % 100 + 1;
	for (size_t i = 0; i < 513; i++)
		CHECK(p[i * PAGE] == (char)(i % 100 + 1));
	pet_free(p);
	p = pet_malloc(513 * PAGE);
	for (size_t i = 0; i < 513; i++)
		CHECK(p[i * PAGE] == 0);
}

static void chunks_of_32_kib(void)
{
	int chunks = that_fit(CHUNKS, CHUNK / PAGE);

	CHECK(init_petmem() == 0);
	for (int i = 0; i < chunks; i++) {
		pages[i] = pet_malloc(CHUNK);
		CHECK(pages[i]);
		memset(pages[i], i, CHUNK);
	}
	for (int i = 0; i < chunks; i++) {
		CHECK(pages[i][0] == (char)i && pages[i][CHUNK - 1] == (char)i);
		pet_free(pages[i]);
	}
}

static void ten_bytes(void)
{
	int listed = that_fit(LISTED, 1);

	CHECK(init_petmem() == 0);
	for (int i = 0; i < listed; i++) {
		pages[i] = pet_malloc(SMALL);
		CHECK(pages[i]);
		sprintf(pages[i], "%d", i);
	}
	for (int i = 0; i < listed; i++) {
		CHECK(atoi(pages[i]) == i);
		pet_free(pages[i]);
	}
}

static void use_after_fork(int me)
{
	char *p = pet_malloc(100 * PAGE);

	CHECK(p);
	fill(p, 100 * PAGE, me);
	CHECK(holds(p, 100 * PAGE, me));
	pet_free(p);
}

/* Two processes that each connect for themselves, at the same addresses. */
static void two_processes(void)
{
	pid_t child = fork();
	int status;

	CHECK(init_petmem() == 0);
	use_after_fork(child == 0);
	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* And two that share what was there before the fork. */
static void two_relatives(void)
{
	char *p;
	pid_t child;
	int status;

	CHECK(init_petmem() == 0);
	p = pet_malloc(10 * PAGE);
	fill(p, 10 * PAGE, 1);
	child = fork();
	if (child == 0) {
		CHECK(holds(p, 10 * PAGE, 1));
		fill(p, 10 * PAGE, 2);
		CHECK(holds(p, 10 * PAGE, 2));
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(holds(p, 10 * PAGE, 1));
	use_after_fork(0);
}

static void touch_stray(void *address)
{
	CHECK(init_petmem() == 0);
	*(volatile char *)address = 1;
}

static void stray_address(void)
{
	CHECK(dies_by(SIGSEGV, touch_stray, REGION + 5 * PAGE));
	CHECK(dies_by(SIGSEGV, touch_stray, NULL));
}

static void touch_freed(void *unused)
{
	char *p;

	(void)unused;
	CHECK(init_petmem() == 0);
	p = pet_malloc(PAGE);
	*p = 1;
	pet_free(p);
	*(volatile char *)p = 1;
}

static void freed_address(void)
{
	CHECK(dies_by(SIGSEGV, touch_freed, NULL));
}

static const struct guest_case cases[] = {
	{ "addresses alone, first fit", addresses_only },
	{ "neighbours become one hole, in each order", neighbours_become_one },
	{ "10^14 bytes, and more than there is", far_too_much },
	{ "a string in the first page", a_string },
	{ "five allocations, freed in any order", in_any_order },
	{ "513 pages", pages_513 },
	{ "5,000 times 32 KiB", chunks_of_32_kib },
	{ "33,000 times 10 bytes", ten_bytes },
	{ "two processes", two_processes },
	{ "two processes that share", two_relatives },
	{ "a stray address", stray_address },
	{ "an address that was freed", freed_address },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
