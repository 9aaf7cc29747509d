// SPDX-License-Identifier: GPL-2.0 OR MIT
/* proc.c - what /proc knows about processes. */

#define _GNU_SOURCE /* reallocarray */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"

void proc_name(unsigned int pid, char name[PROC_NAME_MAX])
{
	char path[PROC_NAME_MAX];
	char *character;
	FILE *file;

	strcpy(name, "?");
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (!fgets(name, PROC_NAME_MAX, file))
		strcpy(name, "?");
	fclose(file);
	name[strcspn(name, "\n")] = '\0';
	for (character = name; *character; character++)
		if (!isprint((unsigned char)*character))
			*character = '.';
}

static int read_list(DIR *directory, unsigned int **pids, size_t *count)
{
	const struct dirent *entry;
	unsigned int *longer;

	while ((entry = readdir(directory))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		longer = reallocarray(*pids, *count + 1, sizeof(**pids));
		if (!longer)
			return -ENOMEM;
		*pids = longer;
		longer[(*count)++] = strtoul(entry->d_name, NULL, 10);
	}
	return 0;
}

int proc_list(unsigned int **pids, size_t *count)
{
	DIR *directory = opendir("/proc");
	int err;

	*pids = NULL;
	*count = 0;
	if (!directory)
		return -errno;
	err = read_list(directory, pids, count);
	closedir(directory);
	if (err)
		free(*pids);
	return err;
}
