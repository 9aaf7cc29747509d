// SPDX-License-Identifier: GPL-2.0
/*
 * large.c - use pages of 2 MiB.
 *
 *   allocation   |--------------------------------------------|
 *   2 MiB        :         :         :         :         :         :
 *   pages        | 4 KiB   |  2 MiB  |  2 MiB  |  2 MiB  | 4 |
 *
 * A fault maps a 2 MiB page where it can, and a 4 KiB page otherwise; programs need not ask
 * for it. If a PTE table exists already, because the pool had no 2 MiB page earlier, it
 * stays until the range is freed. Ranges are freed as a whole, so only copy-on-write splits
 * a 2 MiB page: see unshare.c.
 */
#include "large.h"

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "compat.h"
#include "fault.h"
#include "memmap.h"
#include "process.h"

struct petmem_range *petmem_large_place(struct petmem_process *process,
					struct petmem_memmap_spares *spares,
					u64 size, u64 align)
{
	struct petmem_range *range = NULL;

	lockdep_assert_held_write(&process->map_lock);

	if (!READ_ONCE(process->large_pages) || size < PMD_SIZE)
		return NULL;
	if (size >= PUD_SIZE && petmem_has_giant_pages())
		range = petmem_memmap_alloc(process->map, spares, size,
					    max_t(u64, align, PUD_SIZE));
	return range
		       ?: petmem_memmap_alloc(process->map, spares, size,
					      max_t(u64, align, PMD_SIZE));
}

bool petmem_large_fits(const struct petmem_fault_context *fault)
{
	u64 first = fault->addr & PMD_MASK;

	return fault->leaf.level != PETMEM_PTE &&
	       READ_ONCE(fault->process->large_pages) &&
	       first >= fault->start && first + PMD_SIZE <= fault->end;
}
