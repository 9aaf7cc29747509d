// SPDX-License-Identifier: GPL-2.0
/* pool.c - all of the pool: running out of pages, and their old contents. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest.h"

/*
 * Touch pages of @memory, which is larger than the pool, until none is left. Returns
 * their number.
 */
static size_t touch_all(char *memory)
{
	size_t pages = 0;

	take_most(memory);
	while (!faults(memory + pages * PAGE, WRITE)) {
		*(size_t *)(memory + pages * PAGE) = pages + 1;
		pages++;
	}
	return pages;
}

static char *twice_the_pool(void)
{
	struct petmem_status status = pool_status();

	CHECK(status.free_pages > 0);
	return must_malloc(2 * status.total_pages * PAGE);
}

static void one_page_more(void)
{
	struct petmem_status before = pool_status(), full;
	size_t pages;
	char *p;

	connect_petmem();
	p = twice_the_pool();
	pages = touch_all(p);
	full = pool_status();
	/* The last pages may be too few for a page and its tables. */
	CHECK(full.free_pages <= 2);
	CHECK(full.data_pages == before.data_pages + pages);
	CHECK(full.table_pages + full.data_pages + full.free_pages ==
	      full.total_pages);
	for (size_t i = 0; i < pages; i++)
		CHECK(*(size_t *)(p + i * PAGE) == i + 1);
	CHECK(faults(p + pages * PAGE, READ));
	pet_free(p);
	CHECK(pool_status().data_pages == before.data_pages);
	p = must_malloc(PAGE);
	CHECK(!faults(p, WRITE));
}

/* Pages that another processor has given back, and keeps in its list, are found. */
static void other_processors(void)
{
	enum { FEW = 40 };
	char *p, *few;

	connect_petmem();
	set_clearing(false);
	p = twice_the_pool();
	few = must_malloc(FEW * PAGE);
	run_on_cpu(1);
	for (size_t i = 0; i < FEW; i++)
		few[i * PAGE] = 1;
	pet_free(few);
	run_on_cpu(0);
	touch_all(p);
	CHECK(pool_status().free_pages <= 2);
	set_clearing(true);
}

static void touch_one_page(void *argument)
{
	(void)argument;
	CHECK(init_petmem() == 0);
	*(volatile char *)must_malloc(PAGE) = 1;
}

static void others_go_on(void)
{
	size_t pages;
	char *p, *fresh;

	connect_petmem();
	p = twice_the_pool();
	pages = touch_all(p);
	/* A process without a page dies of its own touch. */
	CHECK(dies_by(SIGSEGV, touch_one_page, NULL));
	for (size_t i = 0; i < pages; i++)
		CHECK(*(size_t *)(p + i * PAGE) == i + 1);
	/* Virtual memory is still available, and physical memory after a free. */
	fresh = must_malloc(PAGE);
	CHECK(faults(fresh, READ));
	pet_free(p);
	CHECK(!faults(fresh, READ));
	CHECK(is_zero(fresh, PAGE));
	join(spawn(touch_one_page, NULL));
}

static const uint64_t secret = 0x5ec2e75ec2e7;

static size_t keep_secrets(void)
{
	size_t pages;
	char *p;

	connect_petmem();
	p = twice_the_pool();
	pages = touch_all(p);
	for (size_t i = 0; i < pages; i++)
		fill(p + i * PAGE, PAGE, secret);
	return pages;
}

static void exit_with_secrets(void *argument)
{
	(void)argument;
	CHECK(keep_secrets() > 0);
}

static void die_with_secrets(void *argument)
{
	(void)argument;
	CHECK(keep_secrets() > 0);
	kill(getpid(), SIGKILL);
}

static void look_for_secrets(void *argument)
{
	size_t pages = 0;
	char *p;

	(void)argument;
	connect_petmem();
	p = twice_the_pool();
	take_most(p);
	while (!faults(p + pages * PAGE, READ)) {
		CHECK(is_zero(p + pages * PAGE, PAGE));
		pages++;
	}
	CHECK(pages > pool_status().total_pages / 2);
}

static void secrets(void)
{
	join(spawn(exit_with_secrets, NULL));
	join(spawn(look_for_secrets, NULL));
	CHECK(dies_by(SIGKILL, die_with_secrets, NULL));
	join(spawn(look_for_secrets, NULL));
}

/* Memory that is freed and allocated again by the same process is zero, too. */
static void own_secrets(void)
{
	char *p;

	connect_petmem();
	p = must_malloc(4 * MIB);
	fill(p, 4 * MIB, secret);
	pet_free(p);
	CHECK(pet_malloc(4 * MIB) == p);
	CHECK(is_zero(p, 4 * MIB));
}

static const struct guest_case cases[] = {
	{ "as many pages as the pool holds, and one more", one_page_more },
	{ "pages that another processor gave back", other_processors },
	{ "with the pool empty, the others go on", others_go_on },
	{ "no process sees another's bytes", secrets },
	{ "a page freed and had again is zero", own_secrets },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
