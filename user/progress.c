// SPDX-License-Identifier: GPL-2.0 OR MIT
/* progress.c - a line on the terminal that is overwritten as the work proceeds. */

#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "progress.h"

#define LINE_MAX 128
#define DEFAULT_COLUMNS 80

/* Go to the beginning of the line; clear the rest of it. */
#define HOME "\r"
#define CLEAR "\033[K"

/* One less than the terminal has, to leave room for the cursor. */
static int columns(void)
{
	struct winsize window;

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_col)
		return window.ws_col - 1;
	return DEFAULT_COLUMNS - 1;
}

void progress_show(const char *format, ...)
{
	char line[LINE_MAX];
	va_list arguments;

	if (!isatty(STDERR_FILENO))
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	fprintf(stderr, HOME "%.*s" CLEAR, columns(), line);
	fflush(stderr);
}

void progress_clear(void)
{
	if (isatty(STDERR_FILENO))
		fputs(HOME CLEAR, stderr);
}
