// SPDX-License-Identifier: GPL-2.0
/*
 * string.c - bytes and strings. gcc itself calls memset, memmove, memcpy and
 * memcmp.
 */
#include "types.h"
#include "mmu.h"
#include "defs.h"

void *memset(void *dst, int byte, uint n)
{
	void *to = dst;

	asm volatile("cld; rep stosb"
		     : "+D"(to), "+c"(n)
		     : "a"(byte)
		     : "memory");
	return dst;
}

/* The two may overlap. */
void *memmove(void *dst, const void *src, uint n)
{
	char *to = dst;
	const char *from = src;

	if (from < to && to < from + n) {
		while (n-- > 0)
			to[n] = from[n];
		return dst;
	}
	asm volatile("cld; rep movsb"
		     : "+D"(to), "+S"(from), "+c"(n)
		     :
		     : "memory");
	return dst;
}

void *memcpy(void *dst, const void *src, uint n)
{
	return memmove(dst, src, n);
}

int memcmp(const void *a, const void *b, uint n)
{
	const uchar *x = a, *y = b;

	for (uint i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

/* Whole pages at once: four bytes per step. */
void page_fill(void *page, uint word)
{
	uint words = PGSIZE / sizeof(word);

	asm volatile("cld; rep stosl"
		     : "+D"(page), "+c"(words)
		     : "a"(word)
		     : "memory");
}

void page_copy(void *dst, const void *src)
{
	uint words = PGSIZE / sizeof(uint);

	asm volatile("cld; rep movsl"
		     : "+D"(dst), "+S"(src), "+c"(words)
		     :
		     : "memory");
}

uint strlen(const char *s)
{
	uint n = 0;

	while (s[n])
		n++;
	return n;
}

/* Compare at most @n characters; 0 if they are equal. */
int strncmp(const char *a, const char *b, uint n)
{
	for (; n > 0; n--, a++, b++)
		if (*a != *b || !*a)
			return (uchar)*a - (uchar)*b;
	return 0;
}

/* Copy what fits into @size bytes; dst always ends in a zero. */
char *strlcpy(char *dst, const char *src, uint size)
{
	uint i;

	for (i = 0; i + 1 < size && src[i]; i++)
		dst[i] = src[i];
	dst[i] = 0;
	return dst;
}
