// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ulib.c - strings and memory, and the two library calls that wrap a system call.
 */
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "user.h"

uint strlen(const char *s)
{
	const char *end = s;

	while (*end)
		end++;
	return end - s;
}

char *strcpy(char *to, const char *from)
{
	memmove(to, from, strlen(from) + 1);
	return to;
}

int strcmp(const char *a, const char *b)
{
	uint i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	return (uchar)a[i] - (uchar)b[i];
}

/* The first @c in @s, or 0. The terminating NUL cannot be searched for. */
char *strchr(const char *s, char c)
{
	for (; *s; s++)
		if (*s == c)
			return (char *)s;
	return 0;
}

/* Decimal digits only, as far as they go. */
int atoi(const char *s)
{
	int n = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (*s - '0');
	return n;
}

void *memset(void *to, int byte, uint n)
{
	void *p = to;

	asm volatile("cld; rep stosb" : "+D"(p), "+c"(n) : "a"(byte) : "memory");
	return to;
}

/* The two areas may overlap. */
void *memmove(void *to, const void *from, int n)
{
	char *d = to;
	const char *s = from;

	if (n <= 0)
		return to;
	if (s < d && d < s + n) {
		while (n-- > 0)
			d[n] = s[n];
	} else {
		asm volatile("cld; rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
	}
	return to;
}

/*
 * One line from standard input, its newline included, cut after @size - 1
 * characters; the empty string at end of file.
 */
char *gets(char *buf, int size)
{
	int n = 0;

	while (n < size - 1 && read(0, &buf[n], 1) == 1) {
		char c = buf[n++];

		if (c == '\n' || c == '\r')
			break;
	}
	buf[n] = 0;
	return buf;
}

int stat(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY);
	int result;

	if (fd < 0)
		return -1;
	result = fstat(fd, st);
	close(fd);
	return result;
}
