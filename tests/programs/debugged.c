// SPDX-License-Identifier: GPL-2.0
/*
 * debugged.c - the program that tests/programs/gdb looks at, stops and changes.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define SIZE 8192
#define TOUCHED "touched by the program"
#define CHANGED 'T'
#define UNTOUCHED_BYTE 5000

static char *memory;

/* The debugger changes a byte that the program has written, and one that nobody has. */
__attribute__((noinline)) static void stop_here(void)
{
	__asm__ volatile("" ::: "memory");
}

int main(void)
{
	if (init_petmem())
		err(EXIT_FAILURE, "init_petmem");
	memory = pet_malloc(SIZE);
	if (!memory)
		err(EXIT_FAILURE, "pet_malloc");
	strcpy(memory, TOUCHED);
	stop_here();
	if (memory[0] != CHANGED || strcmp(memory + 1, TOUCHED + 1) != 0)
		errx(EXIT_FAILURE, "the touched page has \"%s\"", memory);
	if (memory[UNTOUCHED_BYTE] != CHANGED ||
	    memory[UNTOUCHED_BYTE + 1] != 0)
		errx(EXIT_FAILURE,
		     "the untouched page is not what it should be");
	return EXIT_SUCCESS;
}
