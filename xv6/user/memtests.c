// SPDX-License-Identifier: GPL-2.0
/* memtests.c - sbrk, malloc, and the borders of a process's memory. */
#include "types.h"
#include "fcntl.h"
#include "traps.h"
#include "memlayout.h"
#include "user.h"
#include "tap.h"
#include "usertests.h"

#define NO_MEMORY ((char *)-1)

/* --- sbrk ------------------------------------------------------------------ */

static void grows_byte_by_byte(void)
{
	char *end = sbrk(0);
	int i;

	for (i = 0; i < 5000; i++) {
		require(sbrk(1) == end);
		*end++ = i;
	}
	require(sbrk(0) == end);
	for (i = 1; i <= 5000; i++)
		require(end[-i] == (char)(5000 - i));
}

static void new_memory_is_zero(void)
{
	int round, i;

	for (round = 0; round < 3; round++) {
		char *p = sbrk(10 * PAGE);

		for (i = 0; i < 10 * PAGE; i++)
			require(p[i] == 0);
		memset(p, 0xff, 10 * PAGE);
		require(sbrk(-10 * PAGE) == p + 10 * PAGE);
	}
}

/* Where the end is not on a border, only the whole pages beyond it go. */
static void pages_are_retaken_as_zero(void)
{
	char *p = sbrk(2 * PAGE);
	int i;

	memset(p, 0xff, 2 * PAGE);
	sbrk(-PAGE - 100);
	require(sbrk(PAGE + 100) == p + PAGE - 100);
	for (i = PAGE; i < 2 * PAGE; i++)
		require(p[i] == 0);
	for (i = 0; i < PAGE - 100; i++)
		require(p[i] == (char)0xff);
}

static void grows_by_100_megabytes(void)
{
	char *p = sbrk(100 * MB);

	require(p != NO_MEMORY);
	p[0] = 1;
	p[100 * MB - 1] = 99;
	require(sbrk(-100 * MB) == p + 100 * MB);
	require(sbrk(0) == p);
	p = sbrk(100 * MB);
	require(p[0] == 0 && p[100 * MB - 1] == 0);
}

static void giving_back_frees(void)
{
	int before = free_pages();
	int round;

	for (round = 0; round < 5; round++) {
		require(sbrk(20 * MB) != NO_MEMORY);
		require(before - free_pages() >= 20 * MB / PAGE);
		require(sbrk(-20 * MB) != NO_MEMORY);
		require(before - free_pages() < 20);	/* page tables may stay */
	}
}

/* What cannot be done must fail whole, and change nothing. */
static void refuses_impossible_sizes(void)
{
	char *end = sbrk(PAGE) + PAGE;
	int impossible[] = {
		0x7fffffff, -0x7fffffff - 1, KERNBASE - (uint)end + 1,
		KERNBASE - (uint)end, KERNBASE - (uint)end - PAGE, 230 * MB,
		-(int)end, -(int)end - 1, -(int)end + 1, -(int)end + PAGE - 1,
		-(int)end + PAGE, -(int)end + PAGE + 1, -0x7fffffff,
	};
	int i;

	for (i = 0; i < COUNT(impossible); i++) {
		int before = free_pages();

		if (sbrk(impossible[i]) != NO_MEMORY) {
			printf(1, "# sbrk(0x%x)\n", impossible[i]);
			require(!"an impossible size was refused");
		}
		require(sbrk(0) == end);
		require(free_pages() <= before);
	}
	end[-1] = 1;
}

/* With k pages free: sbrk() of more fails and returns what it took. */
static void fails_whole_with_k_free_pages(void)
{
	int k;

	own_memory_except(0, 0);
	leave_free_pages(200);
	while ((k = free_pages()) > 0) {
		require(sbrk((k + 1) * PAGE) == NO_MEMORY);
		require(k - free_pages() <= 1);	/* a page table may stay */
		if (free_pages() > 0)
			require(sbrk(PAGE) != NO_MEMORY);
	}
}

static void try_100_megabytes(int done)
{
	char *p = sbrk(100 * MB);
	char c = p == NO_MEMORY ? 'n' : 'y';

	if (c == 'y') {
		p[0] = 'a';
		p[100 * MB - 1] = 'b';
	}
	require(write(done, &c, 1) == 1);
	sleep(1000000);
}

/* Most fail, and must give back the part that they got. */
static void ten_100_megabyte_children(void)
{
	int pids[10];
	int fds[2];
	int i, got = 0;
	char c;

	require(pipe(fds) == 0);
	for (i = 0; i < COUNT(pids); i++)
		pids[i] = spawn(try_100_megabytes, fds[1]);
	for (i = 0; i < COUNT(pids); i++) {
		require(read(fds[0], &c, 1) == 1);
		got += c == 'y';
	}
	printf(1, "# %d of %d got 100 MB\n", got, COUNT(pids));
	require(got <= 2);
	for (i = 0; i < COUNT(pids); i++)
		require(kill(pids[i]) == 0);
	reap(COUNT(pids));
	require(sbrk(100 * MB) != NO_MEMORY);
}

/* --- borders -------------------------------------------------------------------- */

static void load(uint address)
{
	*(volatile char *)address;
}

static void store(uint address)
{
	*(volatile char *)address = 1;
}

static void jump(uint address)
{
	asm volatile("jmp *%0" : : "r"(address));
}

static void kernel_memory_is_closed(void)
{
	uint address;

	for (address = KERNBASE; address < KERNBASE + 2 * MB; address += 9 * PAGE + 52)
		must_die(T_PGFLT, address, load, address);
	must_die(T_PGFLT, KERNBASE + MB, store, KERNBASE + MB);
	must_die(T_PGFLT, KERNBASE + MB, jump, KERNBASE + MB);
	must_die(T_PGFLT, 0xfffffffc, load, 0xfffffffc);
	must_die(T_PGFLT, 0xfee00020, load, 0xfee00020);
}

static void nothing_beyond_the_end(void)
{
	uint end = (uint)sbrk(PAGE) + PAGE;

	must_die(T_PGFLT, end, load, end);
	must_die(T_PGFLT, end, store, end);
	must_die(T_PGFLT, end + 64 * MB, load, end + 64 * MB);
	must_die(T_PGFLT, KERNBASE - 4, store, KERNBASE - 4);
}

/* Push words until the stack is left: the first one outside is at the address. */
static void overflow_stack(uint unused)
{
	(void)unused;
	asm volatile("1: pushl $0\n\tjmp 1b");
}

/* Too deep a recursion ends at the top of the guard page. */
static void stack_ends_in_guard(void)
{
	uint guard = guard_page();

	must_die(T_PGFLT, guard + PAGE - 4, overflow_stack, 0);
	must_die(T_PGFLT, guard + PAGE - 1, store, guard + PAGE - 1);
	must_die(T_PGFLT, guard, load, guard);
}

static void huge_read_is_harmless(void)
{
	char *end = sbrk(0);
	int fd = open("/README", O_RDONLY);
	char before = end[-1];

	require(fd >= 0);
	require(read(fd, end - 1, -1) == -1);
	require(end[-1] == before);
}

/* A name must not be taken from where nothing is mapped. */
static void link_checks_every_page(void)
{
	uint end = (uint)sbrk(0);
	uint p;

	for (p = 0; p < end + MB; p += PAGE)
		if (p < PAGE || p == guard_page() || p >= end)
			require(link("nosuchfile", (char *)p) == -1 &&
				link((char *)p, "nosuchfile") == -1);
	for (p = 0x7fff0000; p >= 0x7fff0000; p += 16 * MB)
		require(link((char *)p, (char *)p) == -1);
}

/* --- malloc ---------------------------------------------------------------------- */

static void exhaust_malloc(int bytes)
{
	void **list = 0;
	void **p;
	int n = 0;

	while ((p = malloc(bytes)) != 0) {
		*p = list;
		list = p;
		n++;
	}
	require(n > 10);
	while (list) {
		p = list;
		list = *p;
		free(p);
	}
	p = malloc(20 * bytes);	/* what was freed can be had again */
	require(p != 0);
	free(p);
}

static void malloc_all_memory(void)
{
	in_child(exhaust_malloc, 7919);
	in_child(exhaust_malloc, MB + 1);
}

static void malloc_blocks_are_apart(void)
{
	char *blocks[64];
	int i, j, n;

	for (i = 0; i < 64; i++) {
		n = 1 + i * 37;
		blocks[i] = malloc(n);
		require(blocks[i] != 0);
		memset(blocks[i], i, n);
	}
	for (i = 0; i < 64; i += 3)
		free(blocks[i]);
	for (i = 0; i < 64; i += 3) {
		blocks[i] = malloc(1 + i * 37);
		memset(blocks[i], i, 1 + i * 37);
	}
	for (i = 0; i < 64; i++) {
		for (j = 0; j < 1 + i * 37; j++)
			require(blocks[i][j] == (char)i);
		free(blocks[i]);
	}
	require(malloc(0x80000000) == 0);
	require(malloc(-1) == 0);
}

static const struct test tests[] = {
	TEST(grows_byte_by_byte),
	TEST(new_memory_is_zero),
	TEST(pages_are_retaken_as_zero),
	TEST(grows_by_100_megabytes),
	TEST(giving_back_frees),
	TEST(refuses_impossible_sizes),
	TEST(fails_whole_with_k_free_pages),
	TEST(ten_100_megabyte_children),
	TEST(kernel_memory_is_closed),
	TEST(nothing_beyond_the_end),
	TEST(stack_ends_in_guard),
	TEST(huge_read_is_harmless),
	TEST(link_checks_every_page),
	TEST(malloc_all_memory),
	TEST(malloc_blocks_are_apart),
};

const struct group memory_tests = { tests, COUNT(tests) };
