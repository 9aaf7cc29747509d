// SPDX-License-Identifier: GPL-2.0
/*
 * lazytest - sbrk() only promises pages (make AFTER=lazy): each comes when it is
 * used for the first time, by the program or by the kernel for it.
 */
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "fs.h"
#include "param.h"
#include "traps.h"
#include "memlayout.h"
#include "user.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define BIG (200 * MB)		/* most of the machine's 224 MB */
#define TOO_MUCH (1024 * MB)	/* more than the machine has */
#define SOME 20			/* pages */

static char *area;		/* promised, page-aligned */

static void get_area(int bytes)
{
	uint rest = (uint)sbrk(0) % PAGE;

	if (rest)
		sbrk(PAGE - rest);
	area = sbrk(bytes);
	require(area != (char *)-1);
}

/* Use what the test itself needs, its stack and its page tables, before counting. */
static void get_area_with_table(int bytes)
{
	get_area(bytes);
	*(volatile char *)area = 0;
	free_pages();
}

/* --- when pages come --------------------------------------------------------- */

static void a_promise_costs_nothing(void)
{
	int before;

	own_memory_except(0, 0);
	before = free_pages();
	get_area(TOO_MUCH);
	require(free_pages() == before);
	require(sbrk(-TOO_MUCH) == area + TOO_MUCH);
	require(free_pages() == before);
}

static void each_page_comes_alone(void)
{
	volatile char *p;
	int before, i;

	get_area_with_table((SOME + 1) * PAGE);
	before = free_pages();
	for (i = 1; i <= SOME; i++) {
		p = area + i * PAGE + i;
		if (i % 2)
			*p = i;
		else
			require(*p == 0);
		require(before - free_pages() == i);
		require(p[1] == 0);
		require(before - free_pages() == i);
	}
}

static void pages_are_zero(void)
{
	int round, i;

	for (round = 0; round < 3; round++) {
		get_area(SOME * PAGE);
		for (i = 0; i < SOME * PAGE; i++)
			require(area[i] == 0);
		memset(area, 0xff, SOME * PAGE);
		require(sbrk(-SOME * PAGE) == area + SOME * PAGE);
	}
}

/* Given back are the pages that have come; the others were never there. */
static void half_used_memory_is_given_back(void)
{
	int before, i;

	get_area_with_table(PAGE);
	before = free_pages();
	get_area(SOME * PAGE);
	for (i = 0; i < SOME; i += 2)
		area[i * PAGE] = 1;
	require(before - free_pages() == SOME / 2);
	sbrk(-SOME * PAGE);
	require(free_pages() == before);
}

/* A program that spreads over all of its memory needs few pages. */
static void sparse_use_of_a_gigabyte(void)
{
	int i;

	get_area(TOO_MUCH);
	for (i = 0; i < TOO_MUCH; i += 8 * MB)
		*(int *)(area + i) = i;
	for (i = 0; i < TOO_MUCH; i += 8 * MB)
		require(*(int *)(area + i) == i && area[i + PAGE] == 0);
}

/* --- where none comes ----------------------------------------------------------- */

static void load(uint address)
{
	*(volatile char *)address;
}

static void store(uint address)
{
	*(volatile char *)address = 1;
}

static void nothing_outside_the_heap(void)
{
	uint outside[] = { 0, PAGE - 1, guard_page(), guard_page() + PAGE - 1, 0,
			   KERNBASE - 4, KERNBASE + MB };
	uint i;

	get_area(SOME * PAGE);
	outside[4] = (uint)area + SOME * PAGE;
	for (i = 0; i < COUNT(outside); i++) {
		must_die(T_PGFLT, outside[i], load, outside[i]);
		must_die(T_PGFLT, outside[i], store, outside[i]);
		require(open((char *)outside[i], O_RDONLY) == -1);
	}
}

static void nothing_after_giving_back(void)
{
	uint last;

	get_area(SOME * PAGE);
	last = (uint)area + (SOME - 1) * PAGE;
	sbrk(-PAGE);
	must_die(T_PGFLT, last, load, last);
	must_die(T_PGFLT, last, store, last);
	require(open((char *)last, O_RDONLY) == -1);
}

/* --- the kernel uses it first ----------------------------------------------------- */

static void kernel_reads_promised_pages(void)
{
	int fd = open("lazyfile", O_CREATE | O_RDWR);
	int i;

	require(fd >= 0);
	get_area(3 * PAGE);
	require(write(fd, area + 100, 2 * PAGE) == 2 * PAGE);
	close(fd);
	fd = open("lazyfile", O_RDONLY);
	get_area(3 * PAGE);
	memset(area, 1, 3 * PAGE);
	require(read(fd, area, 3 * PAGE) == 2 * PAGE);
	for (i = 0; i < 3 * PAGE; i++)
		require(area[i] == (i >= 2 * PAGE));
	close(fd);
	require(unlink("lazyfile") == 0);
	get_area(PAGE);
	require(unlink(area) == -1);	/* the name is empty */
}

static void kernel_writes_promised_pages(void)
{
	static const char text[] = "over the border of two pages";
	struct stat *st;
	int *fds;
	char *p;

	get_area(8 * PAGE);
	fds = (int *)(area + PAGE - sizeof(*fds));
	require(pipe(fds) == 0);
	require(write(fds[1], text, sizeof(text)) == sizeof(text));
	p = area + 3 * PAGE - 5;
	require(read(fds[0], p, sizeof(text)) == sizeof(text));
	require(strcmp(p, text) == 0 && p[-1] == 0);
	st = (struct stat *)(area + 5 * PAGE - 6);
	require(stat("/README", st) == 0 && st->type == T_FILE && st->size > 0);
	require(sbrk(0) == area + 8 * PAGE);
}

/* --- with fork -------------------------------------------------------------------- */

static void use_in_child(int i)
{
	require(area[i * PAGE] == 0);
	area[i * PAGE] = 1;
	require(area[0] == 2);
}

/* A promise is not shared: each process has its own page for it. */
static void a_child_has_its_own(void)
{
	int i;

	get_area(SOME * PAGE);
	area[0] = 2;
	for (i = 1; i < SOME; i++) {
		in_child(use_in_child, i);
		require(area[i * PAGE] == 0);
	}
}

/* 200 MB for each of 50 processes, because none of them uses it. */
static void promises_to_fifty(void)
{
	struct gate g;
	int i;

	get_area(BIG);
	make_gate(&g);
	for (i = 0; i < 50; i++) {
		int pid = fork();

		require(pid >= 0);
		if (pid == 0) {
			require(sbrk(BIG) != (char *)-1);
			pass(&g);
			exit();
		}
	}
	open_gate(&g);
	reap(50);
}

/* --- promises that cannot be kept --------------------------------------------------- */

static void use_too_much(int unused)
{
	int i;

	(void)unused;
	get_area(TOO_MUCH);
	will_run_out_of_memory();
	for (i = 0; i < TOO_MUCH; i += PAGE)
		area[i] = 1;
	require(!"the process died");
}

/* The kernel finds no page for a buffer: the process ends before read() begins. */
static void read_too_much(int fd)
{
	get_area(TOO_MUCH);
	may_run_out_of_memory(getpid());
	while (free_pages() > 0) {
		*area = 1;
		area += PAGE;
	}
	read(fd, area, 1);
	require(!"the process died");
}

static void no_page_ends_the_process(void)
{
	int fds[2];
	char c = 0;

	get_area(SOME * PAGE);
	area[0] = 1;
	in_child(use_too_much, 0);
	require(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	in_child(read_too_much, fds[0]);
	require(read(fds[0], &c, 1) == 1 && c == 'x');	/* nobody has taken it */
	require(area[0] == 1 && area[PAGE] == 0);
}

static const struct test tests[] = {
	TEST(a_promise_costs_nothing),
	TEST(each_page_comes_alone),
	TEST(pages_are_zero),
	TEST(half_used_memory_is_given_back),
	TEST(sparse_use_of_a_gigabyte),
	TEST(nothing_outside_the_heap),
	TEST(nothing_after_giving_back),
	TEST(kernel_reads_promised_pages),
	TEST(kernel_writes_promised_pages),
	TEST(a_child_has_its_own),
	TEST(promises_to_fifty),
	TEST(no_page_ends_the_process),
};

int main(int argc, char *argv[])
{
	run_tests(tests, COUNT(tests), argc, argv);
}
