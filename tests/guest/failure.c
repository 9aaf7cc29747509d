// SPDX-License-Identifier: GPL-2.0
/*
 * failure.c - memory that has failed, before it is donated and while it is.
 *
 * Failed pages stay donated, so this needs a guest of its own, with nothing donated.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "guest.h"

#define BLOCKS "/sys/devices/system/memory/"
#define INJECT "/sys/kernel/debug/mce-inject/"

#define LARGE ((size_t)2 * MIB)

enum { FAILED = 3, SEED = 5, OTHER_SEED = 6 };

/* ---- Memory that fails while Linux has it ---- */

static uint64_t block_size;
/* Pages of one block, which is then donated, or refused with this error. */
static uint64_t failed[FAILED];
static int donation_error;

static struct petmem_extent failed_block(void)
{
	uint64_t start = failed[0] / block_size * block_size;

	return (struct petmem_extent){ start, block_size };
}

static const char *state_path(void)
{
	static char path[100];

	snprintf(path, sizeof(path), BLOCKS "memory%llu/state",
		 failed_block().start / block_size);
	return path;
}

static bool is_movable(void)
{
	char path[100], zones[32] = "";
	int file;

	snprintf(path, sizeof(path), BLOCKS "memory%llu/valid_zones",
		 failed_block().start / block_size);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	if (read(file, zones, sizeof(zones) - 1) < 0)
		zones[0] = '\0';
	close(file);
	return strcmp(zones, "Movable\n") == 0;
}

/*
 * Find a block that can go offline; those with holes cannot. All its pages are free once
 * it is online again.
 */
static void find_block(void)
{
	enum { BLOCKS_MAX = 64 };

	for (failed[0] = 0; failed[0] < BLOCKS_MAX * block_size;
	     failed[0] += block_size)
		if (is_movable() && write_file(state_path(), "offline") == 0) {
			CHECK(write_file(state_path(), "online_movable") == 0);
			return;
		}
	CHECK(!"a block that can go offline");
}

/* Fail pages as if the processor had reported them. */
static void fail_pages(void)
{
	enum { DISTANCE = 777 };
	char number[32];

	find_block();
	for (size_t i = FAILED; i-- > 0;) {
		failed[i] = failed_block().start + (i + 1) * DISTANCE * PAGE;
		snprintf(number, sizeof(number), "%#llx",
			 (unsigned long long)failed[i]);
		CHECK(write_file(BLOCKS "hard_offline_page", number) == 0);
	}
}

static bool can_fail_pages(void)
{
	return access(BLOCKS "hard_offline_page", F_OK) == 0;
}

/* Nothing was donated when the program began. */
static bool is_alone;

static void need_own_guest(void)
{
	if (!is_alone)
		skip_case("memory is donated already");
}

static void need_failures(void)
{
	need_own_guest();
	if (!can_fail_pages())
		skip_case("the kernel cannot be told that a page has failed");
}

static void donate_failed(void)
{
	struct petmem_extent extent;
	int device = open_device();

	block_size = pool_status().block_size;
	fail_pages();
	extent = failed_block();
	CHECK(write_file(state_path(), "offline") == 0);
	if (ioctl(device, PETMEM_IOC_DONATE, &extent))
		donation_error = errno;
	close(device);
}

/* ---- The kind of a page in the pool ---- */

static struct petmem_run run_at(uint64_t addr)
{
	struct petmem_run run = { .addr = addr };
	int device = open_device();

	CHECK(ioctl(device, PETMEM_IOC_RUN, &run) == 0);
	close(device);
	return run;
}

static bool is_bad(uint64_t addr)
{
	struct petmem_run run = run_at(addr);

	return run.kind == PETMEM_RUN_BAD;
}

static bool all_are_bad(void)
{
	for (size_t i = 0; i < FAILED; i++)
		if (!is_bad(failed[i]))
			return false;
	return true;
}

static void need_failed_block(void)
{
	need_failures();
	if (donation_error)
		skip_case("the kernel forgets which pages have failed");
}

/*
 * A kernel that fills the struct pages of offline memory with a pattern (CONFIG_DEBUG_VM)
 * knows how many have failed, but not which.
 */
static void found(void)
{
	struct petmem_status status = pool_status();

	need_failures();
	if (donation_error) {
		CHECK(donation_error == EOPNOTSUPP);
		CHECK(access("/sys/kernel/debug/kmemleak", F_OK) == 0);
		return;
	}
	CHECK(status.bad_pages >= FAILED);
	CHECK(all_are_bad());
	run(0, "petmem --status");
	CHECK(says("bad_pages: "));
	CHECK(!strstr(output, "bad_pages: 0\n"));
	run(0, "cat /sys/class/misc/petmem/counters/bad_pages");
	CHECK(strtoull(output, NULL, 10) == status.bad_pages);
	run(0, "petmem pool");
}

static void take_all(char *memory)
{
	size_t pages = 0;

	take_most(memory);
	while (!faults(memory + pages * PAGE, WRITE))
		pages++;
}

static void never_handed_out(void)
{
	struct petmem_status status = pool_status();
	char *memory;

	need_failed_block();
	connect_petmem();
	memory = must_malloc(2 * status.total_pages * PAGE);
	take_all(memory);
	CHECK(pool_status().bad_pages == status.bad_pages);
	CHECK(all_are_bad());
	pet_free(memory);
	CHECK(pool_status().bad_pages == status.bad_pages);
	CHECK(all_are_bad());
}

static void stays_donated(void)
{
	struct petmem_extent extent;
	int device = open_device();

	need_failed_block();
	extent = failed_block();
	CHECK(ioctl(device, PETMEM_IOC_RELEASE, &extent) == -1 &&
	      errno == EHWPOISON);
	CHECK(write_file(state_path(), "online") == -1 && errno == EINVAL);
	run(1, "petmem --release 2>&1");
	CHECK(says("stays donated: "));
	CHECK(all_are_bad());
}

/* ---- Memory that fails while it is donated ---- */

/*
 * A machine check's report of an uncorrected memory error, in the page at a physical
 * address. Intel and AMD have different codes for such an error; these bits are both.
 * Bank 4 is AMD's memory controller.
 */
#define STATUS "0xbc00000000080080"
#define MISC "0x8c"
#define BANK "4"

static int log_of_kernel;

static void need_injection(void)
{
	need_own_guest();
	if (access(INJECT "bank", F_OK))
		skip_case("no machine checks can be injected");
	CHECK(pool_status().free_pages > 0);
	log_of_kernel = open_log();
}

/* Wait until the kernel has logged @text. */
static void await_message(const char *text)
{
	enum { LIMIT_MS = 60000 };
	struct pollfd ready = { .fd = log_of_kernel, .events = POLLIN };

	while (!messages(log_of_kernel, text))
		CHECK(poll(&ready, 1, LIMIT_MS) == 1);
}

static void fail_at(uint64_t addr)
{
	char number[32], text[64];

	snprintf(number, sizeof(number), "%#llx", (unsigned long long)addr);
	CHECK(write_file(INJECT "flags", "sw\n") == 0);
	CHECK(write_file(INJECT "status", STATUS) == 0);
	CHECK(write_file(INJECT "misc", MISC) == 0);
	CHECK(write_file(INJECT "addr", number) == 0);
	CHECK(write_file(INJECT "bank", BANK) == 0);
	snprintf(text, sizeof(text), "petmem: the page at %#llx has failed",
		 (unsigned long long)addr / PAGE * PAGE);
	await_message(text);
}

/* The frame of a petmem page, and of the last table on the path to it. */
static uint64_t frame_behind(const void *addr, uint64_t *table)
{
	enum { FRAME_BITS = 52 };
	uint64_t mask = ((1ULL << FRAME_BITS) - 1) & ~(PAGE - 1);
	struct petmem_walk way;

	walk(0, addr, &way);
	CHECK(way.level[way.nr - 1].kind == PETMEM_WALK_PAGE);
	if (table)
		*table = way.level[way.nr - 2].entry & mask;
	return way.level[way.nr - 1].entry & mask;
}

static bool bad_pages_are(uint64_t count)
{
	struct petmem_status status = pool_status();

	if (status.bad_pages != count)
		printf("# bad_pages: %llu, not %llu\n", status.bad_pages,
		       (unsigned long long)count);
	return status.bad_pages == count &&
	       status.total_pages == status.free_pages + status.bad_pages +
					     status.table_pages +
					     status.data_pages;
}

/* Fail a free page in the middle of free ones, twice. */
static void free_page(void)
{
	struct petmem_block block = { .index = 0 };
	struct petmem_status before = pool_status();
	struct petmem_run run;
	uint64_t addr;
	int device = open_device();

	need_injection();
	CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	for (addr = block.start;; addr += run.size) {
		run = run_at(addr);
		if (run.kind == PETMEM_RUN_FREE && run.size > PAGE)
			break;
	}
	addr += run.size / 2;
	fail_at(addr + PAGE / 2);
	CHECK(is_bad(addr) && !is_bad(addr - PAGE));
	CHECK(bad_pages_are(before.bad_pages + 1));
	fail_at(addr);
	CHECK(bad_pages_are(before.bad_pages + 1));
}

static void page_in_use(void)
{
	struct petmem_status before = pool_status();
	uint64_t frame, table;
	char *memory;

	need_injection();
	connect_petmem();
	memory = must_malloc(3 * PAGE);
	fill(memory, 3 * PAGE, SEED);
	frame = frame_behind(memory + PAGE, &table);
	fail_at(frame);
	fail_at(table);
	/* The owner keeps a failed page as long as it can be read. */
	CHECK(bad_pages_are(before.bad_pages));
	CHECK(holds(memory, 3 * PAGE, SEED));
	pet_free(memory);
	CHECK(bad_pages_are(before.bad_pages + 2));
	CHECK(is_bad(frame) && is_bad(table));
}

static void part_of_large_page(void)
{
	struct petmem_status before = pool_status();
	uint64_t frame;
	char *memory;

	need_injection();
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	connect_petmem();
	memory = must_malloc(LARGE);
	fill(memory, LARGE, SEED);
	frame = frame_behind(memory, NULL) + 7 * PAGE;
	fail_at(frame);
	CHECK(bad_pages_are(before.bad_pages));
	CHECK(holds(memory, LARGE, SEED));
	pet_free(memory);
	CHECK(bad_pages_are(before.bad_pages + 1));
	CHECK(is_bad(frame) && !is_bad(frame - PAGE) && !is_bad(frame + PAGE));
	/* The rest of it is still usable. */
	memory = must_malloc(LARGE);
	fill(memory, LARGE, OTHER_SEED);
	CHECK(frame_behind(memory, NULL) != frame - 7 * PAGE);
}

static void write_to(void *argument)
{
	*(volatile char *)argument = OTHER_SEED;
}

static void copy_and_read(void *argument)
{
	char *memory = argument;

	fill(memory, PAGE, OTHER_SEED);
	CHECK(holds(memory, PAGE, OTHER_SEED));
	CHECK(holds(memory + PAGE, PAGE, SEED));
}

/* A failed page is not copied: the writer dies, and nobody else notices. */
static void copy(void)
{
	struct petmem_status before = pool_status();
	char *memory;

	need_injection();
	connect_petmem();
	memory = must_malloc(2 * PAGE);
	fill(memory, PAGE, SEED);
	fill(memory + PAGE, PAGE, SEED);
	fail_at(frame_behind(memory + PAGE, NULL));
	CHECK(dies_by(is_native() ? SIGBUS : SIGSEGV, write_to, memory + PAGE));
	join(spawn(copy_and_read, memory));
	CHECK(holds(memory + PAGE, PAGE, SEED));
	/* The last owner needs no copy. */
	fill(memory + PAGE, PAGE, OTHER_SEED);
	pet_free(memory);
	CHECK(bad_pages_are(before.bad_pages + 1));
}

/* The good 4 KiB pages of a 2 MiB page are copied. */
static void copy_part(void *argument)
{
	char *memory = argument;

	fill(memory, PAGE, OTHER_SEED);
	CHECK(holds(memory, PAGE, OTHER_SEED));
	CHECK(holds(memory + PAGE, PAGE, SEED));
}

static void copy_of_large_page(void)
{
	char *memory;

	need_injection();
	CHECK(setenv("PETMEM_LARGE_PAGES", "1", 1) == 0);
	connect_petmem();
	memory = must_malloc(LARGE);
	for (size_t i = 0; i < LARGE; i += PAGE)
		fill(memory + i, PAGE, SEED);
	fail_at(frame_behind(memory, NULL) + 9 * PAGE);
	join(spawn(copy_part, memory));
	CHECK(dies_by(is_native() ? SIGBUS : SIGSEGV, write_to,
		      memory + 9 * PAGE));
	for (size_t i = 0; i < LARGE; i += PAGE)
		CHECK(holds(memory + i, PAGE, SEED));
}

static const struct guest_case cases[] = {
	{ "pages that failed before they were donated are found", found },
	{ "and never handed out", never_handed_out },
	{ "and stay donated", stays_donated },
	{ "a free page fails", free_page },
	{ "pages in use fail, and are kept when they come back", page_in_use },
	{ "a part of a 2 MiB page fails", part_of_large_page },
	{ "a page that has failed is not copied", copy },
	{ "the rest of a 2 MiB page is", copy_of_large_page },
};

int main(void)
{
	is_alone = !pool_status().total_pages;
	if (is_alone && can_fail_pages())
		donate_failed();
	if (!pool_status().total_pages)
		run(0, "petmem 128");
	return run_cases(cases, COUNT_OF(cases));
}
