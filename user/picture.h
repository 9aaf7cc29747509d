/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * picture.h - pictures of memory, for a terminal and for a browser.
 *
 *	struct picture *picture = picture_new("petmem's memory");
 *
 *	picture_row(picture, "block %u", 7);
 *	picture_segment(picture, 100, PAINT_DATA, "25 pages in use");
 *	picture_segment(picture, 28, PAINT_FREE, "7 pages free");
 *	picture_note(picture, "%u %% used", 78);
 *	picture_text(picture, stdout, 80, TEXT_COLOUR);
 *	picture_free(picture);
 *
 * A picture has rows; a row has a label, a bar, and a note after it. The bar is a
 * sequence of segments, each as long as its size asks for. Below one heading the bars
 * have one scale, and the longest is as long as there is room for. What is drawn
 * without a row goes into one without a label.
 *
 * A picture that could not be completed for want of memory draws nothing: each
 * function that draws returns whether all of it was written.
 */
#ifndef PETMEM_PICTURE_H
#define PETMEM_PICTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What a segment is. The legend names those that occur. */
enum paint {
	PAINT_DATA, /* pages of a process */
	PAINT_SHARED, /* of several */
	PAINT_LARGE, /* one entry for 2 MiB or more */
	PAINT_TABLE, /* page tables */
	PAINT_BAD, /* pages that have failed */
	PAINT_FREE,
	PAINT_UNTOUCHED, /* allocated, but without memory */
	PAINT_GUARD, /* never to be touched */
	PAINT_HOLE, /* nothing is there */
	PAINT_POOL, /* petmem's memory, in use or not */
	PAINT_LINUX, /* Linux's */
	PAINT_OFFLINE, /* nobody's memory */
	PAINT_COUNT
};

enum text_style {
	TEXT_ASCII, /* letters alone */
	TEXT_PLAIN, /* UTF-8 */
	TEXT_COLOUR, /* UTF-8, and colours by escape sequences */
};

struct picture;

/* NULL only if there is no memory; the functions below take it, and do nothing. */
struct picture *picture_new(const char *title);
void picture_free(struct picture *picture);

__attribute__((format(printf, 2, 3))) void
picture_heading(struct picture *picture, const char *format, ...);
__attribute__((format(printf, 2, 3))) void picture_row(struct picture *picture,
						       const char *format, ...);
/* The bar of this row has a scale of its own: it is as long as there is room for. */
void picture_stretch(struct picture *picture);
/* The last argument says what the segment is, for the mouse to show. */
__attribute__((format(printf, 4, 5))) void
picture_segment(struct picture *picture, uint64_t size, enum paint paint,
		const char *format, ...);
__attribute__((format(printf, 2, 3))) void
picture_note(struct picture *picture, const char *format, ...);

/*
 * Lines of at most so many columns, if that is enough for a heading, and for a label or
 * note alone.
 */
bool picture_text(const struct picture *picture, FILE *file,
		  unsigned int columns, enum text_style style);

/* One file that needs no other; light or dark as the reader's screen is. */
bool picture_svg(const struct picture *picture, FILE *file);
bool picture_html(const struct picture *picture, FILE *file);

#endif /* PETMEM_PICTURE_H */
