/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* picture_web.h - write a picture for a browser. */
#ifndef PETMEM_PICTURE_WEB_H
#define PETMEM_PICTURE_WEB_H

#include <stdbool.h>
#include <stdio.h>

#include "picture.h"

/* Write one file that needs no other; it is light or dark as the reader's screen is. */
bool picture_svg(const struct picture *picture, FILE *file);
bool picture_html(const struct picture *picture, FILE *file);

#endif /* PETMEM_PICTURE_WEB_H */
