// SPDX-License-Identifier: GPL-2.0
/* pressure.c - what happens when the pool has just so many pages left. */
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

/* A first touch takes a page, and three tables: PTE, PMD and PUD, new or copied. */
#define FIRST_TOUCH 4

/* Ask for a page as the harness does; the result is errno. */
static int fault_in(int device, void *address)
{
	struct petmem_fault fault = {
		.addr = (uintptr_t)address,
		.error_code = PETMEM_FAULT_WRITE | PETMEM_FAULT_USER,
	};

	return ioctl(device, PETMEM_IOC_FAULT, &fault) ? errno : 0;
}

static void first_touch(void *argument)
{
	size_t left = *(size_t *)argument;
	int device = open_device();
	char *memory;
	int error;

	CHECK(init_petmem() == 0);
	memory = must_malloc(PAGE);
	error = fault_in(device, memory);
	if (left < FIRST_TOUCH) {
		CHECK(error == ENOMEM);
		CHECK(pool_status().free_pages == left);
	} else {
		CHECK(error == 0);
		CHECK(pool_status().free_pages == left - FIRST_TOUCH);
	}
}

/* Each count of free pages, from many down to none. */
static void each_step(void)
{
	size_t spare = 1;

	connect_petmem();
	leave_free(FIRST_TOUCH);
	for (size_t left = FIRST_TOUCH;; left--) {
		join(spawn(first_touch, &left));
		CHECK(pool_status().free_pages == left);
		if (left == 0)
			break;
		/* The table of the range's first pages is there: no more than a page. */
		REGION[spare++ * PAGE] = 1;
		CHECK(pool_status().free_pages == left - 1);
	}
}

/* The pages that are freed at a time, and how often. */
#define PAGES ((size_t)256)
#define ROUNDS 100
/* What the next owner has at most, and how often it looks at it. */
#define OWNED ((size_t)8)
#define LOOKS 20
/* The tables of a process whose pages are close together. */
#define TABLES ((size_t)3)

static atomic_bool stop;
static atomic_uint passes;
static sigjmp_buf escape;

static void try_again(int signal)
{
	(void)signal;
	siglongjmp(escape, 1);
}

/* Write to all pages for ever, whether they are there or not. */
static void *write_always(void *argument)
{
	volatile unsigned char *memory = argument;

	CHECK(run_on_cpu(1));
	sigsetjmp(escape, 1);
	while (!atomic_load(&stop)) {
		for (size_t page = 0; page < PAGES; page++)
			memory[page * PAGE] = 0xff;
		atomic_fetch_add(&passes, 1);
	}
	return NULL;
}

/*
 * The old owner: gets all pages that are left, and frees them when the processor of
 * the writing thread knows them all.
 */
static void own_and_free(void *argument)
{
	struct sigaction action = {
		.sa_handler = try_again,
		.sa_flags = SA_NODEFER,
	};
	int device = open_device();
	pthread_t writer;
	unsigned int seen;
	char *memory;

	(void)argument;
	CHECK(run_on_cpu(0));
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	CHECK(init_petmem() == 0);
	CHECK(pthread_create(&writer, NULL, write_always, REGION) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		memory = must_malloc(PAGES * PAGE);
		CHECK(memory == REGION);
		for (size_t page = 0; page < PAGES; page++)
			while (fault_in(device, memory + page * PAGE))
				;
		seen = atomic_load(&passes);
		while (atomic_load(&passes) - seen < 3)
			;
		pet_free(memory);
	}
	atomic_store(&stop, true);
	CHECK(pthread_join(writer, NULL) == 0);
}

/* The next owner: takes what comes free. Nobody may write to that. */
static void look(void *argument)
{
	atomic_bool *done = argument;
	int device = open_device();
	char *memory;

	CHECK(run_on_cpu(2));
	CHECK(init_petmem() == 0);
	*(char *)must_malloc(PAGE) = 1; /* keeps the tables */
	while (!atomic_load(done)) {
		size_t owned = 0;

		memory = must_malloc(OWNED * PAGE);
		while (owned < OWNED &&
		       fault_in(device, memory + owned * PAGE) == 0)
			owned++;
		for (int i = 0; i < LOOKS; i++)
			for (size_t page = 0; page < owned; page++)
				CHECK(*(volatile char *)(memory +
							 page * PAGE) == 0);
		pet_free(memory);
	}
}

static void next_owner(void)
{
	atomic_bool *done;
	pid_t old, next;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 3)
		skip_case("needs 3 processors");
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(done != MAP_FAILED);
	connect_petmem();
	leave_free(PAGES + TABLES + 1 + TABLES);
	next = spawn(look, done);
	old = spawn(own_and_free, NULL);
	join(old);
	atomic_store(done, true);
	join(next);
}

static const struct guest_case cases[] = {
	{ "a first touch with 0 to 4 free pages", each_step },
	{ "pages freed under a writer reach their next owner clean",
	  next_owner },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
