// SPDX-License-Identifier: GPL-2.0 OR MIT
/* picture.c - the contents of a picture of memory. */

#define _GNU_SOURCE /* vasprintf */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "picture_rows.h"

static const char *const names[PAINT_COUNT] = {
	[PAINT_DATA] = "data",
	[PAINT_SHARED] = "shared",
	[PAINT_LARGE] = "large page",
	[PAINT_TABLE] = "table",
	[PAINT_BAD] = "bad",
	[PAINT_FREE] = "free",
	[PAINT_UNTOUCHED] = "untouched",
	[PAINT_GUARD] = "guard",
	[PAINT_HOLE] = "nothing",
	[PAINT_POOL] = "petmem",
	[PAINT_LINUX] = "Linux",
	[PAINT_OFFLINE] = "offline",
};

struct picture *picture_new(const char *title)
{
	struct picture *picture = calloc(1, sizeof(*picture));

	if (!picture)
		return NULL;
	picture->title = strdup(title);
	if (!picture->title) {
		free(picture);
		return NULL;
	}
	return picture;
}

static void free_row(struct row *row)
{
	size_t i;

	for (i = 0; i < row->count; i++)
		free(row->segments[i].tip);
	free(row->segments);
	free(row->label);
	free(row->note);
}

void picture_free(struct picture *picture)
{
	size_t i;

	if (!picture)
		return;
	for (i = 0; i < picture->count; i++)
		free_row(&picture->rows[i]);
	free(picture->rows);
	free(picture->title);
	free(picture);
}

/* Make a new string. Without memory, returns NULL and fails the picture. */
__attribute__((format(printf, 2, 0))) static char *
text(struct picture *picture, const char *format, va_list arguments)
{
	char *result;

	if (vasprintf(&result, format, arguments) >= 0)
		return result;
	picture->failed = true;
	return NULL;
}

/* Grow an array by one. Without memory, returns NULL and fails the picture. */
static void *one_more(struct picture *picture, void *array, size_t count,
		      size_t size)
{
	void *longer = reallocarray(array, count + 1, size);

	if (!longer)
		picture->failed = true;
	return longer;
}

/* Add a row, which owns the label. Without memory, frees the label. */
static bool add_row(struct picture *picture, char *label, bool heading)
{
	struct row *rows =
		one_more(picture, picture->rows, picture->count, sizeof(*rows));

	if (!rows) {
		free(label);
		return false;
	}
	picture->rows = rows;
	rows[picture->count++] = (struct row){
		.label = label,
		.heading = heading,
	};
	return true;
}

void picture_heading(struct picture *picture, const char *format, ...)
{
	va_list arguments;

	if (!picture)
		return;
	va_start(arguments, format);
	add_row(picture, text(picture, format, arguments), true);
	va_end(arguments);
}

void picture_row(struct picture *picture, const char *format, ...)
{
	va_list arguments;

	if (!picture)
		return;
	va_start(arguments, format);
	add_row(picture, text(picture, format, arguments), false);
	va_end(arguments);
}

/* The row that is being drawn; NULL if there is no memory for one. */
static struct row *last_row(struct picture *picture)
{
	if (!picture->count && !add_row(picture, NULL, false))
		return NULL;
	return &picture->rows[picture->count - 1];
}

void picture_stretch(struct picture *picture)
{
	struct row *row = picture ? last_row(picture) : NULL;

	if (row)
		row->stretched = true;
}

void picture_segment(struct picture *picture, uint64_t size, enum paint paint,
		     const char *format, ...)
{
	struct row *row = picture ? last_row(picture) : NULL;
	struct segment *segments;
	va_list arguments;
	char *tip;

	if (!row || !size)
		return;
	segments =
		one_more(picture, row->segments, row->count, sizeof(*segments));
	if (!segments)
		return;
	va_start(arguments, format);
	tip = text(picture, format, arguments);
	va_end(arguments);
	row->segments = segments;
	segments[row->count++] = (struct segment){ size, paint, tip };
	row->size += size;
	picture->used[paint] = true;
}

void picture_note(struct picture *picture, const char *format, ...)
{
	struct row *row = picture ? last_row(picture) : NULL;
	va_list arguments;

	if (!row)
		return;
	free(row->note);
	va_start(arguments, format);
	row->note = text(picture, format, arguments);
	va_end(arguments);
}

const char *paint_name(enum paint paint)
{
	return names[paint];
}

bool paint_is_something(enum paint paint)
{
	return paint != PAINT_FREE && paint != PAINT_UNTOUCHED &&
	       paint != PAINT_HOLE;
}

bool picture_complete(const struct picture *picture)
{
	return picture && !picture->failed;
}

const char *row_label(const struct row *row)
{
	return row->label ? row->label : "";
}

const char *row_note(const struct row *row)
{
	return row->note ? row->note : "";
}

uint64_t picture_scale(const struct picture *picture, size_t i)
{
	uint64_t size = 1;

	if (picture->rows[i].stretched && picture->rows[i].size)
		return picture->rows[i].size;
	while (i > 0 && !picture->rows[i - 1].heading)
		i--;
	for (; i < picture->count && !picture->rows[i].heading; i++)
		if (!picture->rows[i].stretched && picture->rows[i].size > size)
			size = picture->rows[i].size;
	return size;
}

struct widths picture_widths(const struct picture *picture)
{
	struct widths widths = { 0 };
	const struct row *row;
	size_t i;

	for (i = 0; i < picture->count; i++) {
		row = &picture->rows[i];
		if (row->heading)
			continue;
		if (strlen(row_label(row)) > widths.label)
			widths.label = strlen(row_label(row));
		if (strlen(row_note(row)) > widths.note)
			widths.note = strlen(row_note(row));
	}
	return widths;
}
