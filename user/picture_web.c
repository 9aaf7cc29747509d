// SPDX-License-Identifier: GPL-2.0 OR MIT
/* picture_web.c - write a picture for a browser. */

#include "picture_rows.h"
#include "picture_web.h"

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
	const char *light, *dark; /* CSS */
} colours[PAINT_COUNT] = {
	[PAINT_DATA] = { "#0072b2", "#56a8dc" },
	[PAINT_SHARED] = { "#d55e00", "#f0894a" },
	[PAINT_LARGE] = { "#007a5a", "#2fbf95" },
	[PAINT_TABLE] = { "#b0508f", "#dc8fc0" },
	[PAINT_BAD] = { "#8b0000", "#ff4040" },
	[PAINT_FREE] = { "#d8dee4", "#3b4350" },
	[PAINT_UNTOUCHED] = { "#d8dee4", "#3b4350" },
	[PAINT_GUARD] = { "#c0202a", "#ff6b6b" },
	[PAINT_HOLE] = { "#ffffff", "#14181f" },
	[PAINT_POOL] = { "#7a4fb0", "#b08ae0" },
	[PAINT_LINUX] = { "#a9b2bd", "#6b7686" },
	[PAINT_OFFLINE] = { "#f0d777", "#8a7a2e" },
};

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
			dark ? colours[paint].dark : colours[paint].light);
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
		if (paint_is_something(segment->paint) == something) {
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

	put_svg_text(file, x - SVG_GAP, y + SVG_BOX - 3, "end", row_label(row));
	put_svg_segments(row, unit, x, y, false, file);
	put_svg_segments(row, unit, x, y, true, file);
	put_svg_text(file, x + SVG_BAR + SVG_GAP, y + SVG_BOX - 3, "start",
		     row_note(row));
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
			     paint_name(paint));
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
				     row_label(row));
		else
			put_svg_row(row, picture_scale(picture, i), x, y, file);
	}
}

bool picture_svg(const struct picture *picture, FILE *file)
{
	unsigned int x, width, height;
	struct widths widths;

	if (!picture_complete(picture))
		return false;
	widths = picture_widths(picture);
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
	put_escaped(file, row_label(row));
	fputs("</h2>\n", file);
}

static void put_html_row(const struct row *row, uint64_t whole, FILE *file)
{
	const struct segment *segment = row->segments;

	fputs("<div class=\"row\"><span>", file);
	put_escaped(file, row_label(row));
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
	put_escaped(file, row_note(row));
	fputs("</span></div>\n", file);
}

bool picture_html(const struct picture *picture, FILE *file)
{
	struct widths widths;
	enum paint paint;
	size_t i;

	if (!picture_complete(picture))
		return false;
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
	      file);
	put_escaped(file, picture->title);
	fputs("</title>\n<style>", file);
	put_style(file, "background", "body", "color");
	widths = picture_widths(picture);
	fprintf(file,
		".row{grid-template-columns:%uch 1fr %uch}%s</style></head><body>\n<h1>",
		widths.label, widths.note, html_layout);
	put_escaped(file, picture->title);
	fputs("</h1>\n", file);
	for (i = 0; i < picture->count; i++)
		if (picture->rows[i].heading)
			put_html_heading(&picture->rows[i], file);
		else
			put_html_row(&picture->rows[i],
				     picture_scale(picture, i), file);
	fputs("<div class=\"legend\">", file);
	for (paint = 0; paint < PAINT_COUNT; paint++)
		if (picture->used[paint])
			fprintf(file, "<span><i class=\"p%d\"></i>%s</span>\n",
				paint, paint_name(paint));
	fputs("</div></body></html>\n", file);
	return !ferror(file);
}
