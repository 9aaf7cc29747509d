// SPDX-License-Identifier: GPL-2.0
/* proctests.c - processes, pipes, time, and what a process may not do. */
#include "types.h"
#include "fcntl.h"
#include "param.h"
#include "syscall.h"
#include "traps.h"
#include "user.h"
#include "tap.h"
#include "usertests.h"

static void do_nothing(int unused)
{
	(void)unused;
}

static void spin(int unused)
{
	(void)unused;
	for (;;)
		asm volatile("");
}

/* --- fork, exit, wait ------------------------------------------------------ */

static void wait_returns_the_child(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		int pid = spawn(do_nothing, 0);

		require(wait() == pid);
		require(wait() == -1);
	}
}

static void two_children_wait_for_each_other(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		if (fork() == 0) {
			int grandchild = spawn(do_nothing, 0);

			require(wait() == grandchild);
			exit();
		}
		spawn(do_nothing, 0);
		reap(2);
	}
}

static void fork_and_leave(int n)
{
	while (n-- > 0)
		spawn(do_nothing, 0);
}

/* Children whose parent has ended go to init, dead or alive. */
static void orphans_are_adopted(void)
{
	int before = free_pages();
	int i;

	for (i = 0; i < 5; i++) {
		in_child(fork_and_leave, 3);
		require(wait_for_free_pages(before));
	}
}

static void child_inherits(void)
{
	int fds[2];
	int me = getpid();
	char c = 'a';

	require(pipe(fds) == 0);
	require(mkdir("procdir") == 0 && chdir("procdir") == 0);
	if (fork() == 0) {
		require(getpid() != me);
		require(write(fds[1], &c, 1) == 1);
		require(open("../procdir/../procdir/.", O_RDONLY) >= 0);
		require(chdir("..") == 0);
		exit();
	}
	reap(1);
	require(read(fds[0], &c, 1) == 1 && c == 'a');
	require(unlink("../procdir") == 0);
	require(chdir("/") == 0);
}

/* --- kill and preemption ----------------------------------------------------- */

/* Kill a child that is in @state; it must end without more help. */
static void kill_one(void (*state)(int), int arg)
{
	int pid = spawn(state, arg);

	sleep(2);	/* most likely it is there by now; it must end anyway */
	require(kill(pid) == 0);
	require(wait() == pid);
}

static void sleep_long(int unused)
{
	(void)unused;
	sleep(1000000);
	require(!"a killed process goes on");
}

static void read_byte(int fd)
{
	char c;

	read(fd, &c, 1);
	require(!"a killed process goes on");
}

static void fill_pipe(int fd)
{
	char c = 0;

	for (;;)
		write(fd, &c, 1);
}

static void kill_wakes_sleepers(void)
{
	int fds[2];

	require(pipe(fds) == 0);
	kill_one(sleep_long, 0);
	kill_one(read_byte, fds[0]);
	kill_one(fill_pipe, fds[1]);
}

/* The console is read by nobody else: sh waits for this program. */
static void kill_wakes_console_reader(void)
{
	kill_one(read_byte, 0);
}

static void kill_wakes_waiting_parent(void)
{
	int before = free_pages();
	int fds[2];
	int pid, sleeper;

	require(pipe(fds) == 0);
	pid = fork();
	if (pid == 0) {
		sleeper = spawn(sleep_long, 0);
		write(fds[1], &sleeper, sizeof(sleeper));
		wait();
		require(!"a killed process goes on");
	}
	require(read(fds[0], &sleeper, sizeof(sleeper)) == sizeof(sleeper));
	require(kill(pid) == 0 && wait() == pid);
	require(kill(sleeper) == 0);
	close(fds[0]);
	close(fds[1]);
	require(wait_for_free_pages(before));
}

static void kill_needs_a_process(void)
{
	int pid = spawn(do_nothing, 0);

	reap(1);
	require(kill(pid) == -1);
	require(kill(0) == -1);
	require(kill(-1) == -1);
	require(kill(1 << 30) == -1);
}

/* More spinners than processors: this process runs all the same. */
static void spinners_are_preempted_and_killed(void)
{
	int pids[6];
	int i, round;

	for (i = 0; i < COUNT(pids); i++)
		pids[i] = spawn(spin, 0);
	for (round = 0; round < 5; round++)
		sleep(1);
	for (i = 0; i < COUNT(pids); i++)
		require(kill(pids[i]) == 0);
	reap(COUNT(pids));
}

static void kill_a_new_child(void)
{
	int i;

	for (i = 0; i < 50; i++) {
		int pid = spawn(spin, 0);

		require(kill(pid) == 0);
		require(wait() == pid);
	}
}

/* --- time ----------------------------------------------------------------------- */

static void time_goes_by(void)
{
	int start = uptime();

	require(start > 0);
	require(sleep(0) == 0);
	require(sleep(10) == 0);
	require(uptime() - start >= 10);
	require(uptime() - start < 500);
}

static void sleepers_wake_in_order(void)
{
	int fds[2];
	int order[3];
	int i;

	require(pipe(fds) == 0);
	for (i = 0; i < 3; i++) {
		if (fork() == 0) {
			sleep(60 - 20 * i);
			write(fds[1], &i, sizeof(i));
			exit();
		}
	}
	reap(3);
	require(read(fds[0], order, sizeof(order)) == sizeof(order));
	require(order[0] == 2 && order[1] == 1 && order[2] == 0);
}

/* --- pipes ------------------------------------------------------------------------ */

#define CHUNK 1337	/* bytes in one write(): more than two pipes hold */
#define CHUNKS 4

static char pipe_byte(int i)
{
	return i % 251;
}

static void write_chunks(int fd)
{
	static char chunk[CHUNK];
	int i, j;

	for (i = 0; i < CHUNKS; i++) {
		for (j = 0; j < CHUNK; j++)
			chunk[j] = pipe_byte(i * CHUNK + j);
		require(write(fd, chunk, CHUNK) == CHUNK);
	}
}

/* Writes larger than the pipe block until a reader has made room. */
static void pipe_carries_long_writes(void)
{
	static char buf[700];
	int total = 0, ask = 1;
	int fds[2];
	int i, n;

	require(pipe(fds) == 0);
	spawn(write_chunks, fds[1]);
	close(fds[1]);
	while ((n = read(fds[0], buf, ask)) > 0) {
		require(n <= ask);
		for (i = 0; i < n; i++)
			require(buf[i] == pipe_byte(total + i));
		total += n;
		ask = ask * 2 < (int)sizeof(buf) ? ask * 2 : (int)sizeof(buf);
	}
	require(n == 0 && total == CHUNKS * CHUNK);
	reap(1);
}

static void pipe_ends(void)
{
	int fds[2];
	char c = 0;

	require(pipe(fds) == 0);
	require(read(fds[1], &c, 1) == -1);
	require(write(fds[0], &c, 1) == -1);
	require(write(fds[1], "xy", 2) == 2);
	close(fds[1]);
	require(read(fds[0], &c, 1) == 1 && c == 'x');
	require(read(fds[0], &c, 1) == 1 && c == 'y');
	require(read(fds[0], &c, 1) == 0);	/* nobody can write any more */
	require(read(fds[0], &c, 1) == 0);

	require(pipe(fds) == 0);
	close(fds[0]);
	require(write(fds[1], &c, 1) == -1);	/* nobody can read any more */
}

static void write_then_expect_error(int fd)
{
	static char chunk[CHUNK];

	require(write(fd, chunk, CHUNK) == -1);
}

static void blocked_writer_notices_reader_gone(void)
{
	int fds[2];
	char c;

	require(pipe(fds) == 0);
	if (fork() == 0) {
		close(fds[0]);
		write_then_expect_error(fds[1]);
		exit();
	}
	require(read(fds[0], &c, 1) == 1);
	close(fds[0]);
	reap(1);
}

static void pipe_of_many_writers(void)
{
	static int seen[4];
	int fds[2];
	int i, n;
	char c;

	require(pipe(fds) == 0);
	for (i = 0; i < 4; i++) {
		if (fork() == 0) {
			for (n = 0; n < 300; n++) {
				c = i;
				require(write(fds[1], &c, 1) == 1);
			}
			exit();
		}
	}
	close(fds[1]);
	while (read(fds[0], &c, 1) == 1)
		seen[(int)c]++;
	for (i = 0; i < 4; i++)
		require(seen[i] == 300);
	reap(4);
}

static void pipes_need_descriptors(void)
{
	int fds[2];
	int n = 0;

	while (pipe(fds) == 0)
		n++;
	require(n > 0 && n < NOFILE / 2);
	while (dup(0) >= 0)	/* one may be left */
		;
	close(fds[0]);
	require(pipe(fds) == -1);	/* one descriptor is not enough */
	close(fds[1]);
	require(pipe(fds) == 0);
}

/* --- what a process may not do -------------------------------------------------------- */

static void divide_by_zero(uint zero)
{
	asm volatile("divl %0" : : "r"(zero), "a"(1), "d"(0));
}

static void invalid_instruction(uint unused)
{
	(void)unused;
	asm volatile("ud2");
}

static void out_byte(uint port)
{
	asm volatile("outb %%al, %%dx" : : "a"(0), "d"(port));
}

static void disable_interrupts(uint unused)
{
	(void)unused;
	asm volatile("cli");
}

static void halt(uint unused)
{
	(void)unused;
	asm volatile("hlt");
}

static void load_page_table(uint address)
{
	asm volatile("movl %0, %%cr3" : : "r"(address));
}

static void fake_timer(uint unused)
{
	(void)unused;
	asm volatile("int $32");
}

static void fake_page_fault(uint unused)
{
	(void)unused;
	asm volatile("int $14");
}

static void privileged_instructions_kill(void)
{
	must_die(T_DIVIDE, 0, divide_by_zero, 0);
	must_die(T_ILLOP, 0, invalid_instruction, 0);
	must_die(T_GPFLT, 0, out_byte, 0x64);
	must_die(T_GPFLT, 0, disable_interrupts, 0);
	must_die(T_GPFLT, 0, halt, 0);
	must_die(T_GPFLT, 0, load_page_table, 0);
	must_die(T_GPFLT, 0, fake_timer, 0);
	must_die(T_GPFLT, 0, fake_page_fault, 0);
}

static int call(int number)
{
	int result;

	asm volatile("int %2" : "=a"(result) : "a"(number), "i"(T_SYSCALL) : "memory");
	return result;
}

static void unknown_calls_fail(void)
{
	require(call(0) == -1);
	require(call(22) == -1);
	require(call(1000000) == -1);
	require(call(-1) == -1);
	require(call(1 << 31) == -1);
}

/* A processor's flags that a user may set must not follow it into the kernel. */
static void direction_flag_is_harmless(void)
{
	char text[8] = "";
	int fds[2];
	int result;

	require(pipe(fds) == 0 && write(fds[1], "forward", 8) == 8);
	asm volatile("pushl %2\n\t"
		     "pushl %3\n\t"
		     "pushl %4\n\t"
		     "pushl $0\n\t"
		     "std\n\t"
		     "int %5\n\t"
		     "cld\n\t"
		     "addl $16, %%esp"
		     : "=a"(result)
		     : "a"(SYS_read), "r"(8), "r"(text), "r"(fds[0]), "i"(T_SYSCALL)
		     : "memory", "cc");
	require(result == 8);
	require(strcmp(text, "forward") == 0);
}

/* --- the console ------------------------------------------------------------- */

#define WRITERS 3
#define LINES 300	/* that each of them writes */

static void write_lines(int n)
{
	while (n-- > 0)
		printf(1, "# a line of output that should come out in one piece\n");
}

/*
 * Kernel and programs write at the same time: children die one after another for
 * as long as there are writers. The host sees whether each message about a death
 * is a line of its own.
 */
static void lines_stay_whole(void)
{
	int dying, gone, i, writers = WRITERS;

	for (i = 0; i < WRITERS; i++)
		spawn(write_lines, LINES);
	while (writers > 0) {
		dying = fork();
		require(dying >= 0);
		if (dying == 0) {
			printf(1, "# pid %d will die: trap %d\n", getpid(), T_ILLOP);
			invalid_instruction(0);
		}
		while ((gone = wait()) != dying) {
			require(gone > 0);
			writers--;
		}
	}
}

static const struct test tests[] = {
	TEST(wait_returns_the_child),
	TEST(two_children_wait_for_each_other),
	TEST(orphans_are_adopted),
	TEST(child_inherits),
	TEST(kill_wakes_sleepers),
	TEST(kill_wakes_console_reader),
	TEST(kill_wakes_waiting_parent),
	TEST(kill_needs_a_process),
	TEST(spinners_are_preempted_and_killed),
	TEST(kill_a_new_child),
	TEST(time_goes_by),
	TEST(sleepers_wake_in_order),
	TEST(pipe_carries_long_writes),
	TEST(pipe_ends),
	TEST(blocked_writer_notices_reader_gone),
	TEST(pipe_of_many_writers),
	TEST(pipes_need_descriptors),
	TEST(privileged_instructions_kill),
	TEST(unknown_calls_fail),
	TEST(direction_flag_is_harmless),
	TEST(lines_stay_whole),
};

const struct group process_tests = { tests, COUNT(tests) };
