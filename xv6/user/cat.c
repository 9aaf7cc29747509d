// SPDX-License-Identifier: GPL-2.0 OR MIT
/* cat [FILE...] : copy the files, or standard input, to standard output. */
#include "types.h"
#include "fcntl.h"
#include "user.h"

static char buf[512];

static void copy(int fd, const char *name)
{
	int n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (write(1, buf, n) != n) {
			printf(2, "cat: cannot write\n");
			exit();
		}
	}
	if (n < 0)
		printf(2, "cat: cannot read %s\n", name);
}

int main(int argc, char *argv[])
{
	int i, fd;

	if (argc < 2)
		copy(0, "standard input");
	for (i = 1; i < argc; i++) {
		fd = open(argv[i], O_RDONLY);
		if (fd < 0) {
			printf(2, "cat: cannot open %s\n", argv[i]);
			continue;
		}
		copy(fd, argv[i]);
		close(fd);
	}
	exit();
}
