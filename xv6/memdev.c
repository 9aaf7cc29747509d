// SPDX-License-Identifier: GPL-2.0
/*
 * memdev.c - the device with major DEV_MEMORY: the first read() after open()
 * gives the number of free physical pages, in decimal, and a newline; the next
 * one is at the end. Tests use it to see that every page comes back.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "file.h"
#include "defs.h"

#define LONGEST	(sizeof("4294967295\n") - 1)

static int memory_read(char *dst, int n, uint offset)
{
	char text[LONGEST];
	uint pages = kpages_left();
	int start = sizeof(text), length;

	if (offset > 0)
		return 0;
	text[--start] = '\n';
	do {
		text[--start] = '0' + pages % 10;
		pages /= 10;
	} while (pages);
	length = sizeof(text) - start;
	if (length > n)
		length = n;
	memmove(dst, text + start, length);
	return length;
}

static int memory_write(const char *src, int n)
{
	(void)src;
	(void)n;
	return -1;
}

const struct device memory_device = {
	.most = LONGEST,
	.read = memory_read,
	.write = memory_write,
};
