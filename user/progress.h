/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * progress.h - how far work has come: one line on standard error that is written over
 * and over, if that is a terminal, and nothing otherwise.
 */
#ifndef PETMEM_PROGRESS_H
#define PETMEM_PROGRESS_H

/* Show a line; what does not fit into the terminal's width is cut off. */
__attribute__((format(printf, 1, 2))) void progress_show(const char *format,
							 ...);

/* Take it away again, before anything else is written. */
void progress_clear(void);

#endif /* PETMEM_PROGRESS_H */
