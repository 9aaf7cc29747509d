/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* picture_text.h - write a picture for a terminal. */
#ifndef PETMEM_PICTURE_TEXT_H
#define PETMEM_PICTURE_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "picture.h"

enum text_style {
	TEXT_ASCII, /* letters alone */
	TEXT_PLAIN, /* UTF-8 */
	TEXT_COLOUR, /* UTF-8, and colours by escape sequences */
};

/*
 * Lines have at most this many columns, unless a heading, a label or a note alone is
 * longer.
 */
bool picture_text(const struct picture *picture, FILE *file,
		  unsigned int columns, enum text_style style);

#endif /* PETMEM_PICTURE_TEXT_H */
