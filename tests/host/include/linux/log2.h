/* SPDX-License-Identifier: GPL-2.0 */
/* log2.h - for the host's tests. */
#ifndef HOST_LINUX_LOG2_H
#define HOST_LINUX_LOG2_H

/* Rounded down; @n is not 0. */
static inline int ilog2(unsigned long n)
{
	return (int)(8 * sizeof(n)) - 1 - __builtin_clzl(n);
}

/* Rounded up. */
static inline int order_base_2(unsigned long n)
{
	return n > 1 ? ilog2(n - 1) + 1 : 0;
}

#endif /* HOST_LINUX_LOG2_H */
