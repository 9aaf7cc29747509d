// SPDX-License-Identifier: GPL-2.0
/*
 * cowtest - copy-on-write fork: nobody sees a relative's writes, nothing is
 * copied before it must be, and every page comes back.
 *
 * Free pages are counted while all other processes sleep, so that differences
 * are exact.
 */
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "fs.h"
#include "param.h"
#include "syscall.h"
#include "traps.h"
#include "user.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FEW 10			/* pages */
#define BIG (200 * MB)		/* most of the machine's 224 MB */
#define FORKS_OF_BIG 40		/* that the machine must allow */
#define FORK_COST 20		/* pages, at most, for a small process */

static char *area;		/* the pages that a test shares */
static int area_pages;

/* The byte at offset @i of page @page, as written by @owner. */
static char expected(int page, int i, int owner)
{
	return page * 7 + i * 3 + owner * 31;
}

static void fill(int page, int owner)
{
	char *p = area + page * PAGE;
	int i;

	for (i = 0; i < PAGE; i++)
		p[i] = expected(page, i, owner);
}

static int filled_by(int page, int owner)
{
	const char *p = area + page * PAGE;
	int i;

	for (i = 0; i < PAGE; i++)
		if (p[i] != expected(page, i, owner))
			return 0;
	return 1;
}

static int all_filled_by(int owner)
{
	int page;

	for (page = 0; page < area_pages; page++)
		if (!filled_by(page, owner))
			return 0;
	return 1;
}

/* Get @n new pages, aligned, into area. They hold zeros. */
static void get_area(int n)
{
	uint rest = (uint)sbrk(0) % PAGE;

	if (rest)
		sbrk(PAGE - rest);
	area = sbrk(n * PAGE);
	require(area != (char *)-1);
	area_pages = n;
}

static void get_filled_area(int n, int owner)
{
	int page;

	get_area(n);
	for (page = 0; page < n; page++)
		fill(page, owner);
}

/* --- who sees what ----------------------------------------------------- */

enum { PARENT = 1, CHILD, GRANDCHILD };

static void fill_and_check_all(int owner)
{
	int page;

	for (page = 0; page < area_pages; page++)
		fill(page, owner);
	require(all_filled_by(owner));
}

static void child_writes_first(void)
{
	get_filled_area(FEW, PARENT);
	in_child(fill_and_check_all, CHILD);
	require(all_filled_by(PARENT));
	fill_and_check_all(GRANDCHILD);
}

static void parent_writes_first(void)
{
	struct gate g;

	get_filled_area(FEW, PARENT);
	make_gate(&g);
	if (fork() == 0) {
		pass(&g);
		require(all_filled_by(PARENT));
		fill_and_check_all(CHILD);
		exit();
	}
	fill_and_check_all(GRANDCHILD);
	open_gate(&g);
	reap(1);
	require(all_filled_by(GRANDCHILD));
}

/* One byte changes; the rest of the page must have been copied with it. */
static void change_one_byte(int at)
{
	char old = area[at];

	area[at] = ~old;
	require(area[at] == (char)~old);
	area[at] = old;
	require(all_filled_by(PARENT));
}

static void rest_of_page_is_copied(void)
{
	get_filled_area(2, PARENT);
	in_child(change_one_byte, 0);
	in_child(change_one_byte, PAGE - 1);
	in_child(change_one_byte, PAGE);
	require(all_filled_by(PARENT));
}

/*
 * The parent has just written, so its processor may still believe that the pages
 * are writable: it writes again at once, while the child has yet to look.
 */
static void parent_races_child(void)
{
	volatile char *p;
	int round, pid, i;

	get_area(FEW);
	p = area;
	for (round = 1; round < 100; round++) {
		for (i = 0; i < FEW; i++)
			p[i * PAGE] = round;
		pid = fork();
		for (i = 0; i < FEW; i++) {
			if (pid == 0)
				require(p[i * PAGE] == round);
			p[i * PAGE] = pid ? -1 : -2;
		}
		for (i = 0; i < FEW; i++)
			require(p[i * PAGE] == (pid ? -1 : -2));
		if (pid == 0)
			exit();
		require(pid > 0);
		reap(1);
	}
}

static void stack_is_copied(void)
{
	volatile int local = PARENT;
	struct gate g;

	make_gate(&g);
	if (fork() == 0) {
		local = CHILD;
		pass(&g);
		require(local == CHILD);
		exit();
	}
	require(local == PARENT);
	local = GRANDCHILD;
	open_gate(&g);
	reap(1);
	require(local == GRANDCHILD);
}

/* Each link of a chain of processes writes its own page and sees its ancestors'. */
static void chain(int depth)
{
	int page;

	fill(depth, depth);
	if (depth + 1 < area_pages)
		in_child(chain, depth + 1);
	for (page = 0; page < area_pages; page++)
		require(filled_by(page, page <= depth ? page : -1));
}

static void thirty_generations(void)
{
	get_filled_area(30, -1);
	chain(0);
}

static struct gate parent_gone;

static void wait_and_write(int unused)
{
	(void)unused;
	pass(&parent_gone);
	require(all_filled_by(PARENT));
	fill_and_check_all(GRANDCHILD);
}

static void leave_orphan(int unused)
{
	spawn(wait_and_write, unused);
}

static void orphan_keeps_its_pages(void)
{
	int before;

	own_memory_except(0, 0);
	before = free_pages();
	get_filled_area(FEW, PARENT);
	make_gate(&parent_gone);
	in_child(leave_orphan, 0);
	fill_and_check_all(CHILD);
	open_gate(&parent_gone);
	close(parent_gone.fds[0]);
	sbrk(-FEW * PAGE);
	require(wait_for_free_pages(before));
}

/* --- three generations that differ in size ------------------------------- */

#define GENERATIONS 3
#define MOST_PAGES 128

static int gate[GENERATIONS][2];	/* a byte lets that generation end */
static char owner_of[MOST_PAGES];

/* Lose @less pages and gain @more, which must be zero; fill those and a third. */
static void reshape(int less, int more, int owner)
{
	int kept = area_pages - less;
	int page, i;

	sbrk(-less * PAGE);
	require(sbrk(more * PAGE) == area + kept * PAGE);
	area_pages = kept + more;
	for (i = kept * PAGE; i < area_pages * PAGE; i++)
		require(area[i] == 0);
	for (page = 0; page < area_pages; page++)
		if (page >= kept || page % GENERATIONS == owner) {
			fill(page, owner);
			owner_of[page] = owner;
		}
}

static void check_owners(void)
{
	int page;

	for (page = 0; page < area_pages; page++)
		require(filled_by(page, owner_of[page]));
}

/* Be generation @me, parent of the next: wait to be let go, and end. */
static void generation(int me)
{
	static const int less[] = { 0, 20, 30 };
	static const int more[] = { 40, 25, 50 };
	char c;
	int i;

	reshape(less[me], more[me], me);
	if (me + 1 < GENERATIONS && fork() == 0) {
		close(gate[me][0]);
		generation(me + 1);
		exit();
	}
	for (i = me + 1; i < GENERATIONS; i++)
		close(gate[i][0]);
	require(read(gate[me][0], &c, 1) == 1);
	check_owners();
	fill_and_check_all(me);
}

/* Returns when that generation has ended: only then does write() give up. */
static void let_go(int who)
{
	static char more_than_a_pipe_holds[2 * PIPESIZE + 9];

	require(write(gate[who][1], more_than_a_pipe_holds,
		      sizeof(more_than_a_pipe_holds)) == -1);
	close(gate[who][1]);
}

static void three_generations(int first, int second, int third)
{
	int before, i;

	own_memory_except(0, 0);
	before = free_pages();
	get_area(0);
	for (i = 0; i < GENERATIONS; i++)
		require(pipe(gate[i]) == 0);
	if (fork() == 0) {
		for (i = 0; i < GENERATIONS; i++)
			close(gate[i][1]);
		generation(0);
		exit();
	}
	for (i = 0; i < GENERATIONS; i++)
		close(gate[i][0]);
	let_go(first);
	let_go(second);
	let_go(third);
	reap(1);
	require(wait_for_free_pages(before));
}

static void generations_end_012(void)
{
	three_generations(0, 1, 2);
}

static void generations_end_021(void)
{
	three_generations(0, 2, 1);
}

static void generations_end_102(void)
{
	three_generations(1, 0, 2);
}

static void generations_end_120(void)
{
	three_generations(1, 2, 0);
}

static void generations_end_201(void)
{
	three_generations(2, 0, 1);
}

static void generations_end_210(void)
{
	three_generations(2, 1, 0);
}

/* --- what it costs --------------------------------------------------------- */

static void fork_costs_no_copies(void)
{
	struct gate there, go;
	int before, cost;

	get_filled_area(500, PARENT);
	make_gate(&there);
	make_gate(&go);
	before = free_pages();
	if (fork() == 0) {
		open_gate(&there);
		pass(&go);
		require(all_filled_by(PARENT));
		exit();
	}
	pass(&there);
	cost = before - free_pages();
	printf(1, "# a fork of 500 pages costs %d\n", cost);
	require(cost <= FORK_COST);
	open_gate(&go);
	reap(1);
}

/* Where memory was given back there is nothing to copy, not even page tables. */
static void fork_after_shrink_costs_the_same(void)
{
	struct gate there, go;
	int before, cost;

	require(sbrk(BIG) != (char *)-1 && sbrk(-BIG) != (char *)-1);
	make_gate(&there);
	make_gate(&go);
	before = free_pages();
	if (fork() == 0) {
		open_gate(&there);
		pass(&go);
		exit();
	}
	pass(&there);
	cost = before - free_pages();
	printf(1, "# a fork after a shrink of 200 MB costs %d\n", cost);
	require(cost <= FORK_COST);
	open_gate(&go);
	reap(1);
}

static void count_own_writes(int pages)
{
	volatile char *p = area;
	int before, i;

	free_pages();		/* the first call may copy the stack... */
	before = free_pages();
	for (i = 0; i < pages; i++)
		p[i * PAGE]++;
	require(before - free_pages() == pages);
	for (i = 0; i < pages; i++)	/* each page is copied once only */
		p[i * PAGE + 1]++;
	require(before - free_pages() == pages);
}

static void a_write_costs_one_page(void)
{
	get_filled_area(100, PARENT);
	in_child(count_own_writes, 1);
	in_child(count_own_writes, 37);
	in_child(count_own_writes, 100);
}

static void require_writes_are_free(int pages)
{
	volatile char *p = area;
	int before = free_pages();
	int i;

	for (i = 0; i < pages; i++)
		p[i * PAGE]++;
	require(free_pages() == before);
}

static void do_nothing(int unused)
{
	(void)unused;
}

static void write_all(int pages)
{
	volatile char *p = area;
	int i;

	for (i = 0; i < pages; i++)
		p[i * PAGE]++;
}

/* With no relative left, the pages are taken back and not copied. */
static void last_owner_takes_back(void)
{
	get_filled_area(100, PARENT);
	in_child(do_nothing, 0);
	require_writes_are_free(100);
	in_child(write_all, 50);
	require_writes_are_free(100);
}

/* Taking back needs no free page, and so works when there is none. */
static void last_owner_needs_no_page(void)
{
	get_filled_area(FEW, PARENT);
	in_child(do_nothing, 0);
	own_memory_except(area, area_pages);
	leave_free_pages(0);
	write_all(FEW);
}

/* The last sharer takes back as well, while the child lives with its copies. */
static void last_sharer_takes_back(void)
{
	struct gate there, go;

	get_filled_area(100, PARENT);
	make_gate(&there);
	make_gate(&go);
	if (fork() == 0) {
		write_all(100);
		open_gate(&there);
		pass(&go);
		exit();
	}
	pass(&there);
	require_writes_are_free(100);
	open_gate(&go);
	reap(1);
}

static void write_out(int fd)
{
	int before;

	free_pages();		/* the first call may copy the stack... */
	before = free_pages();
	require(write(fd, area, 2 * PAGE) == 2 * PAGE);
	require(open(area, O_RDONLY) == -1);
	require(free_pages() == before);
}

/* The kernel reads shared pages without copying them. */
static void reading_copies_nothing(void)
{
	int fd = open("cowfile", O_CREATE | O_RDWR);

	require(fd >= 0);
	get_filled_area(2, PARENT);
	in_child(write_out, fd);
	require(unlink("cowfile") == 0);
}

#define LARGE_BUFFER 16	/* pages */

/* Read one byte, or a few, into the large buffer: one page is copied. */
static void read_little(int fd)
{
	int before, n;

	free_pages();		/* the first call may copy the stack... */
	before = free_pages();
	n = read(fd, area, LARGE_BUFFER * PAGE);
	require(n > 0 && n < PAGE);
	require(before - free_pages() == 1);
}

/* The kernel prepares no more of a buffer than it is going to write. */
static void reading_little_copies_little(void)
{
	int fd = open("cowfile", O_CREATE | O_RDWR);
	int fds[2];

	require(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
	get_filled_area(LARGE_BUFFER, PARENT);
	fd = open("cowfile", O_RDONLY);
	in_child(read_little, fd);
	close(fd);
	fd = open("/mem", O_RDONLY);
	in_child(read_little, fd);
	close(fd);
	require(pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	in_child(read_little, fds[0]);
	require(all_filled_by(PARENT));
	require(unlink("cowfile") == 0);
}

static void become_another_program(int unused)
{
	char *argv[] = { "echo", 0 };

	(void)unused;
	close(1);	/* echo is to be silent */
	exec("echo", argv);
	require(!"exec worked");
}

static void exec_lets_go(void)
{
	get_filled_area(100, PARENT);
	in_child(become_another_program, 0);
	require_writes_are_free(100);
}

static void grow_and_end(int pages)
{
	get_area(pages);
	write_all(pages);
}

/* A process that has ended but not been waited for holds next to nothing. */
static void zombies_hold_no_memory(void)
{
	int before = free_pages();
	int start = uptime();

	spawn(grow_and_end, 20 * MB / PAGE);
	do {
		sleep(10);
	} while (before - free_pages() > FORK_COST && uptime() - start < 300);
	require(before - free_pages() <= FORK_COST);
	reap(1);
}

/* --- giving memory back ----------------------------------------------------- */

static void give_back_and_retake(int pages)
{
	char *end = sbrk(0);
	int i;

	require(sbrk(-pages * PAGE) == end);
	require(sbrk(pages * PAGE) == end - pages * PAGE);
	for (i = 1; i <= pages * PAGE; i++)
		require(end[-i] == 0);
	memset(end - pages * PAGE, CHILD, pages * PAGE);
}

static void child_gives_back(void)
{
	get_filled_area(FEW, PARENT);
	in_child(give_back_and_retake, FEW / 2);
	in_child(give_back_and_retake, FEW);
	require(all_filled_by(PARENT));
	require_writes_are_free(FEW);
}

static void parent_gives_back(void)
{
	struct gate g;

	get_filled_area(FEW, PARENT);
	make_gate(&g);
	if (fork() == 0) {
		pass(&g);
		require(all_filled_by(PARENT));
		exit();
	}
	give_back_and_retake(FEW);
	open_gate(&g);
	reap(1);
}

static void load(uint address)
{
	*(volatile char *)address;
}

static void store(uint address)
{
	*(volatile char *)address = 1;
}

static void give_back_then_load(uint address)
{
	load(address);		/* so that the processor knows the page */
	sbrk(-PAGE);
	load(address);
}

static void give_back_then_store(uint address)
{
	store(address);
	sbrk(-PAGE);
	store(address);
}

static void given_back_is_gone(void)
{
	uint last;

	get_filled_area(FEW, PARENT);
	last = (uint)area + (FEW - 1) * PAGE;
	must_die(T_PGFLT, last, give_back_then_load, last);
	must_die(T_PGFLT, last + 8, give_back_then_store, last + 8);
	require(all_filled_by(PARENT));
}

static void store_in_grandchild(uint address)
{
	must_die(T_PGFLT, address, store, address);
	store(address);
}

/* The guard page is not writable either, yet nothing to copy. */
static void guard_page_stays(void)
{
	uint guard = guard_page();

	must_die(T_PGFLT, guard, store_in_grandchild, guard);
	must_die(T_PGFLT, guard + PAGE - 1, store, guard + PAGE - 1);
	must_die(T_PGFLT, guard + 100, load, guard + 100);
	must_die(T_PGFLT, guard, store, guard);
}

/* --- the kernel writes into shared pages -------------------------------------- */

#define SOURCE_BYTES (2 * PAGE + 100)	/* over three pages, or four */
#define SOURCE_STEP 13

static char source_byte(int i)
{
	return 1 + i % SOURCE_STEP * 5;
}

static void require_source_at(const char *p, int n)
{
	int i;

	for (i = 0; i < n; i++)
		require(p[i] == source_byte(i));
}

static void make_source(void)
{
	static char source[SOURCE_BYTES];
	int fd = open("cowfile", O_CREATE | O_RDWR);
	int i;

	require(fd >= 0);
	for (i = 0; i < SOURCE_BYTES; i++)
		source[i] = source_byte(i);
	require(write(fd, source, SOURCE_BYTES) == SOURCE_BYTES);
	close(fd);
}

/* Each of these makes the kernel write at @p, and looks at once. */

static void by_reading_file(char *p)
{
	int fd = open("cowfile", O_RDONLY);

	require(read(fd, p, SOURCE_BYTES) == SOURCE_BYTES);
	require_source_at(p, SOURCE_BYTES);
	close(fd);
}

static void by_reading_pipe(char *p)
{
	int fds[2];
	int i;
	char c;

	require(pipe(fds) == 0);
	for (i = 0; i < PIPESIZE; i++) {
		c = source_byte(i);
		require(write(fds[1], &c, 1) == 1);
	}
	require(read(fds[0], p, PIPESIZE) == PIPESIZE);
	require_source_at(p, PIPESIZE);
	close(fds[0]);
	close(fds[1]);
}

static void by_reading_device(char *p)
{
	int fd = open("/mem", O_RDONLY);

	require(read(fd, p, 16) > 0);
	require(p[0] >= '1' && p[0] <= '9');
	close(fd);
}

static void by_reading_directory(char *p)
{
	int fd = open("/", O_RDONLY);

	require(read(fd, p, sizeof(struct dirent)) == sizeof(struct dirent));
	require(((struct dirent *)p)->inum == ROOTINO);
	require(strcmp(((struct dirent *)p)->name, ".") == 0);
	close(fd);
}

static void by_fstat(char *p)
{
	int fd = open("cowfile", O_RDONLY);

	require(fstat(fd, (struct stat *)p) == 0);
	require(((struct stat *)p)->type == T_FILE);
	require(((struct stat *)p)->size == SOURCE_BYTES);
	close(fd);
}

static void by_pipe(char *p)
{
	int *fds = (int *)p;
	char c = 'x';

	require(pipe(fds) == 0);
	require(fds[0] > 2 && fds[1] > fds[0]);
	require(write(fds[1], &c, 1) == 1 && read(fds[0], &c, 1) == 1);
	close(fds[0]);
	close(fds[1]);
}

static void (*kernel_writes)(char *);

/* The processor knows the page as it was; then the kernel writes at @offset. */
static void kernel_writes_at(int offset)
{
	volatile char *p = area;
	int page;

	for (page = 0; page < area_pages; page++)
		p[page * PAGE];
	kernel_writes(area + offset);
}

static void kernel_writes_in_parent(int offset)
{
	struct gate g;

	make_gate(&g);
	if (fork() == 0) {
		pass(&g);
		require(all_filled_by(PARENT));
		exit();
	}
	kernel_writes_at(offset);
	open_gate(&g);
	reap(1);
}

/* In the child, in the parent, and with no sharing left: within and across pages. */
static void everywhere(void (*how)(char *))
{
	static const int offsets[] = { 0, 1000, PAGE - 1, PAGE - 4, PAGE - 6, 2 * PAGE - 7 };
	uint i;

	make_source();
	kernel_writes = how;
	get_area(5);
	for (i = 0; i < COUNT(offsets); i++) {
		fill_and_check_all(PARENT);
		in_child(kernel_writes_at, offsets[i]);
		require(all_filled_by(PARENT));
		kernel_writes_in_parent(offsets[i]);
		fill_and_check_all(PARENT);
		kernel_writes_at(offsets[i]);
	}
	require(unlink("cowfile") == 0);
}

static void kernel_writes_file_data(void)
{
	everywhere(by_reading_file);
}

static void kernel_writes_pipe_data(void)
{
	everywhere(by_reading_pipe);
}

static void kernel_writes_device_data(void)
{
	everywhere(by_reading_device);
}

static void kernel_writes_directory_data(void)
{
	everywhere(by_reading_directory);
}

static void kernel_writes_fstat(void)
{
	everywhere(by_fstat);
}

static void kernel_writes_pipe_numbers(void)
{
	everywhere(by_pipe);
}

/* --- many sharers ---------------------------------------------------------------- */

#define SHARERS 61		/* of a page, the test and its runner included */

static void write_at_once(struct gate *g, int me)
{
	pass(g);
	require(all_filled_by(PARENT));
	fill_and_check_all(me);
	exit();
}

static void sixty_one_sharers(void)
{
	struct gate g;
	int n = 0;
	int pid;

	get_filled_area(4, PARENT);
	make_gate(&g);
	while ((pid = fork()) != 0 && pid != -1)
		n++;
	if (pid == 0)
		write_at_once(&g, 2 + n);
	printf(1, "# %d processes share a page\n", n + 2);
	require(n + 2 >= SHARERS);
	open_gate(&g);
	reap(n);
	require(all_filled_by(PARENT));
	require_writes_are_free(4);
}

/* Look at one page in each megabyte and write to a few. */
static void sample_big(struct gate *g, int me)
{
	int i;

	pass(g);
	for (i = 0; i < BIG; i += MB)
		require(*(int *)(area + i) == i);
	for (i = 0; i < 4; i++)
		*(int *)(area + (me + i) % (BIG / MB) * MB) = -1;
	exit();
}

static void touch_big(int pages)
{
	int page;

	for (page = 0; page < pages; page++)
		*(int *)(area + page * PAGE) = page * PAGE;
}

/* The document's own experiment: malloc 200 MB, then fork many times. */
static void two_hundred_megabytes_fork(void)
{
	struct gate g;
	int n = 0;
	int i, pid;

	area = malloc(BIG);
	require(area != 0);
	touch_big(BIG / PAGE);
	make_gate(&g);
	while ((pid = fork()) != 0 && pid != -1)
		n++;
	if (pid == 0)
		sample_big(&g, n);
	printf(1, "# a process of 200 MB has %d children\n", n);
	require(n >= FORKS_OF_BIG);
	open_gate(&g);
	reap(n);
	for (i = 0; i < BIG; i += PAGE)
		require(*(int *)(area + i) == i);
}

/* --- too little memory -------------------------------------------------------------- */

static void write_too_much(int pages)
{
	volatile char *p = area;
	int i;

	will_run_out_of_memory();
	for (i = 0; i < pages; i++)
		p[i * PAGE + 5] = CHILD;
	require(!"the process died");
}

static void write_few_after(struct gate *g)
{
	pass(g);
	touch_big(100);
	require(*(int *)(area + BIG - PAGE) == BIG - PAGE);
	exit();
}

static void greedy_child_dies_alone(void)
{
	struct gate g;
	int i;

	get_area(BIG / PAGE);
	touch_big(BIG / PAGE);
	make_gate(&g);
	if (fork() == 0)
		write_few_after(&g);
	for (i = 0; i < 2; i++) {
		int pid = spawn(write_too_much, BIG / PAGE);

		require(wait() == pid);
	}
	open_gate(&g);
	reap(1);
	for (i = 0; i < BIG; i += PAGE) {
		require(*(int *)(area + i) == i);
		require(area[i + 5] == 0);
	}
}

/* Several at once: each alone could succeed, together they cannot. */
static void greedy_children_compete(void)
{
	struct gate g;
	int i, pid;

	get_area(60 * MB / PAGE);
	touch_big(area_pages);
	make_gate(&g);
	for (i = 0; i < 4; i++) {
		pid = fork();
		if (pid == 0) {
			pass(&g);
			write_all(area_pages);
			exit();
		}
		may_run_out_of_memory(pid);
	}
	own_memory_except(area, area_pages);
	open_gate(&g);
	reap(4);
	for (i = 0; i < area_pages; i++)
		require(*(int *)(area + i * PAGE) == i * PAGE);
}

/*
 * The kernel's own write needs a page and there is none. The process may be
 * refused or killed, but whoever else uses the file, the pipe or the console
 * must not be held up.
 */
static void kernel_write_without_memory(int fd)
{
	may_run_out_of_memory(getpid());
	own_memory_except(area, area_pages);
	leave_free_pages(0);
	read(fd, area, FEW);
}

static void no_memory_for_kernel_writes(void)
{
	char c[FEW];
	int fds[2];
	int fd, i;

	get_filled_area(FEW, PARENT);
	make_source();
	fd = open("cowfile", O_RDONLY);
	require(fd >= 0 && pipe(fds) == 0);
	for (i = 0; i < 3; i++) {
		require(write(fds[1], "0123456789", FEW) == FEW);
		in_child(kernel_write_without_memory, fd);
		in_child(kernel_write_without_memory, fds[0]);
		require(all_filled_by(PARENT));
	}
	require(write(fds[1], "0123456789", FEW) == FEW);
	require(read(fds[0], c, FEW) == FEW && c[0] == '0');
	require(fd >= 0 && read(fd, c, 1) == 1);
	require(unlink("cowfile") == 0);
}

/*
 * Fork; the child ends at once and the parent waits for it. Neither writes to
 * its memory in between: with no page free, that alone would kill it. Returns 1,
 * or 0 if fork() failed.
 */
static int fork_without_writing(void)
{
	int child, gone;

	asm volatile("int %5\n\t"
		     "movl %%eax, %%esi\n\t"
		     "testl %%eax, %%eax\n\t"
		     "js 2f\n\t"
		     "jnz 1f\n\t"
		     "movl %3, %%eax\n\t"
		     "int %5\n"
		     "1:\tmovl %4, %%eax\n\t"
		     "int %5\n"
		     "2:"
		     : "=a"(gone), "=&S"(child)
		     : "a"(SYS_fork), "i"(SYS_exit), "i"(SYS_wait), "i"(T_SYSCALL)
		     : "memory");
	require(child == -1 || gone == child);
	return child != -1;
}

#define MOST_FREE 140		/* pages that the sweep goes up to, at least */
#define IN_A_ROW 10		/* forks that must succeed at its end */

/* Fork with exactly k pages free, k = 0, 1, 2...: each failure undoes all. */
static void sweep(int unused)
{
	int good = 0, in_a_row = 0;
	int k;

	(void)unused;
	own_memory_except(area, area_pages);
	for (k = 0; k <= MOST_FREE || in_a_row < IN_A_ROW; k++) {
		require(k < 1000);
		leave_free_pages(k);
		require(free_pages() == k);
		if (fork_without_writing()) {
			in_a_row++;
			good++;
		} else {
			in_a_row = 0;
		}
		require(free_pages() == k);
	}
	printf(1, "# of %d forks %d succeeded\n", k, good);
	require(good > 0 && good < k);
	require(in_a_row == good);	/* none succeeded with fewer pages free */
}

static void fork_with_k_free_pages(void)
{
	get_filled_area(FEW, PARENT);
	in_child(sweep, 0);
	require(all_filled_by(PARENT));
}

/* The same while a relative shares the pages: their counts must survive too. */
static void fork_with_k_free_pages_and_a_relative(void)
{
	struct gate relative, hog;

	get_filled_area(FEW, PARENT);
	make_gate(&relative);
	if (fork() == 0) {
		pass(&relative);
		require(all_filled_by(PARENT));
		fill_and_check_all(CHILD);
		exit();
	}
	start_hog(&hog, 2 * MOST_FREE);
	sweep(0);
	require(all_filled_by(PARENT));
	open_gate(&hog);
	require(wait() > 0);
	open_gate(&relative);
	reap(1);
	fill_and_check_all(GRANDCHILD);
}

#define RACES 100
#define RACE_GRID (1 << 21)	/* cycles between two moments to race at: about 1 ms */
#define LOOK_GRID (1 << 18)	/* and to look at what is free */

static unsigned long long read_tsc(void)
{
	unsigned long long tsc;

	asm volatile("rdtsc" : "=A"(tsc));
	return tsc;
}

/* Wait for the next moment of a grid, which is the same on all processors. */
static void spin_until_next(uint grid)
{
	unsigned long long when = (read_tsc() | (grid - 1)) + 1;

	while (read_tsc() < when)
		;
}

/*
 * Pages that are free tell the racers what they need to know of each other: before
 * a race there is one, and one racer takes it. After it the parent lets one go, the
 * child two; then the parent takes two.
 */
enum { RACE = 1, RACE_IS_OVER = 3 };

static void spin_until_free(int n)
{
	int left;

	while ((left = free_pages()) != n) {
		require(left <= RACE_IS_OVER);	/* else the other has died */
		spin_until_next(LOOK_GRID);
	}
}

static void write_when_the_other_does(int page)
{
	spin_until_next(RACE_GRID);
	*(volatile char *)(area + page * PAGE) = 1;
}

static void race_as_child(void)
{
	int i;

	for (i = 0; i < RACES; i++) {
		write_when_the_other_does(i);
		require(sbrk(-2 * PAGE) != (char *)-1);
		spin_until_free(RACE);
	}
}

static void race_as_parent(void)
{
	int i;

	for (i = 0; i < RACES; i++) {
		write_when_the_other_does(i);
		sbrk(-PAGE);
		spin_until_free(RACE_IS_OVER);
		require(sbrk(2 * PAGE) != (char *)-1);
	}
}

/*
 * Two owners of a page write at the same time: one page for a copy is enough,
 * because the owner that does not get it is alone. If one is killed all the same,
 * the kernel says so, and that is not announced.
 */
static void two_owners_need_one_page(void)
{
	struct gate child_is_there, go, ready;

	get_filled_area(RACES, PARENT);
	make_gate(&child_is_there);
	make_gate(&go);
	make_gate(&ready);
	if (fork() == 0) {
		own_memory_except(area, area_pages);
		require(sbrk(2 * RACES * PAGE) != (char *)-1);	/* to give back */
		open_gate(&child_is_there);
		pass(&go);
		leave_free_pages(RACE);
		open_gate(&ready);
		race_as_child();
		exit();
	}
	pass(&child_is_there);
	own_memory_except(area, area_pages);
	leave_free_pages(0);
	sbrk(-RACES * PAGE);	/* leaves tables for pages to take: it is one a race */
	open_gate(&go);
	pass(&ready);
	race_as_parent();
	reap(1);
}

/* --- all processors at once ------------------------------------------------------------ */

#define WORKERS 8
#define STRESS_TICKS 100

/* Fork and end children as fast as possible: counts of the same pages go up and down. */
static void fork_repeatedly(int until)
{
	while (uptime() < until) {
		int pid = fork();

		if (pid == 0)
			exit();
		if (pid > 0)
			require(wait() == pid);
	}
}

static void counts_on_all_processors(void)
{
	int until = uptime() + STRESS_TICKS;
	int i;

	get_area(300);
	write_all(area_pages);
	for (i = 0; i < WORKERS; i++)
		spawn(fork_repeatedly, until);
	reap(WORKERS);
	require_writes_are_free(area_pages);
}

/* Children write some shared pages, their parent others, and all is checked. */
static void write_repeatedly(int me)
{
	int until = uptime() + STRESS_TICKS;
	int round, page, pid;

	for (round = 0; uptime() < until; round++) {
		page = (me + round) % area_pages;
		pid = fork();
		fill(page, pid ? me : -me);
		require(filled_by(page, pid ? me : -me));
		if (pid == 0)
			exit();
		if (pid > 0)
			require(wait() == pid);
		require(filled_by(page, me));
	}
}

static void writes_on_all_processors(void)
{
	int i;

	get_filled_area(24, PARENT);
	for (i = 0; i < WORKERS; i++)
		spawn(write_repeatedly, 2 + i);
	reap(WORKERS);
	require(all_filled_by(PARENT));
	require_writes_are_free(area_pages);
}

static const struct test tests[] = {
	TEST(child_writes_first),
	TEST(parent_writes_first),
	TEST(rest_of_page_is_copied),
	TEST(parent_races_child),
	TEST(stack_is_copied),
	TEST(thirty_generations),
	TEST(orphan_keeps_its_pages),
	TEST(generations_end_012),
	TEST(generations_end_021),
	TEST(generations_end_102),
	TEST(generations_end_120),
	TEST(generations_end_201),
	TEST(generations_end_210),
	TEST(fork_costs_no_copies),
	TEST(fork_after_shrink_costs_the_same),
	TEST(a_write_costs_one_page),
	TEST(last_owner_takes_back),
	TEST(last_owner_needs_no_page),
	TEST(last_sharer_takes_back),
	TEST(reading_copies_nothing),
	TEST(reading_little_copies_little),
	TEST(exec_lets_go),
	TEST(zombies_hold_no_memory),
	TEST(child_gives_back),
	TEST(parent_gives_back),
	TEST(given_back_is_gone),
	TEST(guard_page_stays),
	TEST(kernel_writes_file_data),
	TEST(kernel_writes_pipe_data),
	TEST(kernel_writes_device_data),
	TEST(kernel_writes_directory_data),
	TEST(kernel_writes_fstat),
	TEST(kernel_writes_pipe_numbers),
	TEST(sixty_one_sharers),
	TEST(two_hundred_megabytes_fork),
	TEST(greedy_child_dies_alone),
	TEST(greedy_children_compete),
	TEST(no_memory_for_kernel_writes),
	TEST(fork_with_k_free_pages),
	TEST(fork_with_k_free_pages_and_a_relative),
	TEST(two_owners_need_one_page),
	TEST(counts_on_all_processors),
	TEST(writes_on_all_processors),
};

int main(int argc, char *argv[])
{
	run_tests(tests, COUNT(tests), argc, argv);
}
