/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* top.h - the pool and the processes, once a second: `petmem top'. */
#ifndef PETMEM_TOP_H
#define PETMEM_TOP_H

#include <stdbool.h>

/*
 * Show them on the terminal until q or a signal. With once, print them after one second,
 * for scripts. Returns false after a message.
 */
bool show_top(int device, bool once);

#endif /* PETMEM_TOP_H */
