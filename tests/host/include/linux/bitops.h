/* SPDX-License-Identifier: GPL-2.0 */
/* bitops.h - for the host's tests. */
#ifndef HOST_LINUX_BITOPS_H
#define HOST_LINUX_BITOPS_H

#define __ffs(word) ((unsigned long)__builtin_ctzl(word))

static inline int fls(unsigned int word)
{
	return word ? 32 - __builtin_clz(word) : 0;
}

#endif /* HOST_LINUX_BITOPS_H */
