// SPDX-License-Identifier: GPL-2.0
/* tools.c - petmem walk, map and top, run on known processes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "command.h"
#include "guest.h"

/* The sequences at the beginning and the end of a live screen. */
#define SCREEN_ENTER "\033[?1049h"
#define SCREEN_LEAVE "\033[?1049l"
#define SCREEN_HOME "\033[H"

#define USER 1000

/* Longer than a screen takes to appear. */
#define SCREEN_LIMIT_MS 60000

static void walks(void)
{
	char *memory;
	int stack;

	connect_petmem();
	memory = must_malloc(2 * PAGE);
	memory[PAGE] = 1;
	run(0, "petmem walk %d %p", getpid(), memory + PAGE);
	CHECK(says(": petmem's\nCR3 ") && says("\nPGD["));
	CHECK(says("\nPTE[  1]  0x8") &&
	      says(" a page of 4 KiB, 1 reference\n"));
	CHECK(says("present writable user accessed dirty") &&
	      says("no-execute special"));
	CHECK(says("\nIt ends at physical address 0x"));
	run(0, "petmem walk %d %p", getpid(), memory + PAGE + 0xabc);
	CHECK(says("abc.\n"));
	run(0, "petmem walk %d %p", getpid(), memory);
	CHECK(says("\nPTE[  0]  0x0000000000000000  nothing\n"));
	CHECK(says("\nIt ends here: an access faults."));
	run(0, "petmem walk %d %p", getpid(), (void *)&stack);
	CHECK(says(": Linux's\n"));
	run(0, "petmem walk %d 10000", getpid());
	CHECK(says(": in no mapping\n"));
	run(1, "petmem walk %d ffff800000000000 2>&1", getpid());
	CHECK(says("Invalid argument"));
}

static void maps(void)
{
	char *memory;
	int i;

	connect_petmem();
	memory = must_malloc(64 * PAGE);
	must_malloc(PAGE);
	for (i = 0; i < 16; i++)
		memory[i * PAGE] = 1;
	run(0, "COLUMNS=80 petmem map %d", getpid());
	CHECK(says("petmem map: process ") && says("(tools)"));
	CHECK(says("0x510000000000 256 KiB") && says("16 x 4K, 0% shared"));
	CHECK(says("0 x 4K, 0% shared"));
	run(0, "petmem map %d --svg -", getpid());
	CHECK(says("<svg ") && says("16 pages, 4 KiB pages") &&
	      says("</svg>\n"));
	run(0, "petmem map %d --html -", getpid());
	CHECK(says("<!DOCTYPE html>") && says("48 pages, untouched") &&
	      says("</html>\n"));
	run(1, "petmem map 1 2>&1");
	CHECK(says("does not use petmem"));
}

static void look_at_family(void *argument)
{
	(void)argument;
	run(0, "petmem map %d", getppid());
	CHECK(says("0x510000000000 16 KiB ") && says("4 x 4K, 100% shared"));
	CHECK(says("SSSSSSSS") && says("S shared"));
}

static void maps_shares_and_holes(void)
{
	char *memory, *hole;

	connect_petmem();
	memory = must_malloc(4 * PAGE);
	hole = must_malloc(4 * PAGE);
	must_malloc(4 * PAGE);
	for (int i = 0; i < 4; i++)
		memory[i * PAGE] = 1;
	pet_free(hole);
	join(spawn(look_at_family, NULL));
	run(0, "COLUMNS=80 petmem map %d", getpid());
	CHECK(says("\n0x510000000000        PPPPPPPP") &&
	      says("PPPPPPPP        "));
	CHECK(says("4 x 4K, 0% shared"));
}

/* Every third page of many: more spans than are drawn. */
static void maps_in_parts(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(1200 * PAGE);
	for (size_t i = 0; i < 1200; i += 3)
		memory[i * PAGE] = 1;
	run(0, "petmem map %d --svg -", getpid());
	CHECK(says(
		"1200 pages, of those that are there most are 4 KiB pages<"));
}

static void status(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(3 * PAGE);
	memory[PAGE] = 1;
	run(0, "petmem --status");
	CHECK(says("\nuser: 0 pages 4 families 1\n"));
	CHECK(says("\nnode: 0 free ") && says("\nblock: 0x"));
	run(0, "petmem --status --json");
	CHECK(says("{\"uid\": 0, \"pages\": 4, \"families\": 1}"));
}

static void pool(void)
{
	unsigned long long free_pages;
	char line[128];
	char *memory;

	connect_petmem();
	/* This puts pages in the processors' lists back, so the next ones are adjacent. */
	run(0, "petmem pool");
	memory = must_malloc(16 * PAGE);
	for (int i = 0; i < 16; i++)
		memory[i * PAGE] = 1;
	run(0, "COLUMNS=80 petmem pool");
	snprintf(line, sizeof(line), " %llu of ",
		 16 + pool_status().table_pages);
	CHECK(says("\nnode 0 ") && says("Donated ranges\n0x") && says(line));
	/* The pages in use are adjacent, and break one block of 2 MiB. */
	free_pages = pool_status().free_pages;
	snprintf(
		line, sizeof(line),
		"\nFree memory, by buddy order; %llu%% is in blocks below 2 MiB\n",
		free_pages % (2 * MIB / PAGE) * 100 / free_pages);
	CHECK(says(line));
	CHECK(says("\norder ") && says(" 1 block\n") && says(" data "));
	run(0, "petmem pool --svg -");
	CHECK(says(" pages in use, most as 4 KiB pages</title>"));
	CHECK(says("</svg>\n"));
	run(0, "petmem pool --html -");
	CHECK(says(" pages in use, most as 4 KiB pages\"") &&
	      says("</html>\n"));
}

static void once(void)
{
	char line[64];

	connect_petmem();
	*(char *)must_malloc(PAGE) = 1;
	run(0, "petmem top --once");
	CHECK(says(" pages in ") && says(" with native faults\n"));
	CHECK(says("user 0: 4 pages") && says("COMMAND\n"));
	snprintf(line, sizeof(line), "\n%7d      0 %s", getpid(),
		 is_native() ? "native" : "signal");
	CHECK(says(line) && says(" tools\n"));
	run(1, "petmem top 2>&1 </dev/null");
	CHECK(says("--once"));
}

/* The order between a parent and a child. */
static struct gate to_child;

static void top_as_user(void *parent)
{
	char line[64];

	CHECK(setresuid(USER, USER, USER) == 0);
	connect_petmem();
	*(char *)must_malloc(PAGE) = 1;
	await(&to_child);
	run(0, "petmem top --once");
	snprintf(line, sizeof(line), "\n%7d   %d ", getpid(), USER);
	CHECK(says(line) && says("2 processes, "));
	CHECK(says(" native faults; other users' are not shown\n"));
	snprintf(line, sizeof(line), "\n%7d ", *(pid_t *)parent);
	CHECK(strstr(output, line) == NULL);
}

/* Each process has a family of its own. */
static void once_as_user(void)
{
	pid_t child, self = getpid();

	to_child = new_gate();
	CHECK(chmod(PETMEM_DEVICE, 0666) == 0);
	child = spawn(top_as_user, &self);
	connect_petmem();
	*(char *)must_malloc(PAGE) = 1;
	pass(&to_child);
	join(child);
	CHECK(chmod(PETMEM_DEVICE, 0600) == 0);
	run(0, "petmem top --once");
	CHECK(says("1 processes, ") && !strstr(output, "not shown"));
}

static void fault_for_ever(void *gate)
{
	connect_petmem();
	pass(gate);
	for (;;) {
		char *memory = must_malloc(16 * PAGE);

		for (int i = 0; i < 16; i++)
			memory[i * PAGE] = 1;
		pet_free(memory);
	}
}

/* A process's faults a second, as printed by `petmem top'. */
static unsigned long long rate_of(pid_t pid)
{
	unsigned long long rate = 0;
	char start[16];
	char *line;

	snprintf(start, sizeof(start), "\n%7d ", pid);
	line = strstr(output, start);
	CHECK(line != NULL);
	CHECK(sscanf(line, "%*d %*u %*s %*u %*u %llu", &rate) == 1);
	return rate;
}

static void rates(void)
{
	struct gate gate = new_gate();
	unsigned long long all;
	pid_t child;
	char *line;

	child = spawn(fault_for_ever, &gate);
	await(&gate);
	connect_petmem();
	*(char *)must_malloc(PAGE) = 1;
	run(0, "petmem top --once");
	line = strstr(output, "\na second: ");
	CHECK(line != NULL &&
	      sscanf(line, " a second: %llu faults", &all) == 1);
	CHECK(all > 0 && rate_of(child) > 0);
	CHECK(rate_of(getpid()) == 0);
	/* The busiest comes first. */
	CHECK(strstr(output, "COMMAND\n") != NULL);
	line = strstr(output, "COMMAND\n") + strlen("COMMAND\n");
	CHECK(atoi(line) == child);
	kill(child, SIGKILL);
	status_of(child);
}

/* ---- The live screen ---- */

static int terminal;

static void resize(unsigned short rows, unsigned short columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };

	CHECK(ioctl(terminal, TIOCSWINSZ, &size) == 0);
}

/* `petmem top' on a terminal of its own. */
static pid_t start_top(void)
{
	pid_t child;
	int slave;

	terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(terminal >= 0 && grantpt(terminal) == 0 &&
	      unlockpt(terminal) == 0);
	resize(24, 80);
	fflush(stdout);
	child = fork();
	CHECK(child >= 0);
	if (child > 0)
		return child;
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	if (slave < 0 || setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) != 0)
		_exit(EXIT_FAILURE);
	dup2(slave, STDIN_FILENO);
	dup2(slave, STDOUT_FILENO);
	execlp("petmem", "petmem", "top", NULL);
	_exit(EXIT_FAILURE);
}

/* Read on until @text comes. */
static void wait_for_text(const char *text)
{
	struct pollfd readable = { .fd = terminal, .events = POLLIN };
	size_t length = 0;
	ssize_t count;

	output[0] = '\0';
	while (strstr(output, text) == NULL) {
		CHECK(length < sizeof(output) - 1);
		CHECK(poll(&readable, 1, SCREEN_LIMIT_MS) == 1);
		count = read(terminal, output + length,
			     sizeof(output) - 1 - length);
		CHECK(count > 0);
		length += count;
		output[length] = '\0';
	}
}

/* The lines of the last screen, all of which have to fit. */
static size_t lines_within(size_t columns)
{
	char *line, *next = output, *last = output;
	size_t lines = 0;

	while ((next = strstr(next, SCREEN_HOME)) != NULL)
		last = next++;
	for (line = last + strlen(SCREEN_HOME); line; line = next) {
		size_t length = strcspn(line, "\r\033");

		CHECK(length <= columns);
		lines++;
		next = strstr(line, "\r\n");
		if (next)
			next += strlen("\r\n");
	}
	return lines;
}

/* The tool ends, and leaves the terminal as it was. */
static void ends_well(pid_t child, const struct termios *before)
{
	struct termios after;

	wait_for_text(SCREEN_LEAVE);
	join(child);
	CHECK(tcgetattr(terminal, &after) == 0);
	CHECK(after.c_lflag == before->c_lflag);
	CHECK(after.c_iflag == before->c_iflag);
}

static void live_ended_by(const char *key)
{
	struct termios before;
	pid_t child;

	connect_petmem();
	*(char *)must_malloc(PAGE) = 1;
	child = start_top();
	CHECK(tcgetattr(terminal, &before) == 0);
	wait_for_text(SCREEN_ENTER);
	wait_for_text(" tools\033");
	CHECK(write(terminal, key, 1) == 1);
	ends_well(child, &before);
}

static void live_q(void)
{
	live_ended_by("q");
}

static void live_interrupt(void)
{
	live_ended_by("\003");
}

static void live_resizes(void)
{
	struct termios before;
	pid_t child = start_top();

	CHECK(tcgetattr(terminal, &before) == 0);
	wait_for_text("COMMAND\033[K");
	resize(24, 40);
	wait_for_text("    PID    MAPPED  FAULTS/S  COMMAND\033[K");
	resize(5, 30);
	/* The line is cut off at the 30th column. */
	wait_for_text("\r\n[............................]\033");
	wait_for_text("\033[J");
	CHECK(lines_within(30) <= 5);
	CHECK(write(terminal, "q", 1) == 1);
	ends_well(child, &before);
}

static const struct guest_case cases[] = {
	{ "petmem walk tells each level, and where it ends", walks },
	{ "petmem map draws ranges and pages", maps },
	{ "petmem map draws holes and shared pages", maps_shares_and_holes },
	{ "petmem map draws many spans in parts", maps_in_parts },
	{ "petmem --status tells users, as JSON too", status },
	{ "petmem pool draws pages in use, and how fragmented the rest is",
	  pool },
	{ "petmem top --once", once },
	{ "petmem top --once of an ordinary user", once_as_user },
	{ "petmem top tells faults a second, the most first", rates },
	{ "petmem top is live, and ends with q", live_q },
	{ "petmem top ends with ^C, and leaves the terminal as it was",
	  live_interrupt },
	{ "petmem top fits into a terminal that becomes small", live_resizes },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
