/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* status.h - what petmem holds: `petmem status'. */
#ifndef PETMEM_STATUS_H
#define PETMEM_STATUS_H

#include <stdbool.h>

/* Print it as `name: value' lines or one JSON object. Returns false after a message. */
bool show_status(int device, bool json);

#endif /* PETMEM_STATUS_H */
