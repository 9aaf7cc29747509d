// SPDX-License-Identifier: GPL-2.0
/*
 * account.c - who has how many of the pool's pages, and how many they may have.
 *
 * What is charged to a family is guarded by the family's lock, which every fault and
 * every free holds anyway; what is charged to a user is a number that several families
 * change, and so atomic.
 */
#include "account.h"

#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "pool.h"

static unsigned long max_family_pages;
module_param(max_family_pages, ulong, 0644);
MODULE_PARM_DESC(
	max_family_pages,
	"pages that a process and its relatives by fork may have; 0: no limit");

static unsigned long max_user_pages;
module_param(max_user_pages, ulong, 0644);
MODULE_PARM_DESC(max_user_pages,
		 "pages that all processes of a user may have; 0: no limit");

struct petmem_user {
	struct list_head list;
	kuid_t uid;
	u64 families; /* that have it; guarded by users_lock */
	atomic64_t pages;
};

/* The last reference to a family is dropped where bottom halves are off. */
static DEFINE_SPINLOCK(users_lock);
static LIST_HEAD(users);

static struct petmem_user *user_of(kuid_t uid)
{
	struct petmem_user *user;

	lockdep_assert_held(&users_lock);

	list_for_each_entry(user, &users, list)
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

int petmem_account_open(struct petmem_account *account)
{
	struct petmem_user *new = kzalloc(sizeof(*new), GFP_KERNEL);
	struct petmem_user *user;

	if (!new)
		return -ENOMEM;
	new->uid = current_uid();
	spin_lock_bh(&users_lock);
	user = user_of(new->uid);
	if (!user) {
		user = new;
		new = NULL;
		list_add_tail(&user->list, &users);
	}
	user->families++;
	spin_unlock_bh(&users_lock);
	kfree(new);
	account->user = user;
	return 0;
}

void petmem_account_close(struct petmem_account *account)
{
	struct petmem_user *user = account->user;

	if (!user)
		return;
	WARN_ON_ONCE(account->pages);
	spin_lock_bh(&users_lock);
	if (--user->families)
		user = NULL;
	else
		list_del(&user->list);
	spin_unlock_bh(&users_lock);
	kfree(user);
}

static bool is_beyond(u64 pages, unsigned long max)
{
	return max && pages > max;
}

int petmem_charge(struct petmem_account *account, u64 num_pages)
{
	atomic64_t *of_user = &account->user->pages;

	if (is_beyond(account->pages + num_pages, READ_ONCE(max_family_pages)))
		return -ENOMEM;
	if (is_beyond(atomic64_add_return(num_pages, of_user),
		      READ_ONCE(max_user_pages))) {
		atomic64_sub(num_pages, of_user);
		return -ENOMEM;
	}
	account->pages += num_pages;
	return 0;
}

static u64 put(uintptr_t page_addr, bool large)
{
	return large ? petmem_put_large(page_addr) : petmem_put_page(page_addr);
}

uintptr_t petmem_alloc_charged(struct petmem_account *account, bool large)
{
	uintptr_t page_addr = large ? petmem_alloc_large()
				    : petmem_alloc_pages(1, PETMEM_PAGE_DATA);

	if (page_addr && petmem_charge(account, large ? PTRS_PER_PTE : 1)) {
		put(page_addr, large);
		return 0;
	}
	return page_addr;
}

void petmem_put_charged(struct petmem_account *account, uintptr_t page_addr,
			bool large)
{
	petmem_uncharge(account, put(page_addr, large));
}

void petmem_uncharge(struct petmem_account *account, u64 num_pages)
{
	account->pages -= num_pages;
	atomic64_sub(num_pages, &account->user->pages);
}

u32 petmem_account_uid(const struct petmem_account *account)
{
	return from_kuid_munged(current_user_ns(), account->user->uid);
}

int petmem_account_user(struct petmem_user_counts *counts)
{
	struct petmem_user *user;
	u32 index = 0;
	int err = -ENOENT;

	spin_lock_bh(&users_lock);
	list_for_each_entry(user, &users, list) {
		if (index++ != counts->index)
			continue;
		counts->uid = from_kuid_munged(current_user_ns(), user->uid);
		counts->families = user->families;
		counts->pages = atomic64_read(&user->pages);
		err = 0;
		break;
	}
	spin_unlock_bh(&users_lock);
	return err;
}

void petmem_account_limits(struct petmem_counters *counters)
{
	counters->max_family_pages = READ_ONCE(max_family_pages);
	counters->max_user_pages = READ_ONCE(max_user_pages);
}
