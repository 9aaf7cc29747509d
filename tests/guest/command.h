/* SPDX-License-Identifier: GPL-2.0 */
/* command.h - run a command in the guest, and read its output. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define OUTPUT_MAX ((size_t)1 << 20)

static char output[OUTPUT_MAX];

/* Run a command, which has to end with @status; its output is in `output'. */
__attribute__((format(printf, 2, 3))) static void run(int status,
						      const char *format, ...)
{
	char command[256];
	va_list arguments;
	size_t length;
	FILE *pipe;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	pipe = popen(command, "r");
	CHECK(pipe != NULL);
	length = fread(output, 1, sizeof(output) - 1, pipe);
	output[length] = '\0';
	if (pclose(pipe) != status << 8) {
		printf("# %s: %s\n", command, output);
		CHECK(!"the status that was expected");
	}
}

static bool says(const char *text)
{
	if (strstr(output, text) != NULL)
		return true;
	for (char *line = strtok(output, "\n"); line; line = strtok(NULL, "\n"))
		printf("# | %s\n", line);
	printf("# does not say: %s\n", text);
	return false;
}

#endif /* COMMAND_H */
