// SPDX-License-Identifier: GPL-2.0 OR MIT
/* picture_text.c - write a picture for a terminal. */

#include <string.h>

#include "picture_rows.h"
#include "picture_text.h"

/*
 * A bar has at least this many columns. If that leaves too few for the label and the
 * note, they get a line of their own.
 */
#define MIN_BAR 16

/* Between the words of a legend. */
#define LEGEND_GAP 3

static const struct {
	const char *glyph;
	int colour; /* one of the 256 that terminals have */
	char letter;
} paints[PAINT_COUNT] = {
	[PAINT_DATA] = { "█", 32, '#' },
	[PAINT_SHARED] = { "▓", 172, 'S' },
	[PAINT_LARGE] = { "█", 29, 'L' },
	[PAINT_TABLE] = { "▒", 170, 'T' },
	[PAINT_BAD] = { "╳", 124, 'X' },
	[PAINT_FREE] = { "░", 245, '.' },
	[PAINT_UNTOUCHED] = { "░", 245, '.' },
	[PAINT_GUARD] = { "▌", 160, '!' },
	[PAINT_HOLE] = { " ", 240, ' ' },
	[PAINT_POOL] = { "■", 37, 'P' },
	[PAINT_LINUX] = { "▒", 250, '=' },
	[PAINT_OFFLINE] = { "·", 178, '-' },
};

/* Scale part / whole to a length. 64-bit numbers do not overflow. */
static unsigned int scale(uint64_t part, uint64_t whole, unsigned int length)
{
	return (unsigned __int128)part * length / whole;
}

static void put_cell(FILE *file, enum paint paint, enum text_style style)
{
	if (style == TEXT_ASCII)
		fputc(paints[paint].letter, file);
	else if (style == TEXT_PLAIN)
		fputs(paints[paint].glyph, file);
	else
		fprintf(file, "\033[38;5;%dm%s\033[m", paints[paint].colour,
			paints[paint].glyph);
}

/*
 * The paint of a cell that stands for [start, end) of a row: that of most of the memory in
 * use there, however little; if there is none, that of untouched or free memory.
 */
static enum paint paint_at(const struct row *row, uint64_t start, uint64_t end)
{
	uint64_t share[PAINT_COUNT] = { 0 };
	uint64_t from = 0, low, high;
	enum paint paint, best = PAINT_HOLE;
	size_t i;

	for (i = 0; i < row->count && from < end; i++) {
		low = from > start ? from : start;
		from += row->segments[i].size;
		high = from < end ? from : end;
		if (low < high)
			share[row->segments[i].paint] += high - low;
	}
	if (share[PAINT_FREE])
		best = PAINT_FREE;
	if (share[PAINT_UNTOUCHED])
		best = PAINT_UNTOUCHED;
	for (paint = 0; paint < PAINT_COUNT; paint++)
		if (paint_is_something(paint) && share[paint] &&
		    (!paint_is_something(best) || share[paint] > share[best]))
			best = paint;
	return best;
}

static void put_bar(const struct row *row, uint64_t whole, FILE *file,
		    unsigned int columns, enum text_style style)
{
	unsigned int length = scale(row->size, whole, columns);
	unsigned int i;
	uint64_t start, end;

	if (row->size && !length)
		length = 1;
	for (i = 0; i < length; i++) {
		start = (unsigned __int128)row->size * i / length;
		end = (unsigned __int128)row->size * (i + 1) / length;
		if (end == start)
			end = start + 1;
		put_cell(file, paint_at(row, start, end), style);
	}
	fprintf(file, "%*s", (int)(columns - length), "");
}

static void put_text_legend(const struct picture *picture, FILE *file,
			    unsigned int columns, enum text_style style)
{
	unsigned int column = 0, length;
	enum paint paint;

	for (paint = 0; paint < PAINT_COUNT; paint++) {
		if (!picture->used[paint] || paint == PAINT_HOLE)
			continue;
		length = 1 + 1 + strlen(paint_name(paint));
		if (column && column + LEGEND_GAP + length > columns) {
			fputc('\n', file);
			column = 0;
		}
		fprintf(file, "%*s", column ? LEGEND_GAP : 0, "");
		column += (column ? LEGEND_GAP : 0) + length;
		put_cell(file, paint, style);
		fprintf(file, " %s", paint_name(paint));
	}
	fputc('\n', file);
}

/* Label and note, side by side if there is room, and the bar below. */
static void put_narrow_row(const struct row *row, uint64_t whole, FILE *file,
			   unsigned int columns, enum text_style style)
{
	size_t used = strlen(row_label(row)) + 1;

	if (used + strlen(row_note(row)) <= columns)
		fprintf(file, "%s %*s\n", row_label(row), (int)(columns - used),
			row_note(row));
	else
		fprintf(file, "%s\n%s\n", row_label(row), row_note(row));
	put_bar(row, whole, file, columns > MIN_BAR ? columns : MIN_BAR, style);
	fputc('\n', file);
}

static void put_row(const struct row *row, uint64_t whole,
		    const struct widths *widths, FILE *file,
		    unsigned int columns, enum text_style style)
{
	unsigned int rest = widths->label + 1 + 1 + widths->note;

	if (rest + MIN_BAR > columns) {
		put_narrow_row(row, whole, file, columns, style);
		return;
	}
	fprintf(file, "%-*s ", (int)widths->label, row_label(row));
	put_bar(row, whole, file, columns - rest, style);
	fprintf(file, " %s\n", row_note(row));
}

bool picture_text(const struct picture *picture, FILE *file,
		  unsigned int columns, enum text_style style)
{
	struct widths widths;
	const struct row *row;
	size_t i;

	if (!picture_complete(picture))
		return false;
	widths = picture_widths(picture);
	fprintf(file, "%s\n", picture->title);
	for (i = 0; i < picture->count; i++) {
		row = &picture->rows[i];
		if (row->heading)
			fprintf(file, "\n%s\n", row_label(row));
		else
			put_row(row, picture_scale(picture, i), &widths, file,
				columns, style);
	}
	fputc('\n', file);
	put_text_legend(picture, file, columns, style);
	return !ferror(file);
}
