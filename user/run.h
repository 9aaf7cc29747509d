/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* run.h - what petmem-run and the library that it preloads agree on. */
#ifndef PETMEM_RUN_H
#define PETMEM_RUN_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The program was not run, because there is no petmem for it. */
#define RUN_EXIT_NO_PETMEM 125

/* Does the user accept ordinary memory instead? */
static inline bool run_may_fall_back(void)
{
	const char *value = secure_getenv("PETMEM_FALLBACK");

	return value && strcmp(value, "1") == 0;
}

#endif /* PETMEM_RUN_H */
