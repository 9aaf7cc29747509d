// SPDX-License-Identifier: GPL-2.0
/*
 * first_touch.c - touch one page for the first time, with the kernel's gcov counting
 * nothing else. Afterwards the counts stand still: copies of gcov's files are mounted over
 * them.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
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

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT, 0644);
	static char buffer[1 << 16];
	ssize_t size;

	if (in < 0 || out < 0)
		err(EXIT_FAILURE, "%s", from);
	while ((size = read(in, buffer, sizeof(buffer))) > 0)
		if (write(out, buffer, size) != size)
			err(EXIT_FAILURE, "%s", to);
	close(in);
	close(out);
}

/* All go into one folder: the names of the module's files differ. */
static int copy_counts(const char *path, const struct stat *status, int type,
		       struct FTW *place)
{
	static char to[4096] = COPY "/";
	const char *name = path + place->base;

	(void)status;
	if (type != FTW_F || !strstr(name, ".gcda"))
		return 0;
	strcpy(to + sizeof(COPY), name);
	copy_file(path, to);
	return 0;
}

int main(void)
{
	volatile char *memory;

	if (mkdir(COPY, 0755) || init_petmem())
		err(EXIT_FAILURE, "petmem");
	memory = pet_malloc(1);
	if (!memory)
		err(EXIT_FAILURE, "pet_malloc");
	reset_counts();
	*memory = 1;
	if (nftw(COUNTS, copy_counts, 8, FTW_PHYS))
		err(EXIT_FAILURE, "the counts cannot be copied");
	if (mount(COPY, COUNTS, NULL, MS_BIND, NULL))
		err(EXIT_FAILURE, "mount");
	return 0;
}
