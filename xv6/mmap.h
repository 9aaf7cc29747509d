/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmap.h - files as memory. Each function's contract is in mmap.c. The usual kernel
 * has none of it (make AFTER=mmap has): no file is mapped there.
 */
#ifndef MMAP_H
#define MMAP_H

struct proc;

#ifdef USE_MMAP

int give_mapped(uint va, int access);
int map_covers(uint va, uint n);
uint map_floor(void);
void map_hide_shared(void);
void map_inherit(struct proc *child);
void map_drop_all(void);

#else

static inline int give_mapped(uint va, int access)
{
	(void)va;
	(void)access;
	return VM_NO_ACCESS;
}

static inline int map_covers(uint va, uint n)
{
	(void)va;
	(void)n;
	return 0;
}

static inline uint map_floor(void)
{
	return KERNBASE;
}

static inline void map_hide_shared(void)
{
}

static inline void map_inherit(struct proc *child)
{
	(void)child;
}

static inline void map_drop_all(void)
{
}

#endif

#endif
