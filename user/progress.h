/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * progress.h - how far the work has come. One line on standard error is overwritten
 * again and again if that is a terminal; otherwise nothing is written.
 */
#ifndef PETMEM_PROGRESS_H
#define PETMEM_PROGRESS_H

/* Show a line, cut off at the terminal's width. */
__attribute__((format(printf, 1, 2))) void progress_show(const char *format,
							 ...);

/* Clear the line again, before anything else is written. */
void progress_clear(void);

#endif /* PETMEM_PROGRESS_H */
