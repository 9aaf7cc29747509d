/* SPDX-License-Identifier: GPL-2.0 */
/*
 * failure.h - memory that fails while it is donated.
 */
#ifndef PETMEM_FAILURE_H
#define PETMEM_FAILURE_H

/** petmem_failure_init() - begin to listen to machine checks */
void petmem_failure_init(void);

/** petmem_failure_exit() - undo petmem_failure_init(). */
void petmem_failure_exit(void);

#endif /* PETMEM_FAILURE_H */
