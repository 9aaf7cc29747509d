/* SPDX-License-Identifier: GPL-2.0 */
/* bitops.h - for the host's tests. */
#ifndef HOST_LINUX_BITOPS_H
#define HOST_LINUX_BITOPS_H

#define __ffs(word) ((unsigned long)__builtin_ctzl(word))

#endif /* HOST_LINUX_BITOPS_H */
