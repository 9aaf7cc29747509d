/* SPDX-License-Identifier: GPL-2.0 */
/* minmax.h - for the host's tests. */
#ifndef HOST_LINUX_MINMAX_H
#define HOST_LINUX_MINMAX_H

#define min(a, b) ((a) < (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))

#endif /* HOST_LINUX_MINMAX_H */
