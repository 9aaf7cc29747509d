/* SPDX-License-Identifier: GPL-2.0 */
/* export.h - rbtree.c asks for it; the host's tests export nothing. */
