// SPDX-License-Identifier: GPL-2.0
/*
 * giant.c - use pages of 1 GiB.
 *
 * A fault never maps one, because it would have to clear it. Only populating a whole aligned
 * 1 GiB does.
 */
#include "giant.h"

#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "account.h"
#include "compat.h"
#include "entry.h"
#include "gather.h"
#include "giant_page.h"
#include "giant_table.h"
#include "large_page.h"
#include "memmap.h"
#include "on_demand.h"
#include "process.h"
#include "zero.h"

static void put_large_pages(uintptr_t page_addr)
{
	u64 offset;

	for (offset = 0; offset < PUD_SIZE; offset += PMD_SIZE) {
		petmem_put_large(page_addr + offset);
		cond_resched();
	}
}

static void put_giant(struct petmem_process *process, uintptr_t page_addr)
{
	put_large_pages(page_addr);
	petmem_uncharge(&process->family->account, level_pages(PETMEM_PUD));
}

/*
 * Take a 1 GiB page of zeros. This takes long, so no lock is held. Returns 0, -ENOMEM or
 * -EINTR.
 */
static int take_giant(struct petmem_process *process, uintptr_t *page_addr)
{
	u64 offset;
	int err;

	*page_addr = petmem_alloc_giant();
	if (!*page_addr)
		return -ENOMEM;
	err = petmem_charge(&process->family->account, level_pages(PETMEM_PUD));
	if (err) {
		put_large_pages(*page_addr);
		return err;
	}
	for (offset = 0; offset < PUD_SIZE; offset += PMD_SIZE) {
		if (fatal_signal_pending(current)) {
			put_giant(process, *page_addr);
			return -EINTR;
		}
		petmem_clear_page(*page_addr + offset, PETMEM_PMD);
	}
	return 0;
}

/* Can an aligned 1 GiB be one page? All of it is allocated, and nothing is mapped yet. */
static bool fits_giant(struct petmem_process *process, u64 addr)
{
	u64 start, end;

	lockdep_assert_held(&process->family->lock);

	if (!process->large_pages || !petmem_has_giant_pages())
		return false;
	return petmem_find_usable(process, addr, &start, &end) &&
	       end - addr >= PUD_SIZE &&
	       petmem_pgtables_is_empty(petmem_process_mm(process), addr);
}

/* Enter a 1 GiB page, if it still fits. The locks keep Linux's walkers out as in a free. */
static int enter_giant(struct petmem_process *process, u64 addr,
		       uintptr_t page_addr)
{
	struct mm_struct *mm = petmem_process_mm(process);
	struct petmem_gather replaced;
	int err = -EAGAIN;

	if (petmem_process_lock_region(process))
		return -EINTR;
	petmem_gather_few(&replaced);
	mutex_lock(&process->lock);
	mutex_lock(&process->family->lock);
	if (fits_giant(process, addr))
		err = petmem_pgtables_set_giant(mm, &process->family->account,
						addr, page_addr, &replaced);
	if (!err)
		petmem_count_fault(process);
	mutex_unlock(&process->family->lock);
	mutex_unlock(&process->lock);
	petmem_process_put(process, &replaced);
	petmem_process_unlock_region(process);
	return err;
}

int petmem_populate_giant(struct petmem_process *process, u64 addr)
{
	uintptr_t page_addr;
	bool fits;
	int err;

	/* The process's mmap lock keeps fork from detaching the tables. */
	if (mmap_read_lock_killable(petmem_process_mm(process)))
		return -EINTR;
	mutex_lock(&process->family->lock);
	fits = fits_giant(process, addr);
	mutex_unlock(&process->family->lock);
	mmap_read_unlock(petmem_process_mm(process));
	if (!fits)
		return -EAGAIN;
	err = take_giant(process, &page_addr);
	if (err)
		return err;
	err = enter_giant(process, addr, page_addr);
	if (err)
		put_giant(process, page_addr);
	return err;
}
