// SPDX-License-Identifier: GPL-2.0
/*
 * kalloc.c - physical pages: which are free, and how many owners the others
 * have. After a copy-on-write fork one page belongs to several processes; the
 * last owner to let go of it frees it.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "multiboot.h"
#include "spinlock.h"
#include "defs.h"

#define POISON	0xdeadbeef	/* fills free pages, to make a stale use show */

/* A free page holds the pointer to the next one. */
struct free_page {
	struct free_page *next;
};

/* Guards everything below. */
static struct spinlock lock = SPINLOCK("kalloc");
static struct free_page *free_list;
static uint free_count;

/*
 * Owners of each physical page; 0: it is free, or is not ours to give. An owner
 * is a page-table entry of a process, or the kernel code that called kalloc().
 */
static uchar owners[PHYSTOP / PGSIZE];

#define MAX_OWNERS	255

/* A process maps a page at most once, so there are never more than NPROC. */
_Static_assert(NPROC <= MAX_OWNERS, "the owners of a page must fit in a uchar");
/* With mmap() at most NMAP_SAME times, and the file in memory is an owner too. */
_Static_assert(NPROC * NMAP_SAME + 1 <= MAX_OWNERS, "the same for mapped pages");
_Static_assert(PHYSTOP / PGSIZE == 57344, "224 MB");

extern char kernel_end[];

/* The count of the page at kernel address @page. Context: lock is held. */
static uchar *owners_of(const void *page)
{
	uint pa = V2P(page);

	if (pa % PGSIZE || pa < V2P(kernel_end) || pa >= PHYSTOP)
		panic("kalloc: 0x%x is not a page", page);
	return &owners[pa / PGSIZE];
}

/* Put a page without owners on the free list. */
static void release(void *page)
{
	struct free_page *free = page;

	page_fill(page, POISON);	/* before others have to wait */
	spin_lock(&lock);
	free->next = free_list;
	free_list = free;
	free_count++;
	spin_unlock(&lock);
}

/* A page with one owner, the caller, and any contents; NULL if none is left. */
void *kalloc(void)
{
	struct free_page *page;

	spin_lock(&lock);
	page = free_list;
	if (page) {
		free_list = page->next;
		free_count--;
		*owners_of(page) = 1;
	}
	spin_unlock(&lock);
	return page;
}

/* The same, filled with zeros. */
void *kalloc_zeroed(void)
{
	void *page = kalloc();

	if (page)
		page_fill(page, 0);
	return page;
}

/* One owner more for a page that the caller owns. */
void kshare(void *page)
{
	uchar *count;

	spin_lock(&lock);
	count = owners_of(page);
	if (*count == 0 || *count == MAX_OWNERS)
		panic("kshare: page 0x%x has %d owners", page, *count);
	(*count)++;
	spin_unlock(&lock);
}

/* The caller does not own @page any longer. The last owner frees it. */
void kfree(void *page)
{
	uchar *count, left;

	spin_lock(&lock);
	count = owners_of(page);
	if (*count == 0)
		panic("kfree: page 0x%x is free", page);
	left = --(*count);
	spin_unlock(&lock);
	if (left == 0)
		release(page);
}

/*
 * Is the caller, who owns @page, its only owner? If so it stays so: only an
 * owner can share a page. If not, it may become so at any moment.
 */
int kowned_alone(void *page)
{
	int alone;

	spin_lock(&lock);
	alone = *owners_of(page) == 1;
	spin_unlock(&lock);
	return alone;
}

/* How many pages are free just now. */
uint kpages_left(void)
{
	uint n;

	spin_lock(&lock);
	n = free_count;
	spin_unlock(&lock);
	return n;
}

/* Take the pages that lie completely in [base, end) and above the kernel. */
static void add_range(unsigned long long base, unsigned long long end)
{
	uint pa, first = V2P(kernel_end), last = PHYSTOP;

	if (base > first)
		first = base > last ? last : PAGE_UP(base);
	if (end < last)
		last = PAGE_DOWN(end);
	for (pa = first; pa < last; pa += PGSIZE)
		release(P2V(pa));
}

/* Find free memory in what the loader says about this machine. */
void kalloc_init(const struct multiboot_info *info)
{
	uint at = info->mmap_addr, end = at + info->mmap_length;

	if (!(info->flags & MB_HAS_MMAP))
		panic("the loader gives no memory map");
	while (at < end) {
		const struct multiboot_range *range = P2V(at);

		if (range->type == MB_RAM)
			add_range(range->base, range->base + range->length);
		at += sizeof(range->size) + range->size;
	}
}
