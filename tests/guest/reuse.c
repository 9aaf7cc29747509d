// SPDX-License-Identifier: GPL-2.0
/* reuse.c - a page has a new owner only when nobody can write to it any more. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

/* So many that to free them takes long enough for others to get some. */
#define PAGES ((size_t)512)
#define ROUNDS 150
/* How often the new owner looks at its pages, and how many it has at a time. */
#define LOOKS 50
#define OWNED ((size_t)16)

static atomic_bool stop;
static sigjmp_buf escape;

static void skip_page(int signal)
{
	(void)signal;
	siglongjmp(escape, 1);
}

/* Write to all pages for ever, whether they are there or not. */
static void *write_always(void *argument)
{
	volatile unsigned char *volatile page = argument;
	unsigned char *end = (unsigned char *)argument + PAGES * PAGE;

	CHECK(run_on_cpu(1));
	sigsetjmp(escape, 1);
	while (!atomic_load(&stop)) {
		for (page += PAGE; page < end; page += PAGE)
			page[0] = 0xff;
		page = argument;
	}
	return NULL;
}

/* The old owner: gets, touches and frees pages while a thread writes to them. */
static void own_and_free(void *argument)
{
	struct sigaction action = {
		.sa_handler = skip_page,
		.sa_flags = SA_NODEFER,
	};
	pthread_t writer;
	char *memory;

	(void)argument;
	CHECK(run_on_cpu(0));
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	CHECK(init_petmem() == 0);
	CHECK(pthread_create(&writer, NULL, write_always, REGION) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		memory = must_malloc(PAGES * PAGE);
		CHECK(memory == REGION);
		memset(memory, 1, PAGES * PAGE);
		pet_free(memory);
	}
	atomic_store(&stop, true);
	CHECK(pthread_join(writer, NULL) == 0);
}

/* The next owner: nobody may write to its pages. */
static void look(void *argument)
{
	atomic_bool *done = argument;
	char *memory;

	CHECK(run_on_cpu(2));
	CHECK(init_petmem() == 0);
	while (!atomic_load(done)) {
		memory = must_malloc(OWNED * PAGE);
		for (int i = 0; i < LOOKS; i++)
			for (size_t page = 0; page < OWNED; page++)
				CHECK(*(volatile char *)(memory + page * PAGE) == 0);
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
	next = spawn(look, done);
	old = spawn(own_and_free, NULL);
	join(old);
	atomic_store(done, true);
	join(next);
}

static const struct guest_case cases[] = {
	{ "pages freed under a writer reach their next owner clean", next_owner },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
