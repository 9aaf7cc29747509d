// SPDX-License-Identifier: GPL-2.0 OR MIT
/* draw.c - put a picture where the command line wants it. */

#include <err.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "draw.h"
#include "picture_text.h"
#include "picture_web.h"

#define DEFAULT_COLUMNS 80
#define MAX_COLUMNS 1000

static unsigned int columns(void)
{
	const char *text = getenv("COLUMNS");
	struct winsize window;
	long value;

	if (isatty(STDOUT_FILENO) &&
	    !ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) && window.ws_col)
		return window.ws_col;
	value = text ? strtol(text, NULL, 10) : 0;
	return value > 0 && value <= MAX_COLUMNS ? value : DEFAULT_COLUMNS;
}

static enum text_style style(void)
{
	const char *no_color = getenv("NO_COLOR");

	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8"))
		return TEXT_ASCII;
	if (isatty(STDOUT_FILENO) && !(no_color && *no_color))
		return TEXT_COLOUR;
	return TEXT_PLAIN;
}

static bool draw_file(const struct picture *picture, const char *path,
		      bool (*put)(const struct picture *, FILE *))
{
	bool to_stdout = !strcmp(path, "-");
	FILE *file = to_stdout ? stdout : fopen(path, "we");
	bool good;

	if (!file) {
		warn("%s", path);
		return false;
	}
	good = put(picture, file) && !fflush(file);
	if (!to_stdout && fclose(file))
		good = false;
	if (!good)
		warn("%s", path);
	return good;
}

bool draw(const struct picture *picture, const struct drawing *drawing)
{
	if (drawing->svg && !draw_file(picture, drawing->svg, picture_svg))
		return false;
	if (drawing->html && !draw_file(picture, drawing->html, picture_html))
		return false;
	if (drawing->svg || drawing->html)
		return true;
	if (picture_text(picture, stdout, columns(), style()) &&
	    !fflush(stdout))
		return true;
	warn("standard output");
	return false;
}
