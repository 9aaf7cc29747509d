/* SPDX-License-Identifier: GPL-2.0 */
/* string.h - for the host's tests. */
#ifndef HOST_LINUX_STRING_H
#define HOST_LINUX_STRING_H

#include <string.h>

/* The first of @size bytes that is not @byte; NULL if there is none. */
static inline void *memchr_inv(const void *start, int byte, size_t size)
{
	const unsigned char *end = (const unsigned char *)start + size;

	for (const unsigned char *at = start; at < end; at++) {
		if (*at != (unsigned char)byte)
			return (void *)at;
	}
	return NULL;
}

#endif /* HOST_LINUX_STRING_H */
