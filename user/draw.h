/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* draw.h - put a picture where the command line wants it. */
#ifndef PETMEM_DRAW_H
#define PETMEM_DRAW_H

#include "picture.h"

/* Where a picture goes. With neither file it goes to standard output, as text. */
struct drawing {
	const char *svg; /* a file to write, "-" for standard output, or NULL */
	const char *html;
};

/*
 * Draw: text as wide as the terminal ($COLUMNS, or 80 columns, where that is none),
 * in colours if it is a terminal and NO_COLOR is not set, and in letters alone
 * unless the locale has UTF-8. False, after a message, if it could not be written.
 */
bool draw(const struct picture *picture, const struct drawing *drawing);

#endif /* PETMEM_DRAW_H */
