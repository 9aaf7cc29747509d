// SPDX-License-Identifier: GPL-2.0
/*
 * nulltest - the page at address 0 is not there.
 *
 * Addresses are computed at run time and used through volatile pointers: a
 * compiler that sees a null dereference may put an invalid instruction in its
 * place, and the process would die of that instead.
 */
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "syscall.h"
#include "traps.h"
#include "memlayout.h"
#include "user.h"
#include "tap.h"

#define HOLE_END PAGE	/* the lowest address that can be used */

static const uint in_the_hole[] = { 0, 1, 4, 0x7ff, 0x800, 0xff8, 0xffc, 0xfff };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void load(uint address)
{
	*(volatile char *)address;
}

static void load_word(uint address)
{
	*(volatile uint *)address;
}

static void store(uint address)
{
	*(volatile char *)address = 1;
}

static void jump(uint address)
{
	asm volatile("jmp *%0" : : "r"(address));
}

static void call(uint address)
{
	((void (*volatile)(void))address)();
}

static void push(uint address)
{
	asm volatile("movl %0, %%esp; pushl $1" : : "r"(address + 4));
}

static void each_dies(void (*access)(uint))
{
	uint i;

	for (i = 0; i < COUNT(in_the_hole); i++)
		must_die(T_PGFLT, in_the_hole[i], access, in_the_hole[i]);
}

static void loads_die(void)
{
	each_dies(load);
}

static void stores_die(void)
{
	each_dies(store);
}

static void jumps_die(void)
{
	each_dies(jump);
}

static void calls_die(void)
{
	each_dies(call);
}

/* A word that begins in the hole and ends above it. */
static void straddling_load_dies(void)
{
	must_die(T_PGFLT, HOLE_END - 1, load_word, HOLE_END - 1);
}

static void stack_in_hole_dies(void)
{
	must_die(T_PGFLT, HOLE_END - 4, push, HOLE_END - 4);
	must_die(T_PGFLT, 0, push, 0);
	must_die(T_PGFLT, 0xfffffffc, push, 0xfffffffc);
}

/* The first word above the hole is this program's own first instruction. */
static void hole_ends_at_one_page(void)
{
	int fds[2];
	uint word;

	require(pipe(fds) == 0);
	require(write(fds[1], (char *)HOLE_END, sizeof(word)) == sizeof(word));
	require(read(fds[0], &word, sizeof(word)) == sizeof(word));
	require(word != 0 && word == *(volatile uint *)HOLE_END);
}

/* A relative's death must not be noticed by anyone else. */
static void others_go_on(void)
{
	static char word[8] = "same";
	struct gate g;
	int fds[2];

	make_gate(&g);
	require(pipe(fds) == 0);
	if (fork() == 0) {
		pass(&g);
		write(fds[1], word, sizeof(word));
		exit();
	}
	must_die(T_PGFLT, 4, store, 4);
	open_gate(&g);
	close(g.fds[0]);
	require(read(fds[0], word, sizeof(word)) == sizeof(word));
	require(strcmp(word, "same") == 0);
	reap(1);
}

/* Every program on the disk is linked above the hole, the first one included. */
static void programs_begin_above_hole(void)
{
	static const char *const programs[] = { "/init", "/sh", "/cat", "/nulltest" };
	static uint header[128];	/* ELF header, program headers after it */
	uint i;

	for (i = 0; i < COUNT(programs); i++) {
		int fd = open(programs[i], O_RDONLY);
		uint *segment;

		require(fd >= 0);
		require(read(fd, header, sizeof(header)) == sizeof(header));
		close(fd);
		segment = &header[header[7] / sizeof(uint)];
		require(segment[0] == 1);		/* PT_LOAD */
		require(segment[2] >= HOLE_END);	/* p_vaddr */
		require(header[6] >= segment[2]);	/* e_entry */
	}
}

/* System call @number with the stack pointer at @esp: arguments at @esp + 4. */
static int call_with_stack_at(uint number, uint esp)
{
	int result;

	asm volatile("movl %%esp, %%ebx\n\t"
		     "movl %2, %%esp\n\t"
		     "int %3\n\t"
		     "movl %%ebx, %%esp"
		     : "=a"(result)
		     : "a"(number), "r"(esp), "i"(T_SYSCALL)
		     : "ebx", "memory");
	return result;
}

static const uint calls_with_arguments[] = {
	SYS_pipe, SYS_read, SYS_kill, SYS_exec, SYS_fstat, SYS_chdir, SYS_dup,
	SYS_sbrk, SYS_sleep, SYS_open, SYS_write, SYS_mknod, SYS_unlink, SYS_link,
	SYS_mkdir, SYS_close,
};

static void stack_pointers(void)
{
	uint end = (uint)sbrk(0);
	uint bad[] = {
		0, 4, 0xff8, 0xff9, 0xffb, end - 4, end - 7, end, KERNBASE - 8,
		KERNBASE - 5, KERNBASE - 4, KERNBASE, 0xfffffff8, 0xfffffff9,
		0xfffffffb, 0xfffffffc, 0xffffffff, guard_page(), guard_page() - 4,
		guard_page() - 7,
	};
	uint i, j;

	for (i = 0; i < COUNT(bad); i++)
		for (j = 0; j < COUNT(calls_with_arguments); j++)
			if (call_with_stack_at(calls_with_arguments[j], bad[i]) != -1) {
				printf(1, "# system call %d with esp 0x%x\n",
				       calls_with_arguments[j], bad[i]);
				require(!"a bad stack pointer was refused");
			}
	require((uint)sbrk(0) == end);
}

static void stack_pointer_of_calls_without_arguments(void)
{
	require(call_with_stack_at(SYS_getpid, 0) == getpid());
	require(call_with_stack_at(SYS_getpid, 0xfffffffc) == getpid());
	require(call_with_stack_at(SYS_uptime, KERNBASE) >= 0);
	require(call_with_stack_at(SYS_wait, 0xff8) == -1);
}

/* The last word of memory is a good argument; the word after it is not. */
static void arguments_up_to_the_end(void)
{
	uint *end = (uint *)sbrk(0);

	end[-1] = 1;
	end[-2] = 0;
	require(call_with_stack_at(SYS_dup, (uint)(end - 2)) > 2);
	require(call_with_stack_at(SYS_write, (uint)(end - 2)) == -1);
	require(call_with_stack_at(SYS_write, (uint)(end - 3)) == -1);
}

struct range {
	uint start;
	uint length;
};

/* Runs @try with ranges that no system call may touch; each must return -1. */
static void each_bad_range(int (*try)(int fd, void *p, int n), int fd)
{
	uint end = (uint)sbrk(0);
	uint guard = guard_page();
	const struct range bad[] = {
		{ 0, 1 }, { 0, 0x2000 }, { 0xff8, 16 }, { 0xffc, 4 }, { 0xfff, 1 },
		{ 0xfff, 2 }, { end, 1 }, { end - 1, 2 }, { KERNBASE, 1 },
		{ KERNBASE - 1, 2 }, { KERNBASE + MB, 512 }, { 0xffffffff, 1 },
		{ 0xfffffff0, 0x20 }, { 0xfffff000, 0x2010 }, { HOLE_END, 0x7fffffff },
		{ HOLE_END, -1 }, { end - 1, -1 }, { guard, 1 }, { guard - 1, 2 },
		{ guard + PAGE - 1, 2 },
	};
	uint i;

	for (i = 0; i < COUNT(bad); i++)
		if (try(fd, (void *)bad[i].start, bad[i].length) != -1) {
			printf(1, "# start 0x%x length 0x%x\n", bad[i].start, bad[i].length);
			require(!"a bad buffer was refused");
		}
}

static int try_write(int fd, void *p, int n)
{
	return write(fd, p, n);
}

static void make_file(const char *name, const char *content)
{
	int fd = open(name, O_CREATE | O_RDWR);

	require(fd >= 0);
	require(write(fd, content, strlen(content)) == (int)strlen(content));
	close(fd);
}

static void buffers_of_read(void)
{
	char c = 0;
	int fds[2];
	int fd;

	make_file("nullfile", "content");
	fd = open("nullfile", O_RDONLY);
	each_bad_range(read, fd);
	require(read(fd, &c, 1) == 1 && c == 'c');
	close(fd);
	require(unlink("nullfile") == 0);

	require(pipe(fds) == 0 && write(fds[1], "pipe", 4) == 4);
	each_bad_range(read, fds[0]);
	require(read(fds[0], &c, 1) == 1 && c == 'p');

	fd = open("/mem", O_RDONLY);
	each_bad_range(read, fd);
	fd = open("/", O_RDONLY);
	each_bad_range(read, fd);
}

static void buffers_of_write(void)
{
	struct stat st;
	int fds[2];
	char c;
	int fd = open("nullfile", O_CREATE | O_RDWR);

	require(fd >= 0);
	each_bad_range(try_write, fd);
	require(fstat(fd, &st) == 0 && st.size == 0);
	close(fd);
	require(unlink("nullfile") == 0);

	require(pipe(fds) == 0);
	each_bad_range(try_write, fds[1]);
	close(fds[1]);
	require(read(fds[0], &c, 1) == 0);

	each_bad_range(try_write, 1);
}

/* A buffer of no bytes may be anywhere; a descriptor must be good all the same. */
static void buffers_of_no_bytes(void)
{
	void *const anywhere[] = {
		0, (void *)4, sbrk(0), (void *)KERNBASE, (void *)0xffffffff,
	};
	int fds[2];
	int fd = open("/README", O_RDONLY);
	uint i;

	require(fd >= 0 && pipe(fds) == 0);
	for (i = 0; i < COUNT(anywhere); i++) {
		require(read(fd, anywhere[i], 0) == 0);
		require(read(fds[0], anywhere[i], 0) == 0);
		require(read(0, anywhere[i], 0) == 0);
		require(write(1, anywhere[i], 0) == 0);
		require(write(fds[1], anywhere[i], 0) == 0);
		require(write(fd, anywhere[i], 0) == -1);
		require(read(fds[1], anywhere[i], 0) == -1);
		require(read(-1, anywhere[i], 0) == -1);
	}
}

static void buffers_of_fstat_and_pipe(void)
{
	uint end = (uint)sbrk(0);
	uint guard = guard_page();
	uint bad[] = {
		0, 0xff0, 0xff9, 0xffc, end, end - 4, end - 7, KERNBASE - 4, KERNBASE,
		0xfffffff8, 0xfffffffc, guard, guard - 4, guard + PAGE - 4,
	};
	int fd = dup(0);
	uint i;

	close(fd);
	for (i = 0; i < COUNT(bad); i++) {
		require(fstat(1, (void *)bad[i]) == -1);
		require(pipe((void *)bad[i]) == -1);
	}
	require(dup(0) == fd);		/* no pipe end was left behind */
}

/* What every call that takes a name must do with a name it cannot read. */
static void refuse_string(uint address)
{
	char *name = (char *)address;
	char *argv[] = { "echo", 0 };
	char *bad_argv[] = { "echo", name, 0 };

	require(open(name, O_RDONLY) == -1);
	require(open(name, O_CREATE | O_RDWR) == -1);
	require(unlink(name) == -1);
	require(link(name, "nullnew") == -1);
	require(link("/README", name) == -1);
	require(chdir(name) == -1);
	require(mkdir(name) == -1);
	require(mknod(name, 1, 1) == -1);
	require(exec(name, argv) == -1);
	require(!name || exec("echo", bad_argv) == -1);	/* 0 ends argv */
}

static void strings(void)
{
	uint end = (uint)sbrk(PAGE) + PAGE;
	uint bad[] = {
		0, 1, 0xff8, 0xffe, 0xfff, end, KERNBASE - 1, KERNBASE, KERNBASE + MB,
		0xfffffff0, 0xffffffff, guard_page(), guard_page() + PAGE - 1,
	};
	uint i;

	for (i = 0; i < COUNT(bad); i++)
		refuse_string(bad[i]);

	/* A string that runs up to the end of memory without its end. */
	memset((char *)end - PAGE, 'a', PAGE);
	refuse_string(end - 1);
	refuse_string(end - 10);
}

/* The same at the guard page: the page below it ends in something not NUL. */
static void string_into_guard(void)
{
	char *last = (char *)guard_page() - 1;

	if (*last == 0)
		*last = 'a';
	refuse_string((uint)last);
}

static void string_up_to_the_end(void)
{
	char *name = sbrk(0) - 3;
	int fd;

	strcpy(name, "ok");
	fd = open(name, O_CREATE | O_RDWR);
	require(fd >= 0);
	close(fd);
	require(unlink(name) == 0);
}

static void argument_vectors(void)
{
	char **end = (char **)sbrk(0);
	uint bad[] = {
		0, 4, 0xff8, 0xffc, 0xfff, (uint)end, (uint)end - 2, KERNBASE - 4,
		KERNBASE, 0xfffffffc, 0xffffffff, guard_page(), guard_page() + PAGE - 4,
	};
	uint i;

	for (i = 0; i < COUNT(bad); i++)
		require(exec("echo", (char **)bad[i]) == -1);

	end[-1] = "no null pointer follows";
	require(exec("echo", end - 1) == -1);
}

static const struct test tests[] = {
	TEST(loads_die),
	TEST(stores_die),
	TEST(jumps_die),
	TEST(calls_die),
	TEST(straddling_load_dies),
	TEST(stack_in_hole_dies),
	TEST(hole_ends_at_one_page),
	TEST(others_go_on),
	TEST(programs_begin_above_hole),
	TEST(stack_pointers),
	TEST(stack_pointer_of_calls_without_arguments),
	TEST(arguments_up_to_the_end),
	TEST(buffers_of_read),
	TEST(buffers_of_write),
	TEST(buffers_of_no_bytes),
	TEST(buffers_of_fstat_and_pipe),
	TEST(strings),
	TEST(string_into_guard),
	TEST(string_up_to_the_end),
	TEST(argument_vectors),
};

int main(int argc, char *argv[])
{
	run_tests(tests, COUNT(tests), argc, argv);
}
