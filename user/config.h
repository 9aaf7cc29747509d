/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* config.h - the file that says what to donate: petmem.conf(5). */
#ifndef PETMEM_CONFIG_H
#define PETMEM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "transfer.h"

/*
 * Read a file. Returns true and a list of requests, one for each line, which the
 * caller frees; or false after a message that names the line.
 */
bool config_read(const char *path, struct request **requests, size_t *count);

#endif /* PETMEM_CONFIG_H */
