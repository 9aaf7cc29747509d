// SPDX-License-Identifier: GPL-2.0
/* exectests.c - exec: arguments, and program files good and bad. */
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "memlayout.h"
#include "param.h"
#include "syscall.h"
#include "traps.h"
#include "user.h"
#include "tap.h"
#include "usertests.h"

#define NAME "execfile"

/* --- program files made here ------------------------------------------------- */

struct elf_header {
	uchar ident[16];
	ushort type, machine;
	uint version, entry, program_headers, section_headers, flags;
	ushort header_size, program_header_size, program_header_count;
	ushort section_header_size, section_header_count, section_names;
};

struct program_header {
	uint type, offset, vaddr, paddr, file_size, memory_size, flags, align;
};

_Static_assert(sizeof(struct elf_header) == 52, "an ELF32 header has 52 bytes");
_Static_assert(sizeof(struct program_header) == 32, "a program header has 32 bytes");

enum { PT_LOAD = 1, PT_GNU_STACK = 0x6474e551 };

/* A whole program: headers, then the code, at @offset in the file. */
struct program {
	struct elf_header elf;
	struct program_header segments[2];
	uchar code[64];
};

static struct program good;	/* what each test below spoils in one way */

/*
 * The code adds '0' to a word of bss, which must be zero, and writes that byte to
 * descriptor 1.
 */
#define BSS_WORD 0x40, 0x10, 0, 0	/* 0x1040, little-endian */

static const uchar code[] = {
	0x83, 0x05, BSS_WORD, '0',	/* addl $'0', word */
	0x6a, 1,				/* push $1: count */
	0x68, BSS_WORD,			/* push $word: buffer */
	0x6a, 1,				/* push $1: descriptor */
	0x6a, 0,				/* push $0: return address */
	0x6a, SYS_write, 0x58,			/* push, pop %eax */
	0xcd, T_SYSCALL,			/* int */
	0x6a, SYS_exit, 0x58,
	0xcd, T_SYSCALL,
};

_Static_assert(sizeof(code) <= sizeof(good.code), "the code has its place");

static void make_good(void)
{
	static const uchar ident[] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };

	memset(&good, 0, sizeof(good));
	memmove(good.elf.ident, ident, sizeof(ident));
	good.elf.type = 2;		/* executable */
	good.elf.machine = 3;		/* 386 */
	good.elf.version = 1;
	good.elf.entry = PAGE;
	good.elf.program_headers = sizeof(good.elf);
	good.elf.header_size = sizeof(good.elf);
	good.elf.program_header_size = sizeof(good.segments[0]);
	good.elf.program_header_count = COUNT(good.segments);
	good.segments[0].type = PT_GNU_STACK;
	good.segments[1].type = PT_LOAD;
	good.segments[1].offset = sizeof(good) - sizeof(good.code);
	good.segments[1].vaddr = PAGE;
	good.segments[1].file_size = sizeof(good.code);
	good.segments[1].memory_size = 2 * PAGE;
	good.segments[1].flags = 7;
	good.segments[1].align = PAGE;
	memmove(good.code, code, sizeof(code));
}

static void put_program(int bytes)
{
	int fd = open(NAME, O_CREATE | O_RDWR);

	require(fd >= 0);
	require(write(fd, &good, bytes) == bytes);
	close(fd);
}

/* exec the file: it must be refused, and leave everything as it was. */
static void refuse_file(int bytes)
{
	char *argv[] = { NAME, 0 };
	int before;

	put_program(bytes);
	before = free_pages();
	require(exec(NAME, argv) == -1);
	require(free_pages() == before);
	require(unlink(NAME) == 0);
	make_good();
}

static void refuse(void)
{
	refuse_file(sizeof(good));
}

/* Without this, the refusals below would prove nothing. */
static void made_program_runs(void)
{
	char *argv[] = { NAME, 0 };
	int fds[2];
	char c;

	make_good();
	put_program(sizeof(good));
	require(pipe(fds) == 0);
	if (fork() == 0) {
		close(1);
		dup(fds[1]);
		exec(NAME, argv);
		require(!"exec worked");
	}
	reap(1);
	close(fds[1]);
	require(read(fds[0], &c, 1) == 1);
	require(c == '0');	/* bss was zero */
	require(read(fds[0], &c, 1) == 0);
	require(unlink(NAME) == 0);
}

static void program_at_0_is_refused(void)
{
	struct program_header *load = &good.segments[1];
	uint vaddr;

	for (vaddr = 0; vaddr < PAGE; vaddr += 0x800) {
		make_good();
		load->vaddr = vaddr;
		refuse();
		load->vaddr = vaddr;
		good.elf.entry = vaddr;
		refuse();
		load->vaddr = vaddr;	/* bss only */
		load->file_size = 0;
		refuse();
	}
	/* One good segment does not excuse another at 0. */
	good.segments[0] = good.segments[1];
	good.segments[0].vaddr = 0;
	good.segments[0].memory_size = PAGE;
	refuse();
	good.segments[0] = good.segments[1];
	good.segments[1].vaddr = 0;
	good.segments[1].memory_size = PAGE;
	refuse();
}

static void segments_that_wrap_are_refused(void)
{
	struct program_header *load = &good.segments[1];

	make_good();
	load->memory_size = 0xfffff000;	/* ends at 0 */
	refuse();
	load->memory_size = 0xfffff800;
	refuse();
	load->memory_size = 0xffffffff;
	refuse();
	load->vaddr = 0xfffff000;
	refuse();
	load->vaddr = 0xfffff000;
	load->memory_size = 2 * PAGE;
	refuse();
}

static void segments_in_the_kernel_are_refused(void)
{
	struct program_header *load = &good.segments[1];

	make_good();
	load->vaddr = KERNBASE;
	refuse();
	load->vaddr = KERNBASE - PAGE;
	refuse();
	load->memory_size = KERNBASE;
	refuse();
	load->memory_size = KERNBASE - PAGE;	/* no room for the stack */
	refuse();
}

static void damaged_files_are_refused(void)
{
	struct program_header *load = &good.segments[1];

	make_good();
	load->vaddr = PAGE + 4;			/* not aligned */
	refuse();
	load->memory_size = load->file_size - 1;
	refuse();
	load->file_size = 3 * PAGE;
	load->memory_size = 4 * PAGE;		/* more than the file has */
	refuse();
	load->offset = 0x7ffffff0;
	refuse();
	load->offset = 0xfffffff0;
	refuse();
	good.elf.ident[1] = 'e';
	refuse();
	good.elf.program_headers = 0xfffffff0;
	refuse();
	good.elf.program_headers = sizeof(good);
	refuse();
	refuse_file(0);
	refuse_file(3);
	refuse_file(sizeof(good.elf) - 1);
	refuse_file(sizeof(good.elf) + 40);
	refuse_file(sizeof(good) - 5);
}

static void more_memory_than_there_is_is_refused(void)
{
	make_good();
	good.segments[1].memory_size = 300 * MB;
	refuse();
}

/*
 * Forks, writes the child's number to descriptor 1, and waits; then both parent
 * and child store at the program's first byte.
 */
static const uchar storing_code[] = {
	0x6a, SYS_fork, 0x58, 0xcd, T_SYSCALL,
	0x85, 0xc0, 0x74, 0x14,			/* test %eax, %eax; jz store */
	0x50, 0x89, 0xe1,			/* push %eax; mov %esp, %ecx */
	0x6a, 4, 0x51, 0x6a, 1, 0x6a, 0,	/* push $4, %ecx, $1, $0 */
	0x6a, SYS_write, 0x58, 0xcd, T_SYSCALL,
	0x6a, SYS_wait, 0x58, 0xcd, T_SYSCALL,
	0xc6, 0x05, 0x00, 0x10, 0, 0, 1,	/* store: movb $1, 0x1000 */
};

_Static_assert(sizeof(storing_code) <= sizeof(good.code), "the code has its place");

static void become_storing_program(uint fd)
{
	char *argv[] = { NAME, 0 };

	close(1);
	dup(fd);
	exec(NAME, argv);
}

/* A page that is read-only for good is not one to be copied on a write. */
static void read_only_segment_stays(void)
{
	int fds[2];
	int child;

	make_good();
	good.segments[1].flags = 5;		/* read and execute */
	memmove(good.code, storing_code, sizeof(storing_code));
	put_program(sizeof(good));
	require(pipe(fds) == 0);
	must_die(T_PGFLT, PAGE, become_storing_program, fds[1]);
	require(read(fds[0], &child, sizeof(child)) == sizeof(child));
	printf(1, "# pid %d will die: trap 14 address 0x%x\n", child, PAGE);
	require(unlink(NAME) == 0);
}

/* --- arguments --------------------------------------------------------------------- */

static void no_such_program(void)
{
	char *argv[] = { "x", 0 };

	require(exec("nosuchfile", argv) == -1);
	require(exec("", argv) == -1);
	require(exec("/", argv) == -1);
	require(exec("README", argv) == -1);
	require(exec("console", argv) == -1);
}

/* Run echo with @argv; its output must be @expected. */
static void require_echo(char **argv, const char *expected)
{
	static char output[512];
	int fds[2];
	int n, total = 0;

	require(pipe(fds) == 0);
	if (fork() == 0) {
		close(1);
		dup(fds[1]);
		exec("echo", argv);
		require(!"exec worked");
	}
	close(fds[1]);
	while ((n = read(fds[0], output + total, sizeof(output) - 1 - total)) > 0)
		total += n;
	close(fds[0]);
	reap(1);
	output[total] = 0;
	require(strcmp(output, expected) == 0);
}

static void arguments_arrive(void)
{
	char *none[] = { "echo", 0 };
	char *three[] = { "echo", "one", "", "three", 0 };

	require_echo(none, "\n");
	require_echo(three, "one  three\n");
}

/* argv of MAXARG - 1 words of one letter; and the line that echo makes of it. */
static void thirty_one_short_arguments(void)
{
	char *argv[MAXARG];
	char line[2 * MAXARG];
	int i;

	argv[0] = "echo";
	for (i = 1; i < MAXARG - 1; i++) {
		argv[i] = "a";
		line[2 * i - 2] = 'a';
		line[2 * i - 1] = ' ';
	}
	argv[i] = 0;
	line[2 * i - 3] = '\n';
	line[2 * i - 2] = 0;
	require_echo(argv, line);
}

/* 31 of 221 bytes do not fit on the stack's one page: exec fails, nothing else. */
static void thirty_one_long_arguments_fail(void)
{
	static char word[221];
	char *argv[MAXARG];
	int i, before;

	memset(word, 'x', sizeof(word) - 1);
	for (i = 0; i < MAXARG - 1; i++)
		argv[i] = word;
	argv[i] = 0;
	before = free_pages();
	for (i = 0; i < 5; i++)
		require(exec("echo", argv) == -1);
	require(free_pages() == before);
}

static void one_page_of_arguments_fails(void)
{
	char *word = sbrk(2 * PAGE);
	char *argv[] = { "echo", word, 0 };
	int length;

	memset(word, 'x', 2 * PAGE);
	for (length = PAGE - 16; length < 2 * PAGE; length += 8) {
		word[length] = 0;
		require(exec("echo", argv) == -1);
		word[length] = 'x';
	}
}

static void too_many_arguments_fail(void)
{
	char *argv[100];
	int i;

	for (i = 0; i < COUNT(argv) - 1; i++)
		argv[i] = "a";
	argv[i] = 0;
	require(exec("echo", argv) == -1);
}

static void descriptors_survive(void)
{
	char *argv[] = { "cat", 0 };
	int in[2], out[2];
	char c;

	require(pipe(in) == 0 && pipe(out) == 0);
	require(write(in[1], "z", 1) == 1);
	close(in[1]);
	if (fork() == 0) {
		close(0);
		dup(in[0]);
		close(1);
		dup(out[1]);
		exec("cat", argv);
		require(!"exec worked");
	}
	close(out[1]);
	reap(1);
	require(read(out[0], &c, 1) == 1 && c == 'z');
	require(read(out[0], &c, 1) == 0);
}

/* --- too little memory ------------------------------------------------------------------ */

/*
 * Fork, exec @path in the child, wait for it. Nothing is written to memory in
 * between: see cowtest.c. If exec fails, the child ends.
 */
static int exec_without_writing(const char *path, char **argv)
{
	uint arguments[] = { 0, (uint)path, (uint)argv };
	int child, gone;

	asm volatile("movl %%esp, %%edi\n\t"
		     "movl %6, %%esp\n\t"
		     "int %5\n\t"
		     "movl %%eax, %%esi\n\t"
		     "testl %%eax, %%eax\n\t"
		     "js 2f\n\t"
		     "jnz 1f\n\t"
		     "movl %7, %%eax\n\t"
		     "int %5\n\t"
		     "movl %3, %%eax\n\t"
		     "int %5\n"
		     "1:\tmovl %4, %%eax\n\t"
		     "int %5\n"
		     "2:\tmovl %%edi, %%esp"
		     : "=a"(gone), "=&S"(child)
		     : "a"(SYS_fork), "i"(SYS_exit), "i"(SYS_wait), "i"(T_SYSCALL),
		       "d"(arguments), "i"(SYS_exec)
		     : "edi", "memory");
	require(child == -1 || gone == child);
	return child != -1;
}

#define MOST_FREE 100		/* pages: enough for this process and echo */
#define SURELY_TOO_FEW 4

/* The output shows at which k the program came to run: from some k on, always. */
static void exec_with_k_free_pages(void)
{
	static char output[2 * MOST_FREE];
	char *argv[] = { "echo", "x", 0 };
	int fds[2];
	int k, n;

	require(pipe(fds) == 0);
	close(1);
	dup(fds[1]);
	own_memory_except(0, 0);
	for (k = 0; k < MOST_FREE; k++) {
		leave_free_pages(k);
		require(free_pages() == k);
		exec_without_writing("echo", argv);
		require(free_pages() == k);
	}
	close(1);
	close(fds[1]);
	for (n = 0; read(fds[0], &output[n], 1) == 1; n++)
		require(output[n] == "x\n"[n % 2]);
	require(n > 0 && n / 2 <= MOST_FREE - SURELY_TOO_FEW);
}

static const struct test tests[] = {
	TEST(made_program_runs),
	TEST(program_at_0_is_refused),
	TEST(segments_that_wrap_are_refused),
	TEST(segments_in_the_kernel_are_refused),
	TEST(damaged_files_are_refused),
	TEST(more_memory_than_there_is_is_refused),
	TEST(read_only_segment_stays),
	TEST(no_such_program),
	TEST(arguments_arrive),
	TEST(thirty_one_short_arguments),
	TEST(thirty_one_long_arguments_fail),
	TEST(one_page_of_arguments_fails),
	TEST(too_many_arguments_fail),
	TEST(descriptors_survive),
	TEST(exec_with_k_free_pages),
};

const struct group exec_tests = { tests, COUNT(tests) };
