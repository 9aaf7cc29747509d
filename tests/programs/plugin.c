// SPDX-License-Identifier: GPL-2.0
/*
 * plugin.c - a library that heap.c loads with RTLD_DEEPBIND, as PHP loads its extensions.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The program frees what the plugin made, and the other way round. */
char *plugin_make(void);
void plugin_take(char *text);
int plugin_both(void);

char *plugin_make(void)
{
	return strcpy(malloc(100), "text");
}

void plugin_take(char *text)
{
	free(text);
}

/* The C library makes it. */
int plugin_both(void)
{
	char *text;

	if (asprintf(&text, "%d", 7) != 1)
		return 0;
	text = realloc(text, 1000);
	if (!text || strcmp(text, "7"))
		return 0;
	free(text);
	return 1;
}
