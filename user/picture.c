// SPDX-License-Identifier: GPL-2.0 OR MIT
/* picture.c - pictures of memory, for a terminal and for a browser. */

#define _GNU_SOURCE /* vasprintf */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

/*
 * A bar has at least this many columns. If that leaves too few for the label and the
 * note, they get a line of their own.
 */
#define MIN_BAR 16

/* Between the words of a legend. */
#define LEGEND_GAP 3

/* Sizes in an SVG file, in its own units: a browser scales them. */
#define SVG_BAR 640
#define SVG_ROW 24
#define SVG_BOX 16
#define SVG_TOP 40
#define SVG_LEGEND 118
#define SVG_GAP 8
/* The width of a character in the font of 13 units; some are a little narrower. */
#define SVG_CHARACTER 8

static const struct {
	const char *name;
	char ascii;
	const char *glyph;
	int colour; /* one of the 256 that terminals have */
	const char *light, *dark; /* CSS */
} paints[PAINT_COUNT] = {
	[PAINT_DATA] = { "data", '#', "█", 32, "#0072b2", "#56a8dc" },
	[PAINT_SHARED] = { "shared", 'S', "▓", 172, "#d55e00", "#f0894a" },
	[PAINT_LARGE] = { "large page", 'L', "█", 29, "#007a5a", "#2fbf95" },
	[PAINT_TABLE] = { "table", 'T', "▒", 170, "#b0508f", "#dc8fc0" },
	[PAINT_BAD] = { "bad", 'X', "╳", 124, "#8b0000", "#ff4040" },
	[PAINT_FREE] = { "free", '.', "░", 245, "#d8dee4", "#3b4350" },
	[PAINT_UNTOUCHED] = { "untouched", '.', "░", 245, "#d8dee4",
			      "#3b4350" },
	[PAINT_GUARD] = { "guard", '!', "▌", 160, "#c0202a", "#ff6b6b" },
	[PAINT_HOLE] = { "nothing", ' ', " ", 240, "#ffffff", "#14181f" },
	[PAINT_POOL] = { "petmem", 'P', "■", 37, "#7a4fb0", "#b08ae0" },
	[PAINT_LINUX] = { "Linux", '=', "▒", 250, "#a9b2bd", "#6b7686" },
	[PAINT_OFFLINE] = { "offline", '-', "·", 178, "#f0d777", "#8a7a2e" },
};

struct segment {
	uint64_t size;
	enum paint paint;
	char *tip;
};

struct row {
	bool heading; /* it has only a label */
	bool stretched; /* it has a scale of its own */
	char *label;
	char *note;
	struct segment *segments;
	size_t count;
	uint64_t size; /* of all segments */
};

struct picture {
	char *title;
	struct row *rows;
	size_t count;
	bool failed; /* there was no memory for it */
	bool used[PAINT_COUNT];
};

/* Is it memory in use, which must be visible however small it is? */
static bool is_something(enum paint paint)
{
	return paint != PAINT_FREE && paint != PAINT_UNTOUCHED &&
	       paint != PAINT_HOLE;
}

/* ---- What is in a picture ---- */

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

	if (!row || !size)
		return;
	segments =
		one_more(picture, row->segments, row->count, sizeof(*segments));
	if (!segments)
		return;
	row->segments = segments;
	va_start(arguments, format);
	segments[row->count++] = (struct segment){
		.size = size,
		.paint = paint,
		.tip = text(picture, format, arguments),
	};
	va_end(arguments);
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

static const char *label_of(const struct row *row)
{
	return row->label ? row->label : "";
}

static const char *note_of(const struct row *row)
{
	return row->note ? row->note : "";
}

/*
 * The size at which the bar of row i would fill its room: that of the longest bar below
 * the same heading, or its own if it is stretched; at least 1.
 */
static uint64_t longest(const struct picture *picture, size_t i)
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

/* The numbers of characters in the longest label and in the longest note. */
struct widths {
	unsigned int label;
	unsigned int note;
};

static struct widths measure(const struct picture *picture)
{
	struct widths widths = { 0 };
	const struct row *row;
	size_t i;

	for (i = 0; i < picture->count; i++) {
		row = &picture->rows[i];
		if (row->heading)
			continue;
		if (strlen(label_of(row)) > widths.label)
			widths.label = strlen(label_of(row));
		if (strlen(note_of(row)) > widths.note)
			widths.note = strlen(note_of(row));
	}
	return widths;
}

/* Scale part / whole to a length. 64-bit numbers do not overflow. */
static unsigned int scale(uint64_t part, uint64_t whole, unsigned int length)
{
	return (unsigned __int128)part * length / whole;
}

/* ---- On a terminal ---- */

static void put_cell(FILE *file, enum paint paint, enum text_style style)
{
	if (style == TEXT_ASCII)
		fputc(paints[paint].ascii, file);
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
		if (is_something(paint) && share[paint] &&
		    (!is_something(best) || share[paint] > share[best]))
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
		length = 1 + 1 + strlen(paints[paint].name);
		if (column && column + LEGEND_GAP + length > columns) {
			fputc('\n', file);
			column = 0;
		}
		fprintf(file, "%*s", column ? LEGEND_GAP : 0, "");
		column += (column ? LEGEND_GAP : 0) + length;
		put_cell(file, paint, style);
		fprintf(file, " %s", paints[paint].name);
	}
	fputc('\n', file);
}

/* Label and note, side by side if there is room, and the bar below. */
static void put_narrow_row(const struct row *row, uint64_t whole, FILE *file,
			   unsigned int columns, enum text_style style)
{
	size_t used = strlen(label_of(row)) + 1;

	if (used + strlen(note_of(row)) <= columns)
		fprintf(file, "%s %*s\n", label_of(row), (int)(columns - used),
			note_of(row));
	else
		fprintf(file, "%s\n%s\n", label_of(row), note_of(row));
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
	fprintf(file, "%-*s ", (int)widths->label, label_of(row));
	put_bar(row, whole, file, columns - rest, style);
	fprintf(file, " %s\n", note_of(row));
}

static bool complete(const struct picture *picture)
{
	return picture && !picture->failed;
}

bool picture_text(const struct picture *picture, FILE *file,
		  unsigned int columns, enum text_style style)
{
	struct widths widths;
	const struct row *row;
	size_t i;

	if (!complete(picture))
		return false;
	widths = measure(picture);
	fprintf(file, "%s\n", picture->title);
	for (i = 0; i < picture->count; i++) {
		row = &picture->rows[i];
		if (row->heading)
			fprintf(file, "\n%s\n", label_of(row));
		else
			put_row(row, longest(picture, i), &widths, file,
				columns, style);
	}
	fputc('\n', file);
	put_text_legend(picture, file, columns, style);
	return !ferror(file);
}

/* ---- In a browser ---- */

static void put_escaped(FILE *file, const char *string)
{
	for (; *string; string++) {
		switch (*string) {
		case '<':
			fputs("&lt;", file);
			break;
		case '>':
			fputs("&gt;", file);
			break;
		case '&':
			fputs("&amp;", file);
			break;
		case '"':
			fputs("&quot;", file);
			break;
		default:
			fputc(*string, file);
		}
	}
}

/* A property's value for each paint, in one colour scheme. */
static void put_scheme(FILE *file, const char *property, bool dark)
{
	enum paint paint;

	for (paint = 0; paint < PAINT_COUNT; paint++)
		fprintf(file, ".p%d{%s:%s}", paint, property,
			dark ? paints[paint].dark : paints[paint].light);
}

/* The colours of segments, of the page and of its text; light, and dark. */
static void put_style(FILE *file, const char *property, const char *page,
		      const char *text_property)
{
	fprintf(file, "%s{background:#ffffff}%s{%s:#1c2128}", page, page,
		text_property);
	put_scheme(file, property, false);
	fprintf(file,
		"@media(prefers-color-scheme:dark){%s{background:#14181f}%s{%s:#e6eaf0}",
		page, page, text_property);
	put_scheme(file, property, true);
	fputs("}\n", file);
}

static void put_svg_text(FILE *file, unsigned int x, unsigned int y,
			 const char *anchor, const char *string)
{
	fprintf(file, "<text x=\"%u\" y=\"%u\" text-anchor=\"%s\">", x, y,
		anchor);
	put_escaped(file, string);
	fputs("</text>\n", file);
}

/* Draw a row's memory in use, or the rest. The rest goes first, so as not to hide it. */
static void put_svg_segments(const struct row *row, double unit, unsigned int x,
			     unsigned int y, bool something, FILE *file)
{
	const struct segment *segment = row->segments;
	uint64_t from = 0;
	double width;

	for (; segment < row->segments + row->count; segment++) {
		width = segment->size * unit;
		if (is_something(segment->paint) == something) {
			fprintf(file,
				"<rect class=\"p%d\" x=\"%.3f\" y=\"%u\" width=\"%.3f\" height=\"%d\"><title>",
				segment->paint, x + from * unit, y,
				width < 1 ? 1 : width, SVG_BOX);
			put_escaped(file, segment->tip);
			fputs("</title></rect>\n", file);
		}
		from += segment->size;
	}
}

/* x: where the bar begins, y: the top of the row. */
static void put_svg_row(const struct row *row, uint64_t whole, unsigned int x,
			unsigned int y, FILE *file)
{
	double unit = (double)SVG_BAR / whole;

	put_svg_text(file, x - SVG_GAP, y + SVG_BOX - 3, "end", label_of(row));
	put_svg_segments(row, unit, x, y, false, file);
	put_svg_segments(row, unit, x, y, true, file);
	put_svg_text(file, x + SVG_BAR + SVG_GAP, y + SVG_BOX - 3, "start",
		     note_of(row));
}

static void put_svg_legend(const struct picture *picture, unsigned int x,
			   unsigned int y, FILE *file)
{
	enum paint paint;

	for (paint = 0; paint < PAINT_COUNT; paint++) {
		if (!picture->used[paint])
			continue;
		fprintf(file,
			"<rect class=\"p%d key\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\"/>\n",
			paint, x, y, SVG_BOX, SVG_BOX);
		put_svg_text(file, x + SVG_BOX + 6, y + SVG_BOX - 3, "start",
			     paints[paint].name);
		x += SVG_LEGEND;
	}
}

static void put_svg_rows(const struct picture *picture, unsigned int x,
			 FILE *file)
{
	const struct row *row;
	unsigned int y;
	size_t i;

	for (i = 0; i < picture->count; i++) {
		row = &picture->rows[i];
		y = SVG_TOP + i * SVG_ROW;
		if (row->heading)
			put_svg_text(file, x, y + SVG_BOX, "start",
				     label_of(row));
		else
			put_svg_row(row, longest(picture, i), x, y, file);
	}
}

bool picture_svg(const struct picture *picture, FILE *file)
{
	unsigned int x, width, height;
	struct widths widths;

	if (!complete(picture))
		return false;
	widths = measure(picture);
	x = widths.label * SVG_CHARACTER + 2 * SVG_GAP;
	width = x + SVG_BAR + widths.note * SVG_CHARACTER + 2 * SVG_GAP;
	height = SVG_TOP + (picture->count + 2) * SVG_ROW;
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" height=\"%u\">\n<style>",
		width, height, width, height);
	put_style(file, "fill", "svg", "fill");
	fputs("text{font:13px ui-monospace,monospace}.title text{font-size:16px}.key{stroke:#8a93a0}svg{max-width:100%;height:auto}</style>\n",
	      file);
	fputs("<g class=\"title\">", file);
	put_svg_text(file, SVG_GAP, SVG_ROW, "start", picture->title);
	fputs("</g>\n", file);
	put_svg_rows(picture, x, file);
	put_svg_legend(picture, x,
		       SVG_TOP + (picture->count + 1) * SVG_ROW - SVG_GAP,
		       file);
	fputs("</svg>\n", file);
	return !ferror(file);
}

/* In a narrow window the label and the note are above the bar. */
static const char html_layout[] =
	"body{font:14px/1.4 ui-monospace,monospace;margin:1.5em}"
	"h1{font-size:1.2em}h2{font-size:1em;margin:1.2em 0 .4em}"
	".row{display:grid;gap:.2em 1em;align-items:center;margin:.3em 0}"
	".row>:first-child{text-align:right}"
	".bar{display:flex;height:1.3em;outline:1px solid #8a93a055}"
	".bar i{min-width:1px}"
	".legend span{display:inline-block;margin:1em 1.5em 0 0}"
	".legend i{display:inline-block;width:1em;height:1em;margin-right:.5em;"
	"vertical-align:-.15em;outline:1px solid #8a93a0}"
	"@media(max-width:60em){.row{grid-template-columns:1fr auto}"
	".row>:first-child{text-align:left;white-space:nowrap}.bar{grid-row:2;grid-column:1/3}}";

static void put_html_heading(const struct row *row, FILE *file)
{
	fputs("<h2>", file);
	put_escaped(file, label_of(row));
	fputs("</h2>\n", file);
}

static void put_html_row(const struct row *row, uint64_t whole, FILE *file)
{
	const struct segment *segment = row->segments;

	fputs("<div class=\"row\"><span>", file);
	put_escaped(file, label_of(row));
	fprintf(file, "</span><div class=\"bar\" style=\"width:%.4f%%\">",
		100.0 * row->size / whole);
	for (; segment < row->segments + row->count; segment++) {
		fprintf(file,
			"<i class=\"p%d\" style=\"width:%.4f%%\" title=\"",
			segment->paint, 100.0 * segment->size / row->size);
		put_escaped(file, segment->tip);
		fputs("\"></i>", file);
	}
	fputs("</div><span>", file);
	put_escaped(file, note_of(row));
	fputs("</span></div>\n", file);
}

bool picture_html(const struct picture *picture, FILE *file)
{
	struct widths widths;
	enum paint paint;
	size_t i;

	if (!complete(picture))
		return false;
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	      file);
	put_escaped(file, picture->title);
	fputs("</title>\n<style>", file);
	put_style(file, "background", "body", "color");
	widths = measure(picture);
	fprintf(file,
		".row{grid-template-columns:%uch 1fr %uch}%s</style></head><body>\n<h1>",
		widths.label, widths.note, html_layout);
	put_escaped(file, picture->title);
	fputs("</h1>\n", file);
	for (i = 0; i < picture->count; i++)
		if (picture->rows[i].heading)
			put_html_heading(&picture->rows[i], file);
		else
			put_html_row(&picture->rows[i], longest(picture, i),
				     file);
	fputs("<div class=\"legend\">", file);
	for (paint = 0; paint < PAINT_COUNT; paint++)
		if (picture->used[paint])
			fprintf(file, "<span><i class=\"p%d\"></i>%s</span>\n",
				paint, paints[paint].name);
	fputs("</div></body></html>\n", file);
	return !ferror(file);
}
