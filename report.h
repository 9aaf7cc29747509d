/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report.h - tell how the pool is used.
 */
#ifndef PETMEM_REPORT_H
#define PETMEM_REPORT_H

#include "petmem.h"

/**
 * petmem_pool_status() - count pages
 * @status: total_pages, free_pages, clean_pages, table_pages, data_pages, bad_pages,
 *	large_pages, blocks and block_size are set, all for one moment
 *
 * Context: may sleep.
 */
void petmem_pool_status(struct petmem_status *status);

/**
 * petmem_pool_block() - describe a donated range
 * @block: .index is read, all other fields are set
 *
 * Return: 0 or -ENOENT.
 * Context: may sleep.
 */
int petmem_pool_block(struct petmem_block *block);

/**
 * petmem_pool_run() - describe how a donated range is used from a page onwards
 * @run: .addr is read, all other fields are set
 *
 * Return: 0; -ENOENT when the page is not in the pool.
 * Context: may sleep.
 */
int petmem_pool_run(struct petmem_run *run);

#endif /* PETMEM_REPORT_H */
