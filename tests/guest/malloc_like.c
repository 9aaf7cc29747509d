// SPDX-License-Identifier: GPL-2.0
/* malloc_like.c - the harness behaves like the C library. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static void before_init(void)
{
	errno = 0;
	CHECK(pet_malloc(1) == NULL && errno == ENODEV);
	CHECK(pet_calloc(1, 1) == NULL && errno == ENODEV);
	CHECK(pet_realloc(NULL, 1) == NULL && errno == ENODEV);
	CHECK(pet_aligned_alloc(8, 1) == NULL && errno == ENODEV);
	CHECK(pet_dump() == -1 && errno == ENODEV);
	CHECK(pet_invlpg(REGION) == -1 && errno == ENODEV);
	pet_free(NULL);
}

static void sizes(void)
{
	char *a, *b;

	connect_petmem();
	a = pet_malloc(0);
	b = pet_malloc(0);
	CHECK(a != NULL && b != NULL && a != b);
	pet_free(a);
	pet_free(b);
	errno = 0;
	CHECK(pet_malloc((size_t)PTRDIFF_MAX + 1) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(pet_malloc(SIZE_MAX) == NULL && errno == ENOMEM);
	errno = 0;
	CHECK(pet_malloc((size_t)1 << 60) == NULL && errno == ENOMEM);
	CHECK(pet_malloc(1) == REGION);
}

static void calloc_manners(void)
{
	char *p;

	connect_petmem();
	p = must_malloc(PAGE);
	fill(p, PAGE, 1);
	pet_free(p);
	CHECK(pet_calloc(64, 64) == p && is_zero(p, PAGE));
	errno = 0;
	CHECK(pet_calloc(SIZE_MAX / 2, 3) == NULL && errno == ENOMEM);
	errno = 0;
	/* The product is 0 when it is cut to 64 bits. */
	CHECK(pet_calloc((size_t)1 << 32, (size_t)1 << 32) == NULL &&
	      errno == ENOMEM);
	CHECK(pet_calloc(0, 5) != NULL);
}

static void realloc_manners(void)
{
	char *p, *grown;

	connect_petmem();
	p = pet_realloc(NULL, 3 * PAGE);
	CHECK(p == REGION);
	fill(p, 3 * PAGE, 1);
	CHECK(pet_realloc(p, 2 * PAGE + 1) == p); /* as many pages */
	grown = pet_realloc(p, 700 * PAGE);
	CHECK(grown != NULL && grown != p);
	CHECK(holds(grown, 3 * PAGE, 1));
	CHECK(is_zero(grown + 3 * PAGE, 697 * PAGE));
	CHECK(faults(p, READ)); /* the old place is free */
	p = pet_realloc(grown, PAGE);
	CHECK(p == REGION && holds(p, PAGE, 1));
	CHECK(faults(grown, READ));
	errno = 0;
	CHECK(pet_realloc(p, SIZE_MAX) == NULL && errno == ENOMEM);
	CHECK(pet_realloc(p, PETMEM_REGION_SIZE) == NULL && errno == ENOMEM);
	CHECK(holds(p, PAGE, 1));
	CHECK(pet_realloc(p, 0) == NULL);
	CHECK(faults(p, READ));
}

static void alignment(void)
{
	connect_petmem();
	must_malloc(PAGE);
	for (size_t align = 1; align <= 64 * GIB; align *= 2) {
		char *p = pet_aligned_alloc(align, PAGE);

		CHECK(p != NULL && (uintptr_t)p % align == 0);
		CHECK(!faults(p, WRITE));
		pet_free(p);
	}
	errno = 0;
	CHECK(pet_aligned_alloc(0, 1) == NULL && errno == EINVAL);
	errno = 0;
	CHECK(pet_aligned_alloc(24, 1) == NULL && errno == EINVAL);
	errno = 0;
	CHECK(pet_aligned_alloc((size_t)1 << 63, 1) == NULL && errno == ENOMEM);
}

static void errno_kept(void)
{
	char *p;

	connect_petmem();
	p = must_malloc(PAGE);
	errno = 1234;
	*p = 1; /* the first touch runs the handler */
	CHECK(errno == 1234);
	pet_free(p);
	CHECK(errno == 1234);
	pet_free(NULL);
	CHECK(errno == 1234);
}

/* ---- Wrong pointers, freed by a child with its stderr in a pipe ---- */

static int message_pipe[2];

static void redirect(void)
{
	CHECK(dup2(message_pipe[1], STDERR_FILENO) == STDERR_FILENO);
	CHECK(init_petmem() == 0);
}

static void free_wrong(void *argument)
{
	redirect();
	must_malloc(3 * PAGE);
	pet_free(argument);
}

static void realloc_wrong(void *argument)
{
	redirect();
	must_malloc(3 * PAGE);
	pet_realloc(argument, 5 * PAGE);
}

static void free_twice(void *argument)
{
	char *p;

	(void)argument;
	redirect();
	p = must_malloc(PAGE);
	pet_free(p);
	pet_free(p);
}

static bool aborts(void (*body)(void *argument), void *argument,
		   const char *message)
{
	char said[100] = "";
	bool aborted;

	CHECK(pipe(message_pipe) == 0);
	CHECK(fcntl(message_pipe[0], F_SETFL, O_NONBLOCK) == 0);
	aborted = dies_by(SIGABRT, body, argument);
	(void)!read(message_pipe[0], said, sizeof(said) - 1);
	close(message_pipe[0]);
	close(message_pipe[1]);
	return aborted && strcmp(said, message) == 0;
}

static void wrong_pointers(void)
{
	static char ours;
	void *wrong[] = { &ours,	 REGION + 1,
			  REGION + PAGE, REGION + 3 * PAGE,
			  REGION - PAGE, REGION + PETMEM_REGION_SIZE,
			  (void *)-PAGE };

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CHECK(aborts(free_wrong, wrong[i],
			     "pet_free(): invalid pointer\n"));
		CHECK(aborts(realloc_wrong, wrong[i],
			     "pet_realloc(): invalid pointer\n"));
	}
	CHECK(aborts(free_twice, NULL, "pet_free(): invalid pointer\n"));
}

static void small_things(void)
{
	char *p;

	connect_petmem();
	p = must_malloc(PAGE);
	*p = 5;
	CHECK(pet_invlpg(p) == 0 && *p == 5);
	errno = 0;
	CHECK(pet_invlpg(REGION - 1) == -1 && errno == EINVAL);
	CHECK(pet_dump() == 0 || errno == EAGAIN);
}

/* DUMP_RANGES in dump.c: more are not listed. */
enum { LISTED = 64 };

static void long_dump(void)
{
	int log;

	connect_petmem();
	for (int i = 0; i < LISTED; i++)
		must_malloc(PAGE);
	/* The rest of the region is one more. */
	log = open_log();
	CHECK(pet_dump() == 0);
	CHECK(messages(log, "petmem:   0x") == LISTED);
	close(log);
}

static const struct guest_case cases[] = {
	{ "before init_petmem", before_init },
	{ "sizes: 0, too large", sizes },
	{ "pet_calloc", calloc_manners },
	{ "pet_realloc", realloc_manners },
	{ "pet_aligned_alloc", alignment },
	{ "errno is kept", errno_kept },
	{ "wrong pointers abort with a message", wrong_pointers },
	{ "pet_invlpg and pet_dump", small_things },
	{ "pet_dump of more than it lists", long_dump },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
