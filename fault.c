// SPDX-License-Identifier: GPL-2.0
/*
 * fault.c - prepare the page tables for a fault.
 */
#include "fault.h"

#include <linux/mutex.h>

#include "process.h"
#include "unshare.h"

/*
 * Changes above the leaf take the family's lock. So while it is held, the path is looked at
 * once more: another fault may have added the same tables, or mapped the page. Leaves change
 * without this lock. What another fault has mapped or copied meanwhile is writable, so a leaf
 * that is writable at the end means that nothing is left to do.
 */
int petmem_fault_make_private(struct petmem_fault_context *fault,
			      enum petmem_level level)
{
	struct petmem_process *process = fault->process;
	struct petmem_account *account = &process->family->account;
	struct mm_struct *mm = petmem_process_mm(process);
	uintptr_t page_addr = petmem_leaf_page_at(&fault->leaf, fault->addr);
	struct petmem_leaf leaf;
	int err = 0;

	mutex_lock(&process->family->lock);
	leaf = petmem_pgtables_find(mm, fault->addr);
	if (petmem_leaf_page_at(&leaf, fault->addr) != page_addr)
		err = -EEXIST;
	else if (!page_addr && leaf.writable && !leaf.shared)
		err = petmem_pgtables_add(mm, account, fault->addr, level,
					  &leaf);
	else
		err = petmem_pgtables_make_private(mm, account, fault->addr,
						   level, &leaf, NULL);
	fault->leaf = petmem_pgtables_find(mm, fault->addr);
	if (!err && (!petmem_leaf_is_private(&fault->leaf, level) ||
		     petmem_leaf_is_writable(&fault->leaf)))
		err = -EEXIST;
	mutex_unlock(&process->family->lock);
	return err;
}
