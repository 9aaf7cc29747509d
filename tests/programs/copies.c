// SPDX-License-Identifier: GPL-2.0
/*
 * copies.c - a program with two copies of the library: one is compiled into it, and the
 * other one is loaded late. tests/programs/library and petmem-run run it, with the name of a case on the
 * command line. Ends with 0 when all is well.
 */
#include <dlfcn.h>
#include <err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../petmem.h"
#include "harness.h"

#define SIZE 8192
#define MUCH (1UL << 36)
#define FORKS 200
#define THREAD_FORKS 20
/* The exit status when a library cannot be loaded. */
#define NO_ROOM 3
/* Many times what a child takes that does not hang. */
#define SECONDS_TO_HANG 60

static struct {
	void *library;
	int (*init)(void);
	void *(*malloc)(size_t size);
	void (*free)(void *pointer);
	int (*large_pages)(int on);
} other;

static void check(bool ok, const char *what)
{
	if (!ok)
		err(EXIT_FAILURE, "%s", what);
}

static void load_other(void)
{
	other.library = dlopen("./libpetmem.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!other.library)
		errx(EXIT_FAILURE, "%s", dlerror());
	*(void **)&other.init = dlsym(other.library, "init_petmem");
	*(void **)&other.malloc = dlsym(other.library, "pet_malloc");
	*(void **)&other.free = dlsym(other.library, "pet_free");
	*(void **)&other.large_pages = dlsym(other.library, "pet_large_pages");
	check(other.init != init_petmem, "it is the same copy");
}

/* Each frees what the other one got. */
static void exchange(void)
{
	char *mine = pet_malloc(SIZE), *theirs = other.malloc(SIZE);

	check(mine && theirs, "no memory");
	memset(mine, 1, SIZE);
	memset(theirs, 2, SIZE);
	check(mine[SIZE - 1] == 1 && theirs[SIZE - 1] == 2, "the contents");
	other.free(mine);
	pet_free(theirs);
}

static void by_signal(void)
{
	check(!init_petmem(), "init_petmem()");
	load_other();
	check(!other.init(), "the other init_petmem()");
	exchange();
}

/* The second copy finds out which faults the process has. */
static void natively(void)
{
	check(!init_petmem_flags(PETMEM_NATIVE), "init_petmem_flags()");
	load_other();
	check(!other.init(), "the other init_petmem()");
	check(!other.large_pages(0), "the other pet_large_pages()");
	exchange();
}

/* The first copy is petmem-run's. */
static void heap(void)
{
	check(!init_petmem(), "init_petmem()");
	check(!pet_large_pages(1), "pet_large_pages()");
	load_other();
	check(!other.init(), "the other init_petmem()");
	exchange();
}

/* The handler stays when its library is closed. */
static void closes(void)
{
	char *memory;

	load_other();
	check(!other.init(), "the other init_petmem()");
	memory = other.malloc(SIZE);
	memory[0] = 1;
	check(!dlclose(other.library), "dlclose()");
	memory[SIZE - 1] = 1;
}

static atomic_bool connecting;

static void *connect_here(void *unused)
{
	connecting = true;
	init_petmem_flags(0);
	return unused;
}

/* A process that forks while its first thread connects. */
static void fork_meanwhile(void)
{
	pthread_t thread;
	int status;
	pid_t child;

	check(!pthread_create(&thread, NULL, connect_here, NULL), "a thread");
	while (!connecting)
		;
	child = fork();
	if (!child) {
		alarm(SECONDS_TO_HANG);
		_exit(init_petmem_flags(0) != 0);
	}
	check(waitpid(child, &status, 0) == child && !status, "a child failed");
	pthread_join(thread, NULL);
}

/* A child can connect, whatever another thread of its parent was doing. */
static void forks(void)
{
	int status, i;
	pid_t child;

	for (i = 0; i < FORKS; i++) {
		child = fork();
		if (!child) {
			fork_meanwhile();
			_exit(EXIT_SUCCESS);
		}
		check(waitpid(child, &status, 0) == child && !status,
		      "a process failed");
	}
}

static void *fork_here(void *unused)
{
	char *memory = pet_malloc(SIZE), *more;
	int status;
	pid_t child;

	check(memory, "no memory");
	memory[0] = 1;
	child = fork();
	if (!child) {
		alarm(SECONDS_TO_HANG);
		more = pet_malloc(SIZE);
		check(more && memory[0] == 1, "the child's memory");
		memory[0] = more[0] = memory[SIZE - 1] = 2;
		pet_free(more);
		_exit(EXIT_SUCCESS);
	}
	check(waitpid(child, &status, 0) == child && !status, "a child failed");
	check(memory[0] == 1 && memory[SIZE - 1] == 0, "the child wrote here");
	pet_free(memory);
	return unused;
}

/* The thread that forks is the only one of its child, and not the one that connected. */
static void thread_forks(void)
{
	pthread_t thread;
	int i;

	check(!init_petmem(), "init_petmem()");
	for (i = 0; i < THREAD_FORKS; i++) {
		check(!pthread_create(&thread, NULL, fork_here, NULL),
		      "a thread");
		pthread_join(thread, NULL);
	}
}

/*
 * petmem-run's library comes too late for the program's own heap. It works beside that one,
 * if the dynamic linker has room for its thread-local data.
 */
static void late_heap(void)
{
	char *before = strdup("before"), *text;
	void *(*get)(size_t size);
	void (*put)(void *pointer);
	void *library = dlopen("libpetmem-malloc.so", RTLD_NOW);

	if (!library)
		errx(NO_ROOM, "%s", dlerror());
	*(void **)&get = dlsym(library, "malloc");
	*(void **)&put = dlsym(library, "free");
	check(get != malloc, "it is the program's heap");
	text = get(SIZE);
	check((uintptr_t)text - PETMEM_REGION_START < PETMEM_REGION_SIZE,
	      "it is not petmem's");
	memset(text, 1, SIZE);
	put(text);
	put(before);
	free(strdup("after"));
	check(!dlclose(library), "dlclose()");
	put(get(1));
	free(malloc(1));
}

/* Take the pool's last page, and keep it until told to end. */
static void takes_all(void)
{
	char *memory;

	check(!init_petmem(), "init_petmem()");
	memory = pet_malloc(MUCH);
	check(memory, "no addresses");
	while (!pet_populate(memory, SIZE))
		memory += SIZE;
	puts("empty");
	fflush(stdout);
	getchar();
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "by-signal", by_signal }, { "natively", natively },
	{ "heap", heap },	    { "closes", closes },
	{ "forks", forks },	    { "thread-forks", thread_forks },
	{ "late-heap", late_heap }, { "takes-all", takes_all },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (argc == 2 && !strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return EXIT_SUCCESS;
		}
	errx(2, "no such case");
}
