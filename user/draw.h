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
 * Draw a picture. Text is as wide as the terminal; without one, $COLUMNS or 80
 * columns. It has colours on a terminal, unless NO_COLOR is set, and is ASCII unless the
 * locale has UTF-8. Returns false, after a message, if the picture could not be written.
 */
bool draw(const struct picture *picture, const struct drawing *drawing);

#endif /* PETMEM_DRAW_H */
