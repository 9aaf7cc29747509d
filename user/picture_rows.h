/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* picture_rows.h - the contents of a picture, for the files that write pictures. */
#ifndef PETMEM_PICTURE_ROWS_H
#define PETMEM_PICTURE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture.h"

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

/* The numbers of characters in the longest label and in the longest note. */
struct widths {
	unsigned int label;
	unsigned int note;
};

const char *paint_name(enum paint paint);
/* Is it memory in use, which must be visible however small it is? */
bool paint_is_something(enum paint paint);

/* Is there a picture, and was there memory for all of it? */
bool picture_complete(const struct picture *picture);
struct widths picture_widths(const struct picture *picture);
/*
 * The size at which the bar of row i would fill its room: that of the longest bar below
 * the same heading, or its own if it is stretched; at least 1.
 */
uint64_t picture_scale(const struct picture *picture, size_t i);

/* These are "" if there is none. */
const char *row_label(const struct row *row);
const char *row_note(const struct row *row);

#endif /* PETMEM_PICTURE_ROWS_H */
