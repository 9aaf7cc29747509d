/* SPDX-License-Identifier: GPL-2.0 */
/*
 * inspect.h - look at processes and page tables, and change nothing.
 *
 * Context of all: process context, no lock is held.
 */
#ifndef PETMEM_INSPECT_H
#define PETMEM_INSPECT_H

#include "petmem.h"

/**
 * petmem_inspect_process() - describe a process
 * @info: see petmem.h
 *
 * Return: 0 or an error that petmem.h lists.
 */
int petmem_inspect_process(struct petmem_process_info *info);

/**
 * petmem_inspect_walk() - show the path of an address through the page tables
 * @walk: see petmem.h
 *
 * Return: 0 or an error that petmem.h lists.
 */
int petmem_inspect_walk(struct petmem_walk *walk);

/**
 * petmem_inspect_span() - show how a part of the region is used
 * @span: see petmem.h
 *
 * Return: 0 or an error that petmem.h lists.
 */
int petmem_inspect_span(struct petmem_span *span);

/**
 * petmem_inspect_run() - show how a part of a donated range is used
 * @run: see petmem.h
 *
 * Return: 0 or an error that petmem.h lists.
 */
int petmem_inspect_run(struct petmem_run *run);

#endif /* PETMEM_INSPECT_H */
