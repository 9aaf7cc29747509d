// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * grep PATTERN [FILE...] : the lines that match.
 *
 * In a pattern ^ and $ stand for the ends of the line, . for any character, and
 * * after a character for any number of it.
 */
#include "types.h"
#include "fcntl.h"
#include "user.h"

#define LINE_SIZE 1024

static char line[LINE_SIZE];	/* longer lines are matched piece by piece */
static char buf[512];

static int fits(char pattern, char c)
{
	return c && (pattern == '.' || pattern == c);
}

/* Does @p match at the very beginning of @s? */
static int match_at(const char *p, const char *s)
{
	const char *longest;

	for (; *p && p[1] != '*'; p++, s++) {
		if (*p == '$' && !p[1])
			return !*s;
		if (!fits(*p, *s))
			return 0;
	}
	if (!*p)
		return 1;
	for (longest = s; fits(*p, *longest); longest++)
		;
	for (; longest >= s; longest--)
		if (match_at(p + 2, longest))
			return 1;
	return 0;
}

static int match(const char *p, const char *s)
{
	if (*p == '^')
		return match_at(p + 1, s);
	for (;; s++) {
		if (match_at(p, s))
			return 1;
		if (!*s)
			return 0;
	}
}

static void end_line(const char *pattern, int *used)
{
	line[*used] = 0;
	if (match(pattern, line))
		printf(1, "%s\n", line);
	*used = 0;
}

static void search(const char *pattern, int fd)
{
	int used = 0;
	int i, n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++) {
			if (buf[i] == '\n' || used == LINE_SIZE - 1)
				end_line(pattern, &used);
			if (buf[i] != '\n')
				line[used++] = buf[i];
		}
	}
	if (used > 0)
		end_line(pattern, &used);
}

int main(int argc, char *argv[])
{
	int i, fd;

	if (argc < 2) {
		printf(2, "usage: grep PATTERN [FILE...]\n");
		exit();
	}
	if (argc == 2)
		search(argv[1], 0);
	for (i = 2; i < argc; i++) {
		fd = open(argv[i], O_RDONLY);
		if (fd < 0) {
			printf(2, "grep: cannot open %s\n", argv[i]);
			continue;
		}
		search(argv[1], fd);
		close(fd);
	}
	exit();
}
