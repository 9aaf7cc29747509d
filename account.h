/* SPDX-License-Identifier: GPL-2.0 */
/*
 * account.h - count and limit the pages and allocations of families and users.
 *
 * Data pages and page tables are charged to the family whose fault, copy or free took
 * them, until they are free. Pages are shared only within a family, so it does not matter
 * which member is the last owner. A family is charged to the user who started it, whatever
 * becomes of its members; in a user namespace, to the user who created the namespace.
 *
 * An allocation takes kernel memory even if it is never touched, so the allocations of a
 * user are counted and limited, too.
 */
#ifndef PETMEM_ACCOUNT_H
#define PETMEM_ACCOUNT_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "petmem.h"

struct petmem_user;

/* The account of a family. */
struct petmem_account {
	atomic64_t pages;
	struct petmem_user *user;
};

/**
 * petmem_account_open() - open an account for the calling user
 * @account: zeroed
 *
 * Return: 0 or -ENOMEM.
 * Context: may sleep.
 */
int petmem_account_open(struct petmem_account *account);

/**
 * petmem_account_close() - close an account to which nothing is charged any more
 * @account: opened, or zeroed
 *
 * Context: any but interrupts.
 */
void petmem_account_close(struct petmem_account *account);

/**
 * petmem_charge() - charge an account for pages that were taken
 * @account: the account to charge
 * @num_pages: number of pages
 *
 * Return: 0; -ENOMEM, with nothing changed, when a limit would be exceeded.
 * Context: any.
 */
int petmem_charge(struct petmem_account *account, u64 num_pages);

/**
 * petmem_uncharge() - uncharge pages that became free
 * @account: the account they were charged to
 * @num_pages: number of pages
 *
 * Context: as petmem_charge().
 */
void petmem_uncharge(struct petmem_account *account, u64 num_pages);

/**
 * petmem_charge_allocations() - count new allocations of a memory map
 * @account: the account to charge
 * @count: number of new allocations
 *
 * Return: 0; -ENOMEM, with nothing changed, when the user would have too many.
 * Context: any but interrupts.
 */
int petmem_charge_allocations(struct petmem_account *account, u64 count);

/**
 * petmem_uncharge_allocations() - stop counting allocations
 * @account: the account they were charged to
 * @count: number of allocations that are gone
 *
 * Context: any but interrupts.
 */
void petmem_uncharge_allocations(struct petmem_account *account, u64 count);

/** petmem_max_map_allocations() - most allocations that one memory map may have */
u64 petmem_max_map_allocations(void);

/**
 * petmem_account_uid() - the user an account belongs to
 * @account: opened
 *
 * Return: the user's number in the caller's user namespace.
 */
u32 petmem_account_uid(const struct petmem_account *account);

/**
 * petmem_account_user() - describe a user who has a family
 * @counts: .index is read, all other fields are set
 *
 * Return: 0 or -ENOENT.
 */
int petmem_account_user(struct petmem_user_counts *counts);

/**
 * petmem_account_limits() - read the limits that the module parameters set
 * @counters: .max_family_pages and .max_user_pages are set
 */
void petmem_account_limits(struct petmem_counters *counters);

/**
 * petmem_account_may_log() - may a message of a user's process go to the kernel log?
 * @account: of the process's family, which is alive
 * @lines: lines of the message; charged to the user if the message may go
 *
 * All processes of a user share one limit, also those of root. So no user can flood the
 * log, or keep the messages of another user out of it.
 *
 * Context: process context.
 */
bool petmem_account_may_log(const struct petmem_account *account,
			    unsigned int lines);

#endif /* PETMEM_ACCOUNT_H */
