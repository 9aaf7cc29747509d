/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* top.h - the pool and the processes, once a second: `petmem top'. */
#ifndef PETMEM_TOP_H
#define PETMEM_TOP_H

#include <stdbool.h>

/*
 * Show them on the terminal until q or a signal; or print what one second gives, for
 * scripts, if it is only once. False after a message.
 */
bool show_top(int device, bool once);

#endif /* PETMEM_TOP_H */
