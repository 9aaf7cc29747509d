// SPDX-License-Identifier: GPL-2.0
/*
 * watched.c - a program with the library, compiled with a sanitizer or run by valgrind. It
 * does what the case on the command line says: nothing wrong, or one mistake.
 */
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define SIZE 100
#define ROUNDS 1000

static pthread_mutex_t *lock;
static int *counter;

static char *get_memory(void)
{
	char *memory = pet_malloc(SIZE);

	if (!memory)
		err(EXIT_FAILURE, "pet_malloc");
	memset(memory, 1, SIZE);
	return memory;
}

static void *count(void *with_lock)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (with_lock)
			pthread_mutex_lock(lock);
		++*counter;
		if (with_lock)
			pthread_mutex_unlock(lock);
	}
	return NULL;
}

/* The threads' lock is in petmem's memory, too. */
static void count_in_threads(void *with_lock)
{
	pthread_t thread[2];
	int i;

	lock = pet_calloc(1, sizeof(*lock));
	counter = pet_calloc(1, sizeof(*counter));
	if (!lock || !counter)
		err(EXIT_FAILURE, "pet_calloc");
	pthread_mutex_init(lock, NULL);
	for (i = 0; i < 2; i++)
		if (pthread_create(&thread[i], NULL, count, with_lock))
			errx(EXIT_FAILURE, "pthread_create");
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	printf("counted %d\n", *counter);
	pet_free(lock);
	pet_free(counter);
}

static void nothing(void)
{
	char *memory = get_memory();

	pet_free(memory);
	memory = get_memory(); /* at the same place */
	memory = pet_realloc(memory, SIZE / 2);
	memory = pet_realloc(memory, SIZE);
	memory = pet_realloc(memory, 100 * SIZE);
	memset(memory, 2, pet_usable_size(memory));
	pet_free(memory);
	count_in_threads(&lock);
}

static void overrun(void)
{
	volatile char *memory = get_memory();

	memory[SIZE] = 1;
}

static void after_free(void)
{
	volatile char *memory = get_memory(), *behind = get_memory();

	pet_free((void *)memory);
	behind[0] = memory[0];
}

static void race(void)
{
	count_in_threads(NULL);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "nothing", nothing },
	{ "overrun", overrun },
	{ "after-free", after_free },
	{ "race", race },
};

int main(int argc, char **argv)
{
	size_t i;

	if (init_petmem())
		err(EXIT_FAILURE, "init_petmem");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (argc == 2 && !strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return EXIT_SUCCESS;
		}
	errx(2, "no such case");
}
