// SPDX-License-Identifier: GPL-2.0
/*
 * mmaptest - files as memory (make AFTER=mmap): what a mapping shows, what reaches the
 * file, and what relatives see of each other.
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

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

#define FILE "mapfile"
#define PAGES 3
#define TAIL 700			/* bytes of the file in its last page */
#define SIZE ((PAGES - 1) * PAGE + TAIL)

#define RW (PROT_READ | PROT_WRITE)
#define NOWHERE ((char *)MAP_FAILED)

/* What the file shall contain. */
static char expected[(PAGES + 2) * PAGE];
static uint expected_size;

/* --- files and mappings --------------------------------------------------------- */

static void write_all(int fd, const char *from, int n)
{
	require(write(fd, from, n) == n);
}

/* Make the file; returns a descriptor for reading and writing. */
static int make_file(void)
{
	int fd, i;

	for (i = 0; i < SIZE; i++)
		expected[i] = 1 + i % 101;
	expected_size = SIZE;
	fd = open(FILE, O_CREATE | O_RDWR);
	require(fd >= 0);
	write_all(fd, expected, SIZE);
	return fd;
}

/* The file is as expected. */
static void check_file(void)
{
	static char part[PAGE];
	int fd = open(FILE, O_RDONLY);
	uint at = 0;
	int n, i;

	require(fd >= 0);
	while ((n = read(fd, part, PAGE)) > 0) {
		require(at + n <= expected_size);
		for (i = 0; i < n; i++)
			require(part[i] == expected[at + i]);
		at += n;
	}
	require(at == expected_size);
	close(fd);
}

static void check_and_remove(void)
{
	check_file();
	require(unlink(FILE) == 0);
}

static char *map(int fd, int prot, int flags)
{
	char *p = mmap(0, SIZE, prot, flags, fd, 0);

	require(p != NOWHERE);
	return p;
}

/* The mapping at @p shows the file as expected, and zeros up to the end of the page. */
static void check_mapping(const volatile char *p)
{
	uint i;

	for (i = 0; i < SIZE; i++)
		require(p[i] == expected[i]);
	for (; i < PAGES * PAGE; i++)
		require(p[i] == 0);
}

/* Write to the mapping what the file shall contain, too. */
static void put(volatile char *p, uint at, char c)
{
	p[at] = expected[at] = c;
	require(p[at] == c);
}

static void load(uint address)
{
	*(volatile char *)address;
}

static void store(uint address)
{
	*(volatile char *)address = 1;
}

/* The same in a child that may do this. */

static void look(int address)
{
	load(address);
}

static void set_one(int address)
{
	store(address);
}

static void nothing_at(const char *p)
{
	uint address = (uint)p;

	must_die(T_PGFLT, address, load, address);
	must_die(T_PGFLT, address, store, address);
	require(open(p, O_RDONLY) == -1);
	require(read(0, (char *)p, 1) == -1);
}

/* A mapping of the file, made anew, without a descriptor. */
static char *map_new(int prot, int flags)
{
	int fd = make_file();
	char *p = map(fd, prot, flags);

	close(fd);
	return p;
}

/* --- what a mapping shows --------------------------------------------------------- */

static void mappings_show_the_file(void)
{
	int fd = make_file();
	char *p;

	check_mapping(map(fd, PROT_READ, MAP_PRIVATE));
	check_mapping(map(fd, RW, MAP_PRIVATE));
	check_mapping(map(fd, PROT_READ, MAP_SHARED));
	check_mapping(map(fd, RW, MAP_SHARED));
	p = mmap(0, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
	require(p != NOWHERE && p[0] == expected[PAGE] && p[PAGE] == expected[2 * PAGE]);
	p = mmap(0, 1, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
	require(p != NOWHERE && p[TAIL - 1] == expected[SIZE - 1] && p[TAIL] == 0);
	check_and_remove();
}

/* Each page costs one at its first use; of a shared file, for all mappings together. */
static void pages_come_one_by_one(void)
{
	int fd = make_file();
	volatile char *one, *two, *private;
	int before, i;

	one = map(fd, RW, MAP_SHARED);
	two = map(fd, RW, MAP_SHARED);
	*(volatile char *)map(fd, PROT_READ, MAP_PRIVATE);	/* brings the page table */
	own_memory_except(0, 0);
	before = free_pages();
	private = map(fd, RW, MAP_PRIVATE);
	require(free_pages() == before);
	for (i = 0; i < PAGES; i++) {
		one[i * PAGE];
		require(before - free_pages() == 2 * i + 1);
		two[i * PAGE] = 1;
		one[i * PAGE] = 2;
		require(before - free_pages() == 2 * i + 1);
		private[i * PAGE];
		private[i * PAGE + 1] = 3;
		require(before - free_pages() == 2 * i + 2);
	}
	require(munmap((char *)private, SIZE) == 0);
	require(before - free_pages() == PAGES);
	require(munmap((char *)one, SIZE) == 0);
	require(before - free_pages() == PAGES);
	require(munmap((char *)two, SIZE) == 0);
	require(free_pages() == before);
	require(unlink(FILE) == 0);
}

static void nothing_outside_of_the_file(void)
{
	int fd = make_file();
	char *p = mmap(0, (PAGES + 2) * PAGE, RW, MAP_SHARED, fd, 0);
	char *private = mmap(0, (PAGES + 2) * PAGE, RW, MAP_PRIVATE, fd, 0);
	char *behind = mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGES * PAGE);
	char *far = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0x7ffff000);

	require(p != NOWHERE && private != NOWHERE && behind != NOWHERE && far != NOWHERE);
	check_mapping(p);
	check_mapping(private);
	nothing_at(p + PAGES * PAGE);
	nothing_at(p + (PAGES + 2) * PAGE - 1);
	nothing_at(private + PAGES * PAGE);
	nothing_at(behind);
	nothing_at(far);
	nothing_at(far - 1);
	nothing_at(0);
	check_and_remove();
}

static void read_only_stays_so(void)
{
	int flags[] = { MAP_PRIVATE, MAP_SHARED };
	int fd = make_file(), other = open("/README", O_RDONLY);
	uint address;
	int i;

	require(other >= 0);
	for (i = 0; i < COUNT(flags); i++) {
		address = (uint)map(fd, PROT_READ, flags[i]);
		must_die(T_PGFLT, address, store, address);
		load(address);
		must_die(T_PGFLT, address, store, address);
		require(read(other, (char *)address, 1) == -1);
		require(read(other, (char *)address + PAGE, 1) == -1);
		require(pipe((int *)address) == -1);
	}
	check_and_remove();
}

/* --- what reaches the file ------------------------------------------------------------ */

static void private_changes_stay_private(void)
{
	char *p = map_new(RW, MAP_PRIVATE);
	int i;

	for (i = 0; i < PAGES * PAGE; i++)
		p[i] = ~p[i];
	check_file();
	for (i = 0; i < SIZE; i++)
		require(p[i] == (char)~expected[i]);
	require(munmap(p, SIZE) == 0);
	check_and_remove();
}

static void shared_changes_reach_the_file(void)
{
	int fd = make_file();
	char *p = map(fd, RW, MAP_SHARED);
	char *again = map(fd, PROT_READ, MAP_SHARED);

	put(p, 5, 'x');
	require(p[PAGE] == expected[PAGE]);	/* read first, then written */
	put(p, PAGE, 'y');
	put(p, SIZE - 1, 'z');
	check_mapping(again);
	require(munmap(p, SIZE) == 0);
	check_file();
	check_mapping(again);
	require(munmap(again, SIZE) == 0);
	check_mapping(map(fd, PROT_READ, MAP_SHARED));
	check_and_remove();
}

static char *shared;

static void change_and_exit(int at)
{
	shared[at] = 'e';
}

static void change_and_die(int at)
{
	shared[at] = 'd';
	must_die(T_PGFLT, 0, load, 0);
	kill(getpid());
	for (;;)
		;
}

/* The path, the vector and the arguments lie in a mapping too. */
static void change_and_exec(int at)
{
	char *p = map(open(FILE, O_RDWR), RW, MAP_PRIVATE);
	char **argv = (char **)(p + 100);

	strcpy(p, "ln");
	strcpy(p + PAGE - 3, FILE);
	strcpy(p + 2 * PAGE, "maplink");
	argv[0] = p;
	argv[1] = p + PAGE - 3;
	argv[2] = p + 2 * PAGE;
	argv[3] = 0;
	shared[at] = 'E';
	exec("nosuch", argv);
	require(shared[at] == 'E');
	exec(p, argv);
	require(!"exec() has worked");
}

static void every_end_writes_back(void)
{
	void (*ends[])(int) = { change_and_exit, change_and_die, change_and_exec };
	int fd = make_file();
	int i;

	for (i = 0; i < COUNT(ends); i++) {
		int pid = fork();

		require(pid >= 0);
		if (pid == 0) {		/* the only one that maps the file */
			shared = map(fd, RW, MAP_SHARED);
			ends[i](i * PAGE);
			exit();
		}
		require(wait() == pid);
		expected[i * PAGE] = "edE"[i];
		check_file();
	}
	require(unlink("maplink") == 0);
	check_and_remove();
}

/* A program without mappings: cat gives back what comes through a pipe. */
static void become_cat(int in[2], int out[2])
{
	char *argv[] = { "cat", 0 };

	close(0);
	require(dup(in[0]) == 0);
	close(1);
	require(dup(out[1]) == 1);
	close(in[0]);
	close(in[1]);
	close(out[0]);
	close(out[1]);
	exec("cat", argv);
}

static void new_program_has_no_mappings(void)
{
	int in[2], out[2];
	int fd = make_file();
	char *p;
	char c = 0;

	require(pipe(in) == 0 && pipe(out) == 0);
	if (fork() == 0) {
		p = map(fd, RW, MAP_SHARED);
		p[0] = 'x';
		become_cat(in, out);
		require(!"exec() has worked");
	}
	write_all(in[1], "y", 1);
	require(read(out[0], &c, 1) == 1 && c == 'y');
	expected[0] = 'x';
	check_file();			/* while cat still runs */
	require(unlink(FILE) == 0);
	close(in[1]);
	reap(1);
}

/* Bytes behind the end do not count, but bytes that are written there meanwhile do. */
static void file_grows_behind_a_mapping(void)
{
	int fd = make_file();
	char *p = mmap(0, (PAGES + 1) * PAGE, RW, MAP_SHARED, fd, 0);
	uint i;

	require(p != NOWHERE);
	put(p, SIZE - 1, 'l');
	p[SIZE] = 'n';
	for (i = 0; i < PAGE; i++)
		expected[SIZE + i] = 2 + i % 97;
	write_all(fd, expected + SIZE, PAGE);
	expected_size += PAGE;
	require(p[PAGES * PAGE] == expected[PAGES * PAGE]);
	require(p[expected_size - 1] == expected[expected_size - 1]);
	put(p, PAGES * PAGE + 1, 'g');
	require(munmap(p, (PAGES + 1) * PAGE) == 0);
	check_and_remove();
}

/* The blocks are there already. */
static void write_back_needs_no_room(void)
{
	static const char *const names[] = { "fill0", "fill1", "fill2", "fill3", "fill4",
					     "fill5", "fill6", "fill7", "fill8", "fill9" };
	char *p = map_new(RW, MAP_SHARED);
	int blocks = 0, i, at, fd;

	for (i = 0; i < COUNT(names); i++) {
		fd = open(names[i], O_CREATE | O_RDWR);
		if (fd < 0)
			break;
		while (write(fd, expected, BSIZE) == BSIZE)
			blocks++;
		close(fd);
	}
	for (at = 0; at < SIZE; at += 100)
		put(p, at, 'f');
	require(munmap(p, SIZE) == 0);
	check_and_remove();
	while (--i >= 0)
		require(unlink(names[i]) == 0);
	require(blocks > 0 && blocks < COUNT(names) * MAXFILE);
}

/* --- the file stays, and goes ----------------------------------------------------------- */

/* 40 files of 140 blocks do not fit on the disk: each one goes with its mappings. */
static void mapping_keeps_the_file(void)
{
	int round, i, fd, flags;
	char *p;

	for (round = 0; round < 40; round++) {
		flags = round % 2 ? MAP_SHARED : MAP_PRIVATE;
		fd = make_file();
		for (i = SIZE; i < MAXFILE * BSIZE - PAGE; i += PAGE)
			write_all(fd, expected, PAGE);
		p = map(fd, RW, flags);
		close(fd);
		require(unlink(FILE) == 0);
		require(open(FILE, O_RDONLY) == -1);
		if (round % 4 < 2)
			p[PAGE] = expected[PAGE];
		for (i = 0; i < SIZE; i++)
			require(p[i] == expected[i]);
		if (round % 3 == 0)
			in_child(look, (int)p);
		require(munmap(p, SIZE) == 0);
	}
}

static void child_keeps_the_file(void)
{
	char *p = map_new(RW, MAP_SHARED);
	struct gate g;

	make_gate(&g);
	if (fork() == 0) {
		pass(&g);
		check_mapping(p);
		put(p, 0, 'c');
		exit();
	}
	require(unlink(FILE) == 0);
	require(munmap(p, SIZE) == 0);
	close(make_file());		/* another file of this name */
	open_gate(&g);
	reap(1);
	check_and_remove();
}

/* --- munmap() -------------------------------------------------------------------------- */

static void start_and_end_are_unmapped(void)
{
	int flags[] = { MAP_SHARED, MAP_PRIVATE };
	int i;
	char *p;

	for (i = 0; i < COUNT(flags); i++) {
		p = map_new(RW, flags[i]);
		p[0] = p[PAGE] = p[2 * PAGE] = 'm';
		require(munmap(p + PAGE, PAGE) == -1);		/* a hole */
		require(p[PAGE] == 'm');
		require(munmap(p, PAGE) == 0);
		if (flags[i] == MAP_SHARED)
			expected[0] = 'm';
		check_file();
		require(munmap(p + 2 * PAGE, 1) == 0);
		if (flags[i] == MAP_SHARED)
			expected[2 * PAGE] = 'm';
		check_file();
		nothing_at(p);			/* the child's end writes back, too */
		nothing_at(p + 2 * PAGE);
		require(munmap(p, PAGE) == -1);
		require(p[PAGE] == 'm' && p[PAGE + 1] == expected[PAGE + 1]);
		require(munmap(p + PAGE, PAGE) == 0);
		if (flags[i] == MAP_SHARED)
			expected[PAGE] = 'm';
		nothing_at(p + PAGE);
		check_and_remove();
	}
}

/* What is left of a mapping still knows where it is in the file. */
static void rest_comes_from_the_right_place(void)
{
	int fd = make_file();
	char *p = map(fd, RW, MAP_PRIVATE);
	char *q = mmap(0, SIZE, RW, MAP_SHARED, fd, 0);

	require(munmap(p, PAGE) == 0 && munmap(q, 2 * PAGE) == 0);
	require(p[PAGE] == expected[PAGE] && p[SIZE - 1] == expected[SIZE - 1]);
	require(q[2 * PAGE] == expected[2 * PAGE]);
	put(q, 2 * PAGE + 1, 'r');
	require(munmap(q + 2 * PAGE, PAGE) == 0);
	check_and_remove();
}

static void bad_unmappings_change_nothing(void)
{
	char *p = map_new(RW, MAP_SHARED);
	uint end = (uint)p + PAGES * PAGE;
	struct {
		uint address, n;
	} bad[] = {
		{ (uint)p, 0 },		    { (uint)p + 1, PAGE },
		{ (uint)p - PAGE, PAGE },   { (uint)p - PAGE, 2 * PAGE },
		{ (uint)p, 4 * PAGE },	    { (uint)p + 2 * PAGE, PAGE + 1 },
		{ end, PAGE },		    { (uint)p, -1 },
		{ (uint)p, 0xfffff001 },    { (uint)p, KERNBASE },
		{ (uint)p + PAGE, -PAGE },  { 0, PAGE },
		{ PAGE, PAGE },		    { KERNBASE, PAGE },
		{ KERNBASE - PAGE, -1 },    { -PAGE, PAGE },
		{ stack_page(), PAGE },	    { (uint)p + PAGE, 1 },
	};
	int i;

	put(p, 1, 'u');
	for (i = 0; i < COUNT(bad); i++)
		require(munmap((char *)bad[i].address, bad[i].n) == -1);
	check_mapping(p);
	put(p, SIZE - 2, 'u');
	require(munmap(p, SIZE) == 0);
	require(munmap(p, SIZE) == -1);
	check_and_remove();
}

/* --- mmap() -------------------------------------------------------------------------------- */

static void bad_mappings_change_nothing(void)
{
	int rw = make_file();
	int ro = open(FILE, O_RDONLY), wo = open(FILE, O_WRONLY);
	int dir = open("/", O_RDONLY), dev = open("/mem", O_RDONLY);
	int fds[2] = { -1, -1 };
	struct {
		uint addr, len;
		int prot, flags, fd;
		uint offset;
	} bad[] = {
		{ 0, 0, RW, MAP_SHARED, rw, 0 },
		{ 0, -1, RW, MAP_SHARED, rw, 0 },
		{ 0, 0xfffff001, RW, MAP_PRIVATE, rw, 0 },
		{ 0, KERNBASE, RW, MAP_PRIVATE, rw, 0 },
		{ 0, KERNBASE + 1, RW, MAP_PRIVATE, rw, 0 },
		{ PAGE, SIZE, RW, MAP_SHARED, rw, 0 },
		{ KERNBASE, SIZE, RW, MAP_SHARED, rw, 0 },
		{ 0, SIZE, 0, MAP_SHARED, rw, 0 },
		{ 0, SIZE, PROT_WRITE, MAP_SHARED, rw, 0 },
		{ 0, SIZE, RW | 8, MAP_SHARED, rw, 0 },
		{ 0, SIZE, RW, 0, rw, 0 },
		{ 0, SIZE, RW, MAP_SHARED | MAP_PRIVATE, rw, 0 },
		{ 0, SIZE, RW, MAP_SHARED | 0x10, rw, 0 },
		{ 0, SIZE, RW, MAP_SHARED, ro, 0 },
		{ 0, SIZE, PROT_READ, MAP_SHARED, wo, 0 },
		{ 0, SIZE, RW, MAP_PRIVATE, wo, 0 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, dir, 0 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, dev, 0 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, 1, 0 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, -1, 0 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, NOFILE, 0 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, NOFILE - 1, 0 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, rw, 1 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, rw, PAGE / 2 },
		{ 0, SIZE, PROT_READ, MAP_PRIVATE, rw, -PAGE },
		{ 0, 2 * PAGE, PROT_READ, MAP_SHARED, rw, -PAGE },
	};
	int i;

	require(pipe(fds) == 0);
	require(mmap(0, SIZE, PROT_READ, MAP_PRIVATE, fds[0], 0) == NOWHERE);
	for (i = 0; i < COUNT(bad); i++)
		require(mmap((void *)bad[i].addr, bad[i].len, bad[i].prot, bad[i].flags,
			     bad[i].fd, bad[i].offset) == NOWHERE);
	check_mapping(map(ro, RW, MAP_PRIVATE));
	check_mapping(map(ro, PROT_READ, MAP_SHARED));
	for (i = 2; i < NMAP; i++)
		map(rw, RW, MAP_PRIVATE);
	check_and_remove();
}

static void mappings_have_limits(void)
{
	int fd = make_file();
	char *p[NMAP];
	int i, j;

	for (i = 0; i < NMAP_SAME; i++)
		p[i] = map(fd, RW, MAP_SHARED);
	require(mmap(0, SIZE, RW, MAP_SHARED, fd, 0) == NOWHERE);
	for (; i < NMAP; i++)
		p[i] = map(fd, RW, MAP_PRIVATE);
	require(mmap(0, SIZE, RW, MAP_PRIVATE, fd, 0) == NOWHERE);
	for (i = 0; i < NMAP; i++)
		for (j = 0; j < i; j++)
			require(p[i] + PAGES * PAGE <= p[j] || p[j] + PAGES * PAGE <= p[i]);
	for (i = NMAP - 1; i >= 0; i--) {
		p[i][0] = i;		/* all are different places */
		for (j = i + 1; j < NMAP; j++)
			require(p[j][0] == (j < NMAP_SAME ? i : j));
	}
	require(munmap(p[1], SIZE) == 0);
	require(map(fd, RW, MAP_SHARED) == p[1]);	/* in the gap */
	require(unlink(FILE) == 0);
}

/* Every process of the system maps the same page as often as it can. */
static void everybody_maps_a_page(void)
{
	int fd = make_file();
	struct gate all_are_there, go;
	int n = 0;
	int pid, i;

	shared = map(fd, RW, MAP_SHARED);
	for (i = 1; i < NMAP_SAME; i++)
		map(fd, RW, MAP_SHARED);
	make_gate(&all_are_there);
	make_gate(&go);
	while ((pid = fork()) != 0 && pid != -1)
		n++;
	if (pid == 0) {
		for (i = 0; i < NMAP_SAME; i++)		/* each lies below the one before */
			shared[-i * PAGES * PAGE + n] = 'n';
		open_gate(&all_are_there);
		pass(&go);
		exit();
	}
	require(n > NPROC / 2);
	pass(&all_are_there);
	open_gate(&go);
	reap(n);
	for (i = 0; i < n; i++)
		require(shared[i] == 'n');
	require(unlink(FILE) == 0);
}

static void break_stops_below_mappings(void)
{
	int fd = make_file();
	uint brk = ((uint)sbrk(0) + PAGE - 1) / PAGE * PAGE;
	uint room = KERNBASE - brk;
	char *p;

	sbrk(brk - (uint)sbrk(0));
	require(mmap(0, room + PAGE, RW, MAP_PRIVATE, fd, 0) == NOWHERE);
	require(mmap(0, room + 1, RW, MAP_PRIVATE, fd, 0) == NOWHERE);
	p = mmap(0, room - 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	require((uint)p == brk + 2 * PAGE);
	require(sbrk(2 * PAGE + 1) == NOWHERE);
	require(sbrk(3 * PAGE) == NOWHERE);
	require((uint)sbrk(2 * PAGE) == brk);
	require(sbrk(1) == NOWHERE);
	p[-1] = 'b';
	check_mapping(p);
	require(mmap(0, 1, RW, MAP_PRIVATE, fd, 0) == NOWHERE);
	sbrk(-PAGE - 1);
	require(p[-PAGE - 1] == 0);
	require(mmap(0, PAGE, RW, MAP_PRIVATE, fd, PAGE) == p - PAGE);
	require(p[-PAGE] == expected[PAGE]);
	require(munmap(p, room - 2 * PAGE) == 0);
	check_and_remove();
}

/* --- the kernel uses a mapping first --------------------------------------------------------- */

static const char text[] = "over the border of two pages";

static void kernel_writes_at(char *p)
{
	int *fds = (int *)(p + PAGE - sizeof(*fds));
	struct stat *st = (struct stat *)(p + 2 * PAGE - 6);

	require(pipe(fds) == 0);
	write_all(fds[1], text, sizeof(text));
	require(read(fds[0], p + TAIL, sizeof(text)) == sizeof(text));
	require(strcmp(p + TAIL, text) == 0);
	close(fds[0]);
	close(fds[1]);
	require(stat(FILE, st) == 0 && st->type == T_FILE && st->size == SIZE);
	memmove(expected + PAGE - sizeof(*fds), fds, 2 * sizeof(*fds));
	memmove(expected + TAIL, text, sizeof(text));
	memmove(expected + 2 * PAGE - 6, st, sizeof(*st));
	check_mapping(p);
}

static void kernel_writes_to_mappings(void)
{
	char *p = map_new(RW, MAP_PRIVATE);
	int i;

	kernel_writes_at(p);
	require(munmap(p, SIZE) == 0);
	require(unlink(FILE) == 0);
	p = map_new(RW, MAP_SHARED);
	kernel_writes_at(p);
	require(munmap(p, SIZE) == 0);
	check_and_remove();

	p = map_new(RW, MAP_SHARED);
	for (i = 0; i < SIZE; i++)		/* all are there, read-only */
		require(p[i] == expected[i]);
	kernel_writes_at(p);
	require(munmap(p, SIZE) == 0);
	check_and_remove();
}

static void kernel_reads_from_mappings(void)
{
	char *p = map_new(PROT_READ, MAP_PRIVATE);
	char *q = map_new(PROT_READ, MAP_SHARED);
	int fd = open("mapcopy", O_CREATE | O_RDWR);

	require(fd >= 0);
	require(q + PAGES * PAGE == p);
	write_all(fd, q + 2 * PAGE, 2 * PAGE);		/* over both */
	check_mapping(p);
	close(fd);
	fd = open("mapcopy", O_RDONLY);
	p = sbrk(2 * PAGE);
	require(read(fd, p, 2 * PAGE) == 2 * PAGE);
	require(p[0] == expected[2 * PAGE] && p[TAIL] == 0);
	require(p[PAGE] == expected[0] && p[2 * PAGE - 1] == expected[PAGE - 1]);
	close(fd);
	require(unlink("mapcopy") == 0);
	check_and_remove();
}

static void buffers_end_with_the_mapping(void)
{
	int fd = make_file();
	char *p = mmap(0, (PAGES + 1) * PAGE, RW, MAP_SHARED, fd, 0);
	int other = open("/README", O_RDONLY);

	require(p != NOWHERE && other >= 0);
	require(read(other, p + SIZE, PAGES * PAGE - SIZE) == PAGES * PAGE - SIZE);
	require(read(other, p + PAGES * PAGE - 1, 2) == -1);	/* the file ends */
	require(read(other, p + (PAGES + 1) * PAGE - 1, 2) == -1);
	require(read(other, p - 1, 2) == -1);
	require(read(other, p, -1) == -1);
	require(write(fd, p + 2 * PAGE, 2 * PAGE) == -1);
	require(write(fd, p, KERNBASE - (uint)p + 1) == -1);
	require(open(p + PAGES * PAGE, O_RDONLY) == -1);
	memset(p + 2 * PAGE, 'a', PAGE);		/* a name without an end */
	require(open(p + 2 * PAGE, O_RDONLY) == -1);
	memset(expected + 2 * PAGE, 'a', TAIL);
	require(munmap(p, (PAGES + 1) * PAGE) == 0);
	check_and_remove();
}

/* The kernel holds the i-node while it uses the buffer. */
static void file_is_read_into_itself(void)
{
	int fd = make_file();
	char *p = map(fd, RW, MAP_SHARED), *q = map(fd, RW, MAP_PRIVATE);

	close(fd);
	fd = open(FILE, O_RDWR);
	require(read(fd, p + PAGE, PAGE) == PAGE);
	memmove(expected + PAGE, expected, PAGE);
	check_mapping(p);
	require(munmap(p, SIZE) == 0);
	check_file();
	p = map(fd, RW, MAP_SHARED);
	write_all(fd, p + 2 * PAGE, TAIL);		/* from the file's end to its middle */
	memmove(expected + PAGE, expected + 2 * PAGE, TAIL);
	check_file();
	require(read(fd, q, PAGE) == PAGE && q[0] == expected[PAGE + TAIL]);
	check_and_remove();
}

/* --- relatives -------------------------------------------------------------------------------- */

/* Parent and child write in turn to pages that had different pasts before fork(). */
static void relatives_share(void)
{
	int fd = make_file();
	volatile char *p = map(fd, RW, MAP_SHARED);
	struct gate to_child, to_parent;
	int i;

	p[0] = 'w';			/* written; the next is read, the last unused */
	p[PAGE];
	make_gate(&to_child);
	make_gate(&to_parent);
	if (fork() == 0) {
		require(p[0] == 'w');
		p[1] = p[PAGE + 1] = p[2 * PAGE + 1] = 'c';
		open_gate(&to_parent);
		pass(&to_child);
		require(p[2] == 'p' && p[PAGE + 2] == 'p' && p[2 * PAGE + 2] == 'p');
		exit();
	}
	pass(&to_parent);
	require(p[1] == 'c' && p[PAGE + 1] == 'c' && p[2 * PAGE + 1] == 'c');
	p[2] = p[PAGE + 2] = p[2 * PAGE + 2] = 'p';
	open_gate(&to_child);
	reap(1);
	require(munmap((char *)p, SIZE) == 0);
	expected[0] = 'w';
	for (i = 0; i < PAGES; i++)
		memmove(expected + i * PAGE + 1, "cp", 2);
	check_and_remove();
}

static void write_deeper(int depth)
{
	require(shared[0] == 'a' + depth - 1);
	shared[0] = 'a' + depth;
	if (depth < 20)
		in_child(write_deeper, depth + 1);
	require(shared[0] == 'a' + 20);
}

static void generations_share(void)
{
	shared = map_new(RW, MAP_SHARED);
	shared[0] = 'a';
	in_child(write_deeper, 1);
	require(shared[0] == 'a' + 20);
	require(unlink(FILE) == 0);
}

static void change_private(int unused)
{
	(void)unused;
	shared[0] = shared[PAGE] = 'x';
}

static void relatives_keep_private_pages(void)
{
	shared = map_new(RW, MAP_PRIVATE);
	shared[0] = 'm';		/* the next one is not used yet */
	in_child(change_private, 0);
	require(shared[0] == 'm' && shared[PAGE] == expected[PAGE]);
	check_and_remove();
}

/* Without a common ancestor that has mapped the file. */
static void strangers_share(void)
{
	struct gate mapped, written;
	int fd = make_file();
	char *p;

	make_gate(&mapped);
	make_gate(&written);
	if (fork() == 0) {
		p = map(open(FILE, O_RDWR), RW, MAP_SHARED);
		require(p[0] == expected[0]);
		open_gate(&mapped);
		pass(&written);
		require(p[0] == 's' && p[PAGE] == 's');
		p[1] = 't';
		exit();
	}
	pass(&mapped);
	p = map(fd, RW, MAP_SHARED);
	p[0] = p[PAGE] = 's';
	open_gate(&written);
	reap(1);
	require(p[1] == 't');
	require(unlink(FILE) == 0);
}

/* --- no memory ----------------------------------------------------------------- */

#define ENOUGH 200		/* pages for the test and a child */

static char *wanted;

/* in_child(), beside the hog. */
static void in_one_child(void (*f)(int), int arg)
{
	int pid = spawn(f, arg);

	require(wait() == pid);
}

static void use_without_memory(int free)
{
	own_memory_except(0, 0);
	leave_free_pages(free);
	will_run_out_of_memory();
	*wanted = 'w';
	require(!"the process died");
}

static void use_with_just_enough(int free)
{
	own_memory_except(0, 0);
	leave_free_pages(free);
	*wanted = 'w';
}

static void read_without_memory(int fd)
{
	own_memory_except(0, 0);
	leave_free_pages(0);
	will_run_out_of_memory();
	read(fd, wanted, 1);
	require(!"the process died");
}

/* A page of a mapping needs a page table too. */
static void no_page_ends_the_process(void)
{
	int flags[] = { MAP_SHARED, MAP_PRIVATE };
	struct gate hog;
	int fds[2];
	int fd = make_file();
	int i;
	char c;

	require(pipe(fds) == 0);
	start_hog(&hog, ENOUGH);
	write_all(fds[1], "x", 1);
	for (i = 0; i < COUNT(flags); i++) {
		wanted = map(fd, RW, flags[i]);
		in_one_child(use_without_memory, 0);
		in_one_child(use_without_memory, 1);
		in_one_child(read_without_memory, fds[0]);
		check_file();
		in_one_child(use_with_just_enough, 2);
		if (flags[i] == MAP_SHARED)
			expected[0] = 'w';
		check_file();
		check_mapping(wanted);
	}
	open_gate(&hog);
	require(wait() > 0);
	require(read(fds[0], &c, 1) == 1 && c == 'x');	/* nobody has taken it */
	check_and_remove();
}

/* --- all processors at once ----------------------------------------------------- */

#define WORKERS 4
#define ROUNDS 40
#define SLOT 64			/* bytes between the counters of two processes */
#define RACE_GRID (1 << 20)	/* cycles between two moments to race at */

static volatile int *counter_of(char *p, int me)
{
	return (int *)(p + me * SLOT);
}

/* A new file with counters of zero, mapped and not used since. */
static char *map_counters(void)
{
	char *p = map_new(RW, MAP_SHARED);
	int fd;

	memset(p, 0, SIZE);
	require(munmap(p, SIZE) == 0);
	fd = open(FILE, O_RDWR);
	p = map(fd, RW, MAP_SHARED);
	close(fd);
	return p;
}

static void add_one(volatile int *counter)
{
	asm volatile("lock incl %0" : "+m"(*counter) : : "memory");
}

static void spin_until_next_moment(void)
{
	unsigned long long tsc, when;

	asm volatile("rdtsc" : "=A"(tsc));
	when = (tsc | (RACE_GRID - 1)) + 1;
	while (tsc < when)
		asm volatile("rdtsc" : "=A"(tsc));
}

static void count_on_each_page(char *p, int me)
{
	int page;

	for (page = 0; page < PAGES; page++) {
		spin_until_next_moment();
		add_one(counter_of(p + page * PAGE, me));
	}
}

/* All use a page for the first time at the same moment: there must be one only. */
static void first_uses_race(void)
{
	struct gate g;
	int round, page, i;
	char *p;

	for (round = 0; round < ROUNDS; round++) {
		p = map_counters();
		make_gate(&g);
		for (i = 0; i < WORKERS; i++) {
			if (fork() == 0) {
				pass(&g);
				count_on_each_page(p, i);
				exit();
			}
		}
		open_gate(&g);
		close(g.fds[0]);
		reap(WORKERS);
		for (page = 0; page < PAGES; page++)
			for (i = 0; i < WORKERS; i++)
				require(*counter_of(p + page * PAGE, i) == 1);
		require(munmap(p, SIZE) == 0);
		require(unlink(FILE) == 0);
	}
}

static void nothing_and_exit(int unused)
{
	(void)unused;
}

static void count_and_fork(char *p)
{
	int i;

	for (i = 0; i < ROUNDS * 50; i++) {
		add_one((int *)p);
		if (i % 50 == 0)
			in_child(nothing_and_exit, 0);
	}
}

static void counts_are_exact(void)
{
	char *p = map_counters();
	int i;

	for (i = 0; i < WORKERS; i++) {
		int pid = fork();

		require(pid >= 0);
		if (pid == 0) {
			count_and_fork(p);
			exit();
		}
	}
	for (i = 0; i < ROUNDS; i++) {		/* meanwhile the parent forks too */
		add_one((int *)p);
		if (fork() == 0)
			exit();
	}
	reap(WORKERS + ROUNDS);
	require(*(int *)p == WORKERS * ROUNDS * 50 + ROUNDS);
	require(unlink(FILE) == 0);
}

/* No count is lost between the last one that unmaps the file and the next that maps it. */
static void map_count_unmap(int me)
{
	int fd = open(FILE, O_RDWR);
	int i;
	char *p;

	for (i = 0; i < ROUNDS; i++) {
		p = map(fd, RW, MAP_SHARED);
		(*counter_of(p, me))++;
		require(munmap(p, SIZE) == 0);
	}
}

static void mappings_come_and_go(void)
{
	char *p = map_counters();
	int i;

	require(munmap(p, SIZE) == 0);
	for (i = 0; i < WORKERS; i++)
		spawn(map_count_unmap, i);
	reap(WORKERS);
	p = map(open(FILE, O_RDWR), RW, MAP_SHARED);
	for (i = 0; i < WORKERS; i++)
		require(*counter_of(p, i) == ROUNDS);
	require(unlink(FILE) == 0);
}

/* All that takes locks, on one file. */
static void use_everything(int me, int i)
{
	int fd = open(FILE, O_RDWR);
	char *p = map(fd, RW, MAP_SHARED);
	char *q = map(fd, RW, MAP_PRIVATE);

	if (me % 2)
		require(read(fd, p + PAGE, SLOT) >= 0);
	else
		require(write(fd, q + PAGE / 2, SLOT) == SLOT);
	close(fd);
	p[me] = i;
	require(munmap(q, PAGE) == 0);
	if (i % 4 == 0)
		require(munmap(p, SIZE) == 0);
	else
		require(munmap(p + PAGE, SIZE - PAGE) == 0 && munmap(p, PAGE) == 0);
	require(munmap(q + PAGE, SIZE - PAGE) == 0);
}

static void use_and_fork(int me)
{
	int fd = open(FILE, O_RDWR);
	char *p = map(fd, RW, MAP_SHARED);
	int i;

	for (i = 0; i < ROUNDS / 2; i++) {
		use_everything(me, i);
		p[me] = i;
		in_child(set_one, (int)p + me);
		require(p[me] == 1);
	}
}

/* All at once: somebody could wait for ever. */
static void nobody_waits_for_ever(void)
{
	int i;

	close(make_file());
	for (i = 0; i < 2 * WORKERS; i++)
		spawn(use_and_fork, i);
	reap(2 * WORKERS);
	require(unlink(FILE) == 0);
}

/* A processor is given up in user mode only: spend some time there. */
static void use_until_killed(int me)
{
	int i;

	for (i = 0;; i++) {
		use_everything(me, i);
		spin_until_next_moment();
	}
}

/* A process is killed wherever it is; nothing is lost, and the others go on. */
static void killed_at_any_moment(void)
{
	int fd = make_file();
	int round, pids[2];
	char *p;

	close(fd);
	for (round = 0; round < ROUNDS / 2; round++) {
		pids[0] = spawn(use_until_killed, 1);
		pids[1] = spawn(use_until_killed, 2);
		sleep(round % 4);
		spin_until_next_moment();
		kill(pids[0]);
		kill(pids[1]);
		reap(2);
	}
	p = map(open(FILE, O_RDWR), RW, MAP_SHARED);
	p[PAGE] = 'k';
	require(munmap(p, SIZE) == 0);
	p = map(open(FILE, O_RDWR), PROT_READ, MAP_PRIVATE);
	require(p[PAGE] == 'k' && p[SIZE - 1] == expected[SIZE - 1]);
	require(unlink(FILE) == 0);
}

static const struct test tests[] = {
	TEST(mappings_show_the_file),
	TEST(pages_come_one_by_one),
	TEST(nothing_outside_of_the_file),
	TEST(read_only_stays_so),
	TEST(private_changes_stay_private),
	TEST(shared_changes_reach_the_file),
	TEST(every_end_writes_back),
	TEST(new_program_has_no_mappings),
	TEST(file_grows_behind_a_mapping),
	TEST(write_back_needs_no_room),
	TEST(mapping_keeps_the_file),
	TEST(child_keeps_the_file),
	TEST(start_and_end_are_unmapped),
	TEST(rest_comes_from_the_right_place),
	TEST(bad_unmappings_change_nothing),
	TEST(bad_mappings_change_nothing),
	TEST(mappings_have_limits),
	TEST(everybody_maps_a_page),
	TEST(break_stops_below_mappings),
	TEST(kernel_writes_to_mappings),
	TEST(kernel_reads_from_mappings),
	TEST(buffers_end_with_the_mapping),
	TEST(file_is_read_into_itself),
	TEST(relatives_share),
	TEST(generations_share),
	TEST(relatives_keep_private_pages),
	TEST(strangers_share),
	TEST(no_page_ends_the_process),
	TEST(first_uses_race),
	TEST(counts_are_exact),
	TEST(mappings_come_and_go),
	TEST(nobody_waits_for_ever),
	TEST(killed_at_any_moment),
};

int main(int argc, char *argv[])
{
	run_tests(tests, COUNT(tests), argc, argv);
}
