// SPDX-License-Identifier: GPL-2.0
/* tap.c - runs tests, counts free pages around them, and prints TAP. */
#include "types.h"
#include "fcntl.h"
#include "user.h"
#include "tap.h"

#define PATIENCE 200	/* ticks: two seconds */
#define SINGLE_STEPS 64	/* pages left to take one by one */

/*
 * Every process of a test can write to this pipe: a failure is the number of a
 * source line, the end of the test is DONE. 64 processes cannot fill it.
 */
static int verdict[2];

enum { DONE = 0, END_OF_VERDICT = -1 };

int free_pages(void)
{
	char text[16];
	int fd = open("/mem", O_RDONLY);
	int n = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (n <= 0) {
		printf(1, "# cannot read the number of free pages\n");
		return -1;
	}
	text[n] = 0;
	return atoi(text);
}

int wait_for_free_pages(int n)
{
	int start = uptime();

	while (free_pages() != n && uptime() - start < PATIENCE)
		sleep(1);
	return free_pages() == n;
}

static void report(int line)
{
	write(verdict[1], &line, sizeof(line));
}

void fail(const char *file, int line, const char *what)
{
	printf(1, "# %s:%d: pid %d: not so: %s\n", file, line, getpid(), what);
	report(line);
	exit();
}

/* The line of the first failure, DONE, or END_OF_VERDICT if nothing was said. */
static int read_verdict(void)
{
	int result = END_OF_VERDICT;
	int line;

	report(END_OF_VERDICT);
	for (;;) {
		read(verdict[0], &line, sizeof(line));
		if (line == END_OF_VERDICT)
			return result;
		if (result <= DONE)
			result = line;
	}
}

/* 0 if the test passed, else what went wrong. */
static const char *run_one(const struct test *t)
{
	int before = free_pages();
	int after, line;
	int pid = fork();

	if (pid < 0)
		return "cannot fork";
	if (pid == 0) {
		t->run();
		report(DONE);
		exit();
	}
	while (wait() != pid)
		;
	after = free_pages();
	line = read_verdict();
	if (line == END_OF_VERDICT)
		return "its process died";
	if (line != DONE)
		return "a requirement was not met, see above";
	if (before == after)
		return 0;
	printf(1, "# %d free pages before, %d after\n", before, after);
	return "the free pages do not balance";
}

static int wanted(const struct test *t, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], t->name) == 0)
			return 1;
	return argc == 1;
}

void run_tests(const struct test *tests, int n, int argc, char **argv)
{
	int i, plan = 0, number = 0, passed = 0;
	const char *name, *why;

	if (pipe(verdict) < 0) {
		printf(1, "Bail out! no pipe\n");
		exit();
	}
	for (i = 0; i < n; i++)
		plan += wanted(&tests[i], argc, argv);
	printf(1, "1..%d\n", plan);
	for (i = 0; i < n; i++) {
		if (!wanted(&tests[i], argc, argv))
			continue;
		name = tests[i].name;
		why = run_one(&tests[i]);
		number++;
		if (why) {
			printf(1, "not ok %d - %s - %s\n", number, name, why);
		} else {
			printf(1, "ok %d - %s\n", number, name);
			passed++;
		}
	}
	printf(1, "# %s: %d of %d passed\n", argv[0], passed, plan);
	printf(1, "# %d pages are free\n", free_pages());
	exit();
}

int spawn(void (*f)(int), int arg)
{
	int pid = fork();

	require(pid >= 0);
	if (pid == 0) {
		f(arg);
		exit();
	}
	return pid;
}

void in_child(void (*f)(int), int arg)
{
	spawn(f, arg);
	reap(1);
}

void reap(int n)
{
	while (n-- > 0)
		require(wait() > 0);
	require(wait() == -1);
}

void must_die(int trap, uint address, void (*f)(uint), uint arg)
{
	int pid = fork();

	require(pid >= 0);
	if (pid == 0) {
		if (trap == 14)
			printf(1, "# pid %d will die: trap 14 address 0x%x\n",
			       getpid(), address);
		else
			printf(1, "# pid %d will die: trap %d\n", getpid(), trap);
		f(arg);
		fail(__FILE__, __LINE__, "the process died");
	}
	require(wait() == pid);
}

void will_run_out_of_memory(void)
{
	printf(1, "# pid %d will die: out of memory\n", getpid());
}

void may_run_out_of_memory(int pid)
{
	printf(1, "# pid %d may die: out of memory\n", pid);
}

void make_gate(struct gate *g)
{
	require(pipe(g->fds) == 0);
}

void open_gate(struct gate *g)
{
	close(g->fds[1]);
}

void pass(struct gate *g)
{
	char c;

	close(g->fds[1]);
	read(g->fds[0], &c, 1);
	close(g->fds[0]);
}

uint stack_page(void)
{
	char here;

	return (uint)&here / PAGE * PAGE;
}

uint guard_page(void)
{
	return stack_page() - PAGE;
}

void own_memory_except(const char *except, int pages)
{
	char *end = sbrk(0);
	volatile char *p;

	for (p = (char *)PAGE; p < end; p += PAGE) {
		if (p == except)
			p += pages * PAGE;
		if (p < end && (uint)p != guard_page())
			*p = *p;
	}
}

void leave_free_pages(int n)
{
	int fds[2];
	int extra;

	while ((extra = free_pages() - n) > 0) {
		if (extra > SINGLE_STEPS)
			extra /= 2;
		else
			extra = 1;
		require(sbrk(extra * PAGE) != (char *)-1);
	}
	while (free_pages() < n)	/* a page table was needed as well */
		sbrk(-PAGE);
	while (free_pages() > n)
		require(pipe(fds) == 0);
}

void start_hog(struct gate *g, int n)
{
	struct gate there;

	make_gate(&there);
	make_gate(g);
	if (fork() == 0) {
		own_memory_except(0, 0);
		leave_free_pages(n);
		open_gate(&there);
		pass(g);
		exit();
	}
	pass(&there);
}
