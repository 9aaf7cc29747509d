/* SPDX-License-Identifier: GPL-2.0 */
/*
 * account.h - who has how many of the pool's pages, and how many they may have.
 *
 * Pages, of data and of page tables alike, are charged to the family whose fault, copy
 * or free took them, until they are free: pages are shared inside of a family only, so
 * it does not matter which member is the last to have one. A family is charged to the
 * user who began it, whatever becomes of its members; inside of a user namespace, to
 * the user who made the namespace.
 *
 * Allocations take kernel memory, whether they are touched or not: a user's are counted
 * and limited, too.
 */
#ifndef PETMEM_ACCOUNT_H
#define PETMEM_ACCOUNT_H

#include <linux/types.h>

#include "petmem.h"

struct petmem_user;

/* A family's; guarded by its lock. */
struct petmem_account {
	u64 pages;
	struct petmem_user *user;
};

/**
 * petmem_account_open() - begin an account of the calling user's
 * @account: zeroed
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep.
 */
int petmem_account_open(struct petmem_account *account);

/**
 * petmem_account_close() - end it; nothing is charged to it any more
 * @account: opened, or zeroed
 *
 * Context: any but interrupts.
 */
void petmem_account_close(struct petmem_account *account);

/**
 * petmem_charge() - charge for pages that were taken
 * @account: whose
 * @num_pages: how many
 *
 * Return: 0; -ENOMEM, with nothing changed, when it would be more than a limit allows.
 * Context: the lock of the account's family is held.
 */
int petmem_charge(struct petmem_account *account, u64 num_pages);

/* What a page is taken for. */
enum petmem_charged {
	PETMEM_CHARGED_TABLE, /* a page table */
	PETMEM_CHARGED_PAGE, /* 4 KiB of data */
	PETMEM_CHARGED_LARGE, /* 2 MiB of data, as from petmem_alloc_large() */
};

/**
 * petmem_alloc_charged() - take a page from the pool, and charge for it
 * @account: the account to charge
 * @what: what the page is taken for
 *
 * Return: physical address; 0 when the pool has none or a limit is reached.
 * Context: as petmem_charge().
 */
uintptr_t petmem_alloc_charged(struct petmem_account *account,
			       enum petmem_charged what);

/**
 * petmem_put_charged() - drop a reference to a page, and uncharge what became free
 * @account: the account that the page was charged to
 * @page_addr: physical address
 * @what: as for petmem_alloc_charged()
 *
 * Context: as petmem_charge().
 */
void petmem_put_charged(struct petmem_account *account, uintptr_t page_addr,
			enum petmem_charged what);

/**
 * petmem_uncharge() - pages became free
 * @account: whom they were charged to
 * @num_pages: how many
 *
 * Context: as petmem_charge().
 */
void petmem_uncharge(struct petmem_account *account, u64 num_pages);

/**
 * petmem_charge_allocations() - count allocations of a memory map
 * @account: the account to charge
 * @count: how many there are more
 *
 * Return: 0; -ENOMEM, with nothing changed, when the user would have too many.
 * Context: any but interrupts.
 */
int petmem_charge_allocations(struct petmem_account *account, u64 count);

/**
 * petmem_uncharge_allocations() - allocations are gone
 * @account: the account that they were charged to
 * @count: how many
 *
 * Context: any but interrupts.
 */
void petmem_uncharge_allocations(struct petmem_account *account, u64 count);

/** petmem_max_map_allocations() - how many may one memory map have? */
u64 petmem_max_map_allocations(void);

/**
 * petmem_account_uid() - whose account is it, as the caller sees users?
 * @account: opened
 */
u32 petmem_account_uid(const struct petmem_account *account);

/**
 * petmem_account_user() - describe a user who has a family
 * @counts: .index is read, all else is set
 *
 * Return: 0 or -ENOENT.
 */
int petmem_account_user(struct petmem_user_counts *counts);

/**
 * petmem_account_limits() - what the module parameters say
 * @counters: .max_family_pages and .max_user_pages are set
 */
void petmem_account_limits(struct petmem_counters *counters);

/**
 * petmem_account_may_log() - may a message of a user's processes go into the kernel's log?
 * @account: whose message; its family lives
 * @lines: of the message; charged to the user if so
 *
 * All processes of a user share one limit, root's too, so that no user can flood the log
 * or keep the messages of another user out of it.
 *
 * Context: process context.
 */
bool petmem_account_may_log(const struct petmem_account *account,
			    unsigned int lines);

#endif /* PETMEM_ACCOUNT_H */
