/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * picture.h - pictures of memory. picture_text.h writes them for a terminal, and
 * picture_web.h for a browser.
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
 * sequence of segments, each as long as its size asks for. All bars below one heading
 * have the same scale, and the longest fills its room. Segments that come before
 * the first row or heading go into a row without a label.
 *
 * If there was no memory to complete a picture, nothing is written. Each function that
 * writes a picture returns true if all of it was written.
 */
#ifndef PETMEM_PICTURE_H
#define PETMEM_PICTURE_H

#include <stdbool.h>
#include <stdint.h>

/* What a segment stands for. The legend names those that occur. */
enum paint {
	PAINT_DATA, /* pages of a process */
	PAINT_SHARED, /* pages of several processes */
	PAINT_LARGE, /* one entry for 2 MiB or more */
	PAINT_TABLE, /* page tables */
	PAINT_BAD, /* pages that have failed */
	PAINT_FREE,
	PAINT_UNTOUCHED, /* allocated, but without memory */
	PAINT_GUARD, /* a page that must not be touched */
	PAINT_HOLE, /* nothing is there */
	PAINT_POOL, /* petmem's memory, in use or not */
	PAINT_LINUX, /* Linux's memory */
	PAINT_OFFLINE, /* nobody's memory */
	PAINT_COUNT
};

struct picture;

/* Returns NULL only without memory; the functions below accept that and do nothing. */
struct picture *picture_new(const char *title);
void picture_free(struct picture *picture);

__attribute__((format(printf, 2, 3))) void
picture_heading(struct picture *picture, const char *format, ...);
__attribute__((format(printf, 2, 3))) void picture_row(struct picture *picture,
						       const char *format, ...);
/* Give the bar of this row a scale of its own: it fills its room. */
void picture_stretch(struct picture *picture);
/* The text is shown when the mouse is over the segment. */
__attribute__((format(printf, 4, 5))) void
picture_segment(struct picture *picture, uint64_t size, enum paint paint,
		const char *format, ...);
__attribute__((format(printf, 2, 3))) void
picture_note(struct picture *picture, const char *format, ...);

#endif /* PETMEM_PICTURE_H */
