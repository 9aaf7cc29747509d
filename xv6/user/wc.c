// SPDX-License-Identifier: GPL-2.0 OR MIT
/* wc [FILE...] : lines, words and bytes of each file, or of standard input. */
#include "types.h"
#include "fcntl.h"
#include "user.h"

static char buf[512];

static int is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void count(int fd, const char *name)
{
	int lines = 0, words = 0, bytes = 0;
	int inside = 0;		/* the last byte seen belongs to a word */
	int i, n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		bytes += n;
		for (i = 0; i < n; i++) {
			lines += buf[i] == '\n';
			words += !inside && !is_space(buf[i]);
			inside = !is_space(buf[i]);
		}
	}
	if (n < 0)
		printf(2, "wc: cannot read %s\n", name);
	else
		printf(1, "%d %d %d %s\n", lines, words, bytes, name);
}

int main(int argc, char *argv[])
{
	int i, fd;

	if (argc < 2)
		count(0, "");
	for (i = 1; i < argc; i++) {
		fd = open(argv[i], O_RDONLY);
		if (fd < 0) {
			printf(2, "wc: cannot open %s\n", argv[i]);
			continue;
		}
		count(fd, argv[i]);
		close(fd);
	}
	exit();
}
