// SPDX-License-Identifier: GPL-2.0
/*
 * account.c - count and limit the pages and allocations of families and users.
 *
 * Several faults may change the counts of a family and of its user, so all are atomic.
 */
#include "account.h"

#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

static unsigned long max_family_pages;
module_param(max_family_pages, ulong, 0644);
MODULE_PARM_DESC(
	max_family_pages,
	"pages, page tables included, that a process and its relatives by fork may have; 0: no limit");

static unsigned long max_user_pages;
module_param(max_user_pages, ulong, 0644);
MODULE_PARM_DESC(
	max_user_pages,
	"pages, page tables included, that all processes of a user may have; 0: no limit");

/*
 * An allocation takes two nodes of a memory map, some 200 bytes of kernel memory. By
 * default a process may take 50 MB, and a user 200 MB. Linux's own limit, vm.max_map_count,
 * is a quarter of the first.
 */
#define DEFAULT_MAP_ALLOCATIONS (1UL << 18)
#define DEFAULT_USER_ALLOCATIONS (1UL << 20)

static unsigned long max_map_allocations = DEFAULT_MAP_ALLOCATIONS;
module_param(max_map_allocations, ulong, 0644);
MODULE_PARM_DESC(max_map_allocations,
		 "allocations that a process may have; 0: no limit");

static unsigned long max_user_allocations = DEFAULT_USER_ALLOCATIONS;
module_param(max_user_allocations, ulong, 0644);
MODULE_PARM_DESC(
	max_user_allocations,
	"allocations that all processes of a user may have; 0: no limit");

struct petmem_user {
	struct list_head list;
	kuid_t uid;
	u64 families; /* of this user; guarded by users_lock */
	atomic64_t pages;
	atomic64_t allocations;
};

/* Bottom halves may be off when the last reference to a family is dropped. */
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

/*
 * The user who pays for what the caller takes. A user namespace can hold processes of many
 * users, so the user who created it pays; for nested namespaces, the creator of the
 * outermost.
 */
static kuid_t paying_user(void)
{
	const struct user_namespace *namespace = current_user_ns();
	kuid_t uid = current_uid();

	for (; namespace != &init_user_ns; namespace = namespace->parent)
		uid = namespace->owner;
	return uid;
}

int petmem_account_open(struct petmem_account *account)
{
	struct petmem_user *new = kzalloc(sizeof(*new), GFP_KERNEL);
	struct petmem_user *user;

	if (!new)
		return -ENOMEM;
	new->uid = paying_user();
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
	WARN_ON_ONCE(atomic64_read(&account->pages));
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

/* Add to a count, unless it would exceed @max. It is never too high for a moment. */
static bool add_up_to(atomic64_t *count, u64 more, unsigned long max)
{
	s64 old = atomic64_read(count);

	if (!max) {
		atomic64_add(more, count);
		return true;
	}
	do {
		if (is_beyond(old + more, max))
			return false;
	} while (!atomic64_try_cmpxchg(count, &old, old + more));
	return true;
}

int petmem_charge(struct petmem_account *account, u64 num_pages)
{
	if (!add_up_to(&account->pages, num_pages, READ_ONCE(max_family_pages)))
		return -ENOMEM;
	if (!add_up_to(&account->user->pages, num_pages,
		       READ_ONCE(max_user_pages))) {
		atomic64_sub(num_pages, &account->pages);
		return -ENOMEM;
	}
	return 0;
}

void petmem_uncharge(struct petmem_account *account, u64 num_pages)
{
	atomic64_sub(num_pages, &account->pages);
	atomic64_sub(num_pages, &account->user->pages);
}

int petmem_charge_allocations(struct petmem_account *account, u64 count)
{
	atomic64_t *of_user = &account->user->allocations;

	if (is_beyond(atomic64_add_return(count, of_user),
		      READ_ONCE(max_user_allocations))) {
		atomic64_sub(count, of_user);
		return -ENOMEM;
	}
	return 0;
}

void petmem_uncharge_allocations(struct petmem_account *account, u64 count)
{
	atomic64_sub(count, &account->user->allocations);
}

u64 petmem_max_map_allocations(void)
{
	return READ_ONCE(max_map_allocations) ?: U64_MAX;
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

/* ---- The kernel's log ---- */

/*
 * In the long run a user gets LOG_LINES_PER_SECOND, the kernel's own limit for one message
 * (DEFAULT_RATELIMIT_*); at once, LOG_LINES_AT_ONCE and one more message.
 */
#define LOG_LINES_PER_SECOND 2
#define LOG_LINES_AT_ONCE 64

#define LOG_HASH_BITS 6

/*
 * The time in jiffies at which all lines of a user are paid for. It is kept outside of
 * struct petmem_user, which is freed with the user's last family: the next family must not
 * begin with a clean slate. Users with the same hash share one entry.
 */
static u64 paid_until[1 << LOG_HASH_BITS];
static DEFINE_SPINLOCK(paid_lock);

static u64 log_time(unsigned int lines)
{
	return lines * HZ / LOG_LINES_PER_SECOND;
}

bool petmem_account_may_log(const struct petmem_account *account,
			    unsigned int lines)
{
	u64 *paid = &paid_until[hash_32(__kuid_val(account->user->uid),
					LOG_HASH_BITS)];
	u64 now = get_jiffies_64();
	bool may_log;

	spin_lock(&paid_lock);
	*paid = max(*paid, now);
	may_log = *paid - now < log_time(LOG_LINES_AT_ONCE);
	if (may_log)
		*paid += log_time(lines);
	spin_unlock(&paid_lock);
	return may_log;
}
