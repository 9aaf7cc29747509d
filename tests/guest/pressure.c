// SPDX-License-Identifier: GPL-2.0
/* pressure.c - faults and frees when the pool has too few pages. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

/* Ask for a page as the harness does; the result is errno. */
static int fault_in(int device, void *address)
{
	struct petmem_fault fault = {
		.addr = (uintptr_t)address,
		.error_code = PETMEM_FAULT_WRITE | PETMEM_FAULT_USER,
	};

	return ioctl(device, PETMEM_IOC_FAULT, &fault) ? errno : 0;
}

static size_t free_pages(void)
{
	return pool_status().free_pages;
}

/*
 * ---- A fault with too few free pages: each step of it fails once ----
 *
 * One process takes all of the pool, and leaves as many pages as it is told.
 */

/* A process's first touch takes a page and three tables. */
enum { FIRST_TOUCH = 4, FINISHED = FIRST_TOUCH + 1 };

/* It is told a number of pages to leave free, or to finish; it repeats that when done. */
struct holder {
	int told[2];
	int said[2];
};

/* The holder frees these pages and touches them again, beside one that stays. */
static char *spare[FIRST_TOUCH];
static size_t spares_free;

static void give_back_until(size_t left)
{
	while (spares_free < left)
		pet_free(spare[spares_free++]);
	while (spares_free > left) {
		char **page = &spare[--spares_free];

		*page = must_malloc(PAGE);
		**page = 1;
	}
	CHECK(free_pages() == left);
}

/* Take all pages of the pool, and number those of @memory. Returns how many these are. */
static size_t take_all(int device, size_t *memory)
{
	size_t stride = PAGE / sizeof(*memory), page;
	char *last = must_malloc(FIRST_TOUCH * PAGE);
	size_t most = take_most((char *)memory);

	for (page = 0; page < most; page++)
		memory[page * stride] = page;
	while (fault_in(device, &memory[page * stride]) == 0) {
		memory[page * stride] = page;
		page++;
	}
	/* The rest was too little for a page and its table. Here the table exists. */
	for (; free_pages() > 0; last += PAGE)
		*last = 1;
	return page;
}

/* Touch a page at a multiple of @align: this takes a page, and the missing tables. */
static void touch_by_steps(int device, size_t align, size_t needed)
{
	char *page = pet_aligned_alloc(align, PAGE);

	CHECK(page != NULL);
	for (size_t left = 0; left < needed; left++) {
		give_back_until(left);
		CHECK(fault_in(device, page) == ENOMEM);
		CHECK(free_pages() == left);
		CHECK(faults(page, WRITE));
		CHECK(free_pages() == left);
	}
	give_back_until(needed);
	CHECK(!faults(page, WRITE) && is_zero(page, PAGE));
	CHECK(free_pages() == 0);
	pet_free(page);
	CHECK(free_pages() == needed);
	give_back_until(0);
}

static void hold_all(void *argument)
{
	struct holder *holder = argument;
	size_t total = pool_status().total_pages, pages;
	int device = open_device();
	unsigned char left;
	size_t *memory;

	connect_petmem();
	for (size_t i = 0; i < FIRST_TOUCH; i++)
		*(spare[i] = must_malloc(PAGE)) = 1;
	*(char *)must_malloc(PAGE) = 1; /* stays */
	/* Keep this apart from all memory that has to take tables of its own. */
	memory = pet_aligned_alloc(4 * GIB, total * PAGE);
	CHECK(memory != NULL);
	pages = take_all(device, memory);
	touch_by_steps(device, PAGE, 1);
	touch_by_steps(device, 2 * MIB, 2);
	touch_by_steps(device, GIB, 3);
	for (;;) {
		CHECK(read(holder->told[0], &left, 1) == 1);
		if (left == FINISHED)
			break;
		give_back_until(left);
		CHECK(write(holder->said[1], &left, 1) == 1);
	}
	for (size_t page = 0; page < pages; page++)
		CHECK(memory[page * PAGE / sizeof(*memory)] == page);
}

/* A process without memory gets all the pages that it needs, or none. */
static void first_touch(void *argument)
{
	size_t left = (size_t)argument;
	int device = open_device();
	char *memory;

	CHECK(init_petmem() == 0);
	memory = must_malloc(PAGE);
	if (left < FIRST_TOUCH) {
		CHECK(fault_in(device, memory) == ENOMEM);
		CHECK(free_pages() == left);
		*memory = 1;
	} else {
		CHECK(fault_in(device, memory) == 0);
		CHECK(free_pages() == left - FIRST_TOUCH);
	}
}

static void each_step(void)
{
	struct holder holder;
	const unsigned char finished = FINISHED;
	unsigned char said;
	pid_t child;

	CHECK(pipe(holder.told) == 0 && pipe(holder.said) == 0);
	child = spawn(hold_all, &holder);
	/* Reading ends if the holder dies. */
	close(holder.said[1]);
	for (unsigned int left = 0; left <= FIRST_TOUCH; left++) {
		unsigned char word = left;

		CHECK(write(holder.told[1], &word, 1) == 1);
		CHECK(read(holder.said[0], &said, 1) == 1 && said == word);
		if (left < FIRST_TOUCH)
			CHECK(dies_by(SIGSEGV, first_touch,
				      (void *)(size_t)left));
		else
			join(spawn(first_touch, (void *)(size_t)left));
		CHECK(free_pages() == left);
	}
	CHECK(write(holder.told[1], &finished, 1) == 1);
	join(child);
}

/*
 * ---- The next owner of a page that is freed under a writer ----
 *
 * The old owner has all of the pool and frees it at once, which takes a while. Its
 * other thread keeps writing to the first and the last of those pages, so that its
 * processor remembers where they are. One of the two groups is freed before most other
 * pages. Each written page lies beside one that is kept, and cannot become a part of a
 * larger block. So the next owner gets these first, while the rest is still being freed.
 */
enum { ROUNDS = 3, WRITTEN = 32 };
/* The number of pages that the next owner takes: more than those. */
enum { TAKEN = 4 * WRITTEN };

enum way { BY_FREE, BY_MUNMAP };

/* Turns, as round numbers: the next owner is ready; the old one frees; it has freed. */
struct turns {
	enum way way; /* how the old owner frees */
	atomic_int ready;
	atomic_int begun;
	atomic_int done;
};

static size_t owned; /* pages, as many as the pool has */
static atomic_bool stop;
static atomic_uint passes;
static char *_Atomic written;
static sigjmp_buf escape;

static void wait_for(atomic_int *turn, int round)
{
	while (atomic_load(turn) < round)
		;
}

static void try_again(int signal)
{
	(void)signal;
	siglongjmp(escape, 1);
}

static char *written_page(char *memory, size_t i)
{
	return memory + (i < WRITTEN / 2 ? i : owned - WRITTEN + i) * PAGE;
}

/* Keep writing to the pages, whether they are there or not. */
static void *write_always(void *argument)
{
	CHECK(run_on_cpu(1));
	sigsetjmp(escape, 1);
	while (!atomic_load(&stop)) {
		char *memory = atomic_load(&written);

		for (size_t i = 0; i < WRITTEN; i++)
			*(volatile char *)written_page(memory, i) = 1;
		atomic_fetch_add(&passes, 1);
	}
	return argument;
}

/* Take all pages. Those that are written alternate with those of @kept. */
static char *own_all(int device, char *kept)
{
	char *memory = must_malloc(owned * PAGE);
	size_t page = WRITTEN / 2;

	for (size_t i = 0; i < WRITTEN; i++) {
		CHECK(fault_in(device, written_page(memory, i)) == 0);
		CHECK(fault_in(device, kept + i * PAGE) == 0);
	}
	while (fault_in(device, memory + page * PAGE) == 0)
		page++;
	return memory;
}

static void free_all(int device, struct turns *turns, int round)
{
	char *kept = must_malloc(WRITTEN * PAGE);
	char *memory = own_all(device, kept);
	unsigned int seen;

	atomic_store(&written, memory);
	seen = atomic_load(&passes);
	while (atomic_load(&passes) - seen < 3)
		;
	atomic_store(&turns->begun, round);
	if (turns->way == BY_FREE) {
		pet_free(memory);
		atomic_store(&turns->done, round);
		pet_free(kept);
	} else {
		CHECK(munmap(REGION, PETMEM_REGION_SIZE) == 0);
		atomic_store(&turns->done, round);
	}
}

static void own_and_free(void *argument)
{
	struct sigaction action = {
		.sa_handler = try_again,
		.sa_flags = SA_NODEFER,
	};
	struct turns *turns = argument;
	int device = open_device();
	pthread_t writer;

	CHECK(run_on_cpu(0));
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	CHECK(init_petmem() == 0);
	owned = pool_status().total_pages;
	atomic_store(&written, REGION);
	CHECK(pthread_create(&writer, NULL, write_always, NULL) == 0);
	for (int round = 1; round <= ROUNDS; round++) {
		wait_for(&turns->ready, round);
		free_all(device, turns, round);
	}
	atomic_store(&stop, true);
	CHECK(pthread_join(writer, NULL) == 0);
}

/* Take pages as they become free, and watch them until all are. Nobody may write there. */
static void take_and_look(int device, struct turns *turns, int round)
{
	char *memory = must_malloc(TAKEN * PAGE);
	size_t taken = 0;
	bool done;

	wait_for(&turns->begun, round);
	do {
		done = atomic_load(&turns->done) == round;
		while (taken < TAKEN &&
		       fault_in(device, memory + taken * PAGE) == 0)
			taken++;
		for (size_t page = 0; page < taken; page++)
			CHECK(*(volatile char *)(memory + page * PAGE) == 0);
	} while (!done);
	pet_free(memory);
}

static void next_owner(enum way way)
{
	struct turns *turns;
	int device = open_device();
	pid_t old;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 3)
		skip_case("needs 3 processors");
	turns = mmap(NULL, sizeof(*turns), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(turns != MAP_FAILED);
	turns->way = way;
	old = spawn(own_and_free, turns);
	CHECK(run_on_cpu(2));
	CHECK(init_petmem() == 0);
	*(char *)must_malloc(PAGE) = 1; /* keeps the tables */
	for (int round = 1; round <= ROUNDS; round++) {
		atomic_store(&turns->ready, round);
		take_and_look(device, turns, round);
	}
	join(old);
}

static void next_owner_after_free(void)
{
	next_owner(BY_FREE);
}

static void next_owner_after_munmap(void)
{
	next_owner(BY_MUNMAP);
}

/*
 * ---- Frees without a free page ----
 *
 * A process that is no relative has all of the pool; a relative shares all tables.
 */

static struct gate holder_begins, holder_has_all, others_end;

static void take_all_pages(void *argument)
{
	await(&holder_begins);
	connect_petmem();
	leave_free(0);
	pass(&holder_has_all);
	await(&others_end);
	(void)argument;
}

static void share_tables(void *argument)
{
	pass(&holder_begins);
	await(&others_end);
	(void)argument;
}

static uint64_t allocations(int device)
{
	struct petmem_process_info info = { .pid = 0 };

	CHECK(ioctl(device, PETMEM_IOC_PROCESS, &info) == 0);
	return info.allocations;
}

static void untouched_ranges(void)
{
	struct petmem_alloc alloc = { .size = PAGE,
				      .flags = PETMEM_ALLOC_POPULATE };
	int device = open_device();
	pid_t holder, relative;
	char *touched, *untouched;

	holder_begins = new_gate();
	holder_has_all = new_gate();
	others_end = new_gate();
	holder = spawn(take_all_pages, NULL);
	connect_petmem();
	touched = must_malloc(PAGE);
	*touched = 1;
	untouched = must_malloc(PAGE);
	relative = spawn(share_tables, NULL);
	await(&holder_has_all);

	/* The call fails for lack of a table of its own, and leaves nothing behind. */
	for (size_t i = 0; i < 3; i++) {
		CHECK(ioctl(device, PETMEM_IOC_ALLOC, &alloc) == -1 &&
		      errno == ENOMEM);
		CHECK(allocations(device) == 2);
	}
	pet_free(untouched);
	CHECK(allocations(device) == 1);
	/* Freeing touched memory takes tables of its own, or changes nothing. */
	errno = 0;
	pet_free(touched);
	CHECK(allocations(device) == 1 && *touched == 1);
	CHECK(free_pages() == 0);

	pass(&others_end);
	pass(&others_end);
	join(holder);
	join(relative);
	pet_free(touched);
	CHECK(allocations(device) == 0);
}

static const struct guest_case cases[] = {
	{ "each step of a fault finds the pool empty", each_step },
	{ "pages freed under a writer reach their next owner clean",
	  next_owner_after_free },
	{ "so do pages whose region is unmapped under a writer",
	  next_owner_after_munmap },
	{ "untouched memory is freed without taking a page", untouched_ranges },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
