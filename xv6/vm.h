/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vm.h - address spaces. Each function's contract is in vm.c.
 */
#ifndef VM_H
#define VM_H

enum { VM_OK, VM_NO_ACCESS, VM_NO_MEMORY };	/* results */
enum { VM_READ, VM_WRITE };			/* kinds of access */

void vm_init(void);
void vm_use(pde_t *dir);

pde_t *vm_create(void);
pde_t *vm_fork(pde_t *parent);
void vm_destroy(pde_t *dir);

int vm_map(pde_t *dir, uint va, void *page, uint writable);
int vm_grow(pde_t *dir, uint from, uint to, uint writable);
void vm_shrink(pde_t *dir, uint from, uint to);
void *vm_page(pde_t *dir, uint va);

int vm_unshare(pde_t *dir, uint va);
int vm_prepare(pde_t *dir, uint va, uint n, int access);

#endif
