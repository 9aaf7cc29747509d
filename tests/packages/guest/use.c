// SPDX-License-Identifier: GPL-2.0
/* use.c - a program that uses the installed library, and then waits if told to. */

#include <err.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define SIZE (1 << 20)

int main(int argc, char **argv)
{
	char *p;
	int i;

	if (init_petmem())
		err(1, "petmem");
	p = pet_malloc(SIZE);
	if (!p)
		err(1, "pet_malloc");
	for (i = 0; i < SIZE; i++)
		if (p[i])
			errx(1, "byte %d is not zero", i);
	memset(p, 1, SIZE);
	if (argc > 1 && !strcmp(argv[1], "wait"))
		pause();
	pet_free(p);
	return 0;
}
