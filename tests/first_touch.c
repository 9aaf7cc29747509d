// SPDX-License-Identifier: GPL-2.0
/*
 * first_touch.c - touch one page for the first time, with the kernel's gcov counting
 * nothing else. Afterwards the counts stand still: a copy of them takes the place of gcov's
 * files.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../user/harness.h"

#define COUNTS "/sys/kernel/debug/gcov"
#define COPY "/tmp/gcov"

static void reset_counts(void)
{
	int file = open(COUNTS "/reset", O_WRONLY);

	if (file < 0 || write(file, "1", 1) != 1)
		err(EXIT_FAILURE, COUNTS "/reset");
	close(file);
}

int main(void)
{
	volatile char *memory;

	if (init_petmem())
		err(EXIT_FAILURE, "petmem");
	memory = pet_malloc(1);
	if (!memory)
		err(EXIT_FAILURE, "pet_malloc");
	reset_counts();
	*memory = 1;
	/* system() shares this memory with the command, so petmem sees no fork. */
	if (system("mkdir -p " COPY " && cp -r " COUNTS "/. " COPY))
		errx(EXIT_FAILURE, "the counts cannot be copied");
	if (mount(COPY, COUNTS, NULL, MS_BIND, NULL))
		err(EXIT_FAILURE, "mount");
	return 0;
}
