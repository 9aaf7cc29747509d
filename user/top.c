// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * top.c - the pool and the processes, once a second: `petmem top'.
 *
 * A sample is all counters at one moment. A screen shows a sample, and the rates since the
 * one before. It is composed in memory and written at once.
 */

#define _GNU_SOURCE /* reallocarray, open_memstream, ppoll */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "proc.h"
#include "top.h"

#define INTERVAL_NS 1000000000LL

#define DEFAULT_ROWS 24
#define DEFAULT_COLUMNS 80
/* On a narrower terminal the list has only the most important columns. */
#define WIDE_COLUMNS 72
/* Lines above the list of processes; the most users that are shown. */
#define HEADER_LINES 7
#define USERS_SHOWN 3

/* Switch to the alternate screen, without a cursor; and back. */
#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME "\033[H"
#define SCREEN_CLEAR_LINE "\033[K"
#define SCREEN_CLEAR_REST "\033[J"

struct sample {
	int64_t when; /* nanoseconds */
	struct petmem_status status;
	struct petmem_counters counters;
	struct petmem_user_counts *users;
	size_t users_count;
	struct petmem_process_info *processes; /* by number */
	size_t count;
	bool others; /* there are processes that the caller may not see */
};

/* A line of the list. */
struct line {
	const struct petmem_process_info *info;
	uint64_t rate; /* faults a second */
};

struct size {
	unsigned int rows;
	unsigned int columns;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * INTERVAL_NS + time.tv_nsec;
}

/* ---- Samples ---- */

static int by_number(const void *left, const void *right)
{
	const struct petmem_process_info *a = left;
	const struct petmem_process_info *b = right;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static void sample_free(struct sample *sample)
{
	free(sample->users);
	free(sample->processes);
	*sample = (struct sample){ .when = 0 };
}

/*
 * Ask about every process. Most do not use petmem, and many may be other users'. Returns 0
 * or a negative errno.
 */
static int read_processes(int device, struct sample *sample)
{
	unsigned int *pids;
	size_t count, i;
	int err = proc_list(&pids, &count);

	if (err)
		return err;
	sample->processes = calloc(count, sizeof(*sample->processes));
	if (!sample->processes)
		err = -ENOMEM;
	for (i = 0; i < count && !err; i++) {
		struct petmem_process_info info = { .pid = pids[i] };

		if (!ioctl(device, PETMEM_IOC_PROCESS, &info))
			sample->processes[sample->count++] = info;
		else if (errno == EPERM)
			sample->others = true;
		else if (errno != ENOENT && errno != ESRCH)
			err = -errno;
	}
	free(pids);
	if (!err)
		qsort(sample->processes, sample->count,
		      sizeof(*sample->processes), by_number);
	return err;
}

static int sample_read(int device, struct sample *sample)
{
	int err;

	*sample = (struct sample){ .when = now() };
	if (ioctl(device, PETMEM_IOC_STATUS, &sample->status) ||
	    ioctl(device, PETMEM_IOC_COUNTERS, &sample->counters))
		return -errno;
	err = device_users(device, &sample->users, &sample->users_count);
	if (!err)
		err = read_processes(device, sample);
	if (err)
		sample_free(sample);
	return err;
}

static uint64_t per_second(uint64_t before, uint64_t after, int64_t time)
{
	return after > before && time > 0
		       ? (after - before) * INTERVAL_NS / time
		       : 0;
}

/* ---- One screen ---- */

static int by_rate(const void *left, const void *right)
{
	const struct line *a = left;
	const struct line *b = right;

	if (a->rate != b->rate)
		return a->rate > b->rate ? -1 : 1;
	if (a->info->mapped_pages != b->info->mapped_pages)
		return a->info->mapped_pages > b->info->mapped_pages ? -1 : 1;
	return by_number(a->info, b->info);
}

static struct line *list_lines(const struct sample *before,
			       const struct sample *after)
{
	struct line *lines = calloc(after->count + 1, sizeof(*lines));
	const struct petmem_process_info *old;
	size_t i;

	if (!lines)
		return NULL;
	for (i = 0; i < after->count; i++) {
		lines[i].info = &after->processes[i];
		old = bsearch(lines[i].info, before->processes, before->count,
			      sizeof(*old), by_number);
		lines[i].rate =
			per_second(old ? old->faults : 0, lines[i].info->faults,
				   after->when - before->when);
	}
	qsort(lines, after->count, sizeof(*lines), by_rate);
	return lines;
}

/* Draw as many letters of a kind as its share of the pool; at least one if it has any. */
static void put_bar(FILE *out, const struct petmem_status *status,
		    unsigned int columns)
{
	const struct {
		char letter;
		uint64_t pages;
	} parts[] = {
		{ '#', status->data_pages },
		{ 'T', status->table_pages },
	};
	unsigned int width = columns - 2, used = 0, length;
	size_t i;

	fputc('[', out);
	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		length = status->total_pages
				 ? parts[i].pages * width / status->total_pages
				 : 0;
		if (!length && parts[i].pages)
			length = 1;
		for (; length && used < width; length--, used++)
			fputc(parts[i].letter, out);
	}
	for (; used < width; used++)
		fputc('.', out);
	fputs("]\n", out);
}

static void put_header(FILE *out, const struct sample *before,
		       const struct sample *after, unsigned int columns)
{
	const struct petmem_status *status = &after->status;
	const struct petmem_counters *old = &before->counters;
	const struct petmem_counters *new = &after->counters;
	int64_t time = after->when - before->when;

	fprintf(out, "petmem: %llu pages in %llu blocks, %llu free\n",
		status->total_pages, status->blocks, status->free_pages);
	put_bar(out, status, columns);
	fprintf(out, "# %llu data   T %llu tables   . %llu free\n",
		status->data_pages, status->table_pages, status->free_pages);
	fprintf(out, "a second: %llu faults, %llu copies, %llu forks\n",
		(unsigned long long)per_second(old->faults, new->faults, time),
		(unsigned long long)per_second(old->copies, new->copies, time),
		(unsigned long long)per_second(old->forks, new->forks, time));
	fprintf(out, "%llu processes, %llu with native faults%s\n",
		status->processes, status->native_processes,
		after->others ? "; other users' are not shown" : "");
}

static void put_users(FILE *out, const struct sample *sample)
{
	size_t i;

	for (i = 0; i < sample->users_count && i < USERS_SHOWN; i++)
		fprintf(out, "%suser %u: %llu pages", i ? "   " : "",
			sample->users[i].uid, sample->users[i].pages);
	if (i < sample->users_count)
		fprintf(out, "   and %zu more", sample->users_count - i);
	fputc('\n', out);
}

static void put_titles(FILE *out, unsigned int columns)
{
	if (columns < WIDE_COLUMNS)
		fprintf(out, "%7s %9s %9s  %s\n", "PID", "MAPPED", "FAULTS/S",
			"COMMAND");
	else
		fprintf(out, "%7s %6s %-6s %9s %9s %9s %9s  %s\n", "PID",
			"USER", "FAULTS", "MAPPED", "FAMILY", "FAULTS/S",
			"COPIES", "COMMAND");
}

static void put_line(FILE *out, const struct line *line, unsigned int columns)
{
	const struct petmem_process_info *info = line->info;
	char name[PROC_NAME_MAX];

	proc_name(info->pid, name);
	if (columns < WIDE_COLUMNS) {
		fprintf(out, "%7u %9llu %9llu  %s\n", info->pid,
			info->mapped_pages, (unsigned long long)line->rate,
			name);
		return;
	}
	fprintf(out, "%7u %6u %-6s %9llu %9llu %9llu %9llu  %s\n", info->pid,
		info->uid,
		info->flags & PETMEM_PROCESS_NATIVE ? "native" : "signal",
		info->mapped_pages, info->family_pages,
		(unsigned long long)line->rate, info->copies, name);
}

/* Compose the screen as text that the caller frees; NULL without memory. */
static char *compose(const struct sample *before, const struct sample *after,
		     const struct size *size)
{
	struct line *lines = list_lines(before, after);
	char *text = NULL;
	size_t length, i, room = SIZE_MAX;
	FILE *out = lines ? open_memstream(&text, &length) : NULL;

	if (!out) {
		free(lines);
		return NULL;
	}
	put_header(out, before, after, size->columns);
	put_users(out, after);
	put_titles(out, size->columns);
	if (size->rows)
		room = size->rows > HEADER_LINES ? size->rows - HEADER_LINES
						 : 0;
	for (i = 0; i < after->count && i < room; i++)
		put_line(out, &lines[i], size->columns);
	free(lines);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

/* ---- The terminal ---- */

static volatile sig_atomic_t ended;

static void on_signal(int number)
{
	if (number != SIGWINCH)
		ended = number;
}

static struct size terminal_size(void)
{
	struct size size = { DEFAULT_ROWS, DEFAULT_COLUMNS };
	struct winsize window;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) && window.ws_row > 1 &&
	    window.ws_col > 2)
		size = (struct size){ window.ws_row, window.ws_col };
	return size;
}

/* Write the lines, cut off at the edges so that nothing scrolls. */
static void put_screen(const char *text, const struct size *size)
{
	unsigned int row = 1;
	size_t length;

	fputs(SCREEN_HOME, stdout);
	for (; *text && row <= size->rows; row++) {
		length = strcspn(text, "\n");
		printf("%.*s" SCREEN_CLEAR_LINE "%s",
		       (int)(length < size->columns ? length : size->columns),
		       text, row < size->rows ? "\r\n" : "");
		text += length + (text[length] == '\n');
	}
	fputs(SCREEN_CLEAR_REST, stdout);
	fflush(stdout);
}

/* Wait for the end of the interval. Returns true to go on. */
static bool wait_for(int64_t until, const sigset_t *mask, bool *resized)
{
	struct pollfd keys = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left = until - now();
	struct timespec time = { 0 };
	char key;

	if (left > 0)
		time = (struct timespec){ left / INTERVAL_NS,
					  left % INTERVAL_NS };
	*resized = false;
	switch (ppoll(&keys, 1, &time, mask)) {
	case 0:
		return true;
	case 1:
		return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' &&
		       key != 'Q';
	default:
		*resized = errno == EINTR;
		return errno == EINTR && !ended;
	}
}

/* Let signals come only while the program waits, when nothing is half done. */
static void take_signals(sigset_t *before)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
				       SIGWINCH };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		sigaddset(&set, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	signal(SIGTSTP, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, before);
}

/* Returns 0 or a negative errno. */
static int run(int device, const sigset_t *mask)
{
	struct sample before = { .when = 0 }, after = { .when = 0 };
	bool resized = false;
	char *text;
	struct size size;
	int err = sample_read(device, &before);

	while (!err) {
		if (!resized || !after.when) {
			sample_free(&after);
			err = sample_read(device, &after);
		}
		size = terminal_size();
		text = err ? NULL : compose(&before, &after, &size);
		if (!text)
			break;
		put_screen(text, &size);
		free(text);
		if (!wait_for(after.when + INTERVAL_NS, mask, &resized))
			break;
		if (!resized) {
			sample_free(&before);
			before = after;
			after = (struct sample){ .when = 0 };
		}
	}
	sample_free(&before);
	sample_free(&after);
	return err;
}

static int show_live(int device)
{
	struct termios old, raw;
	sigset_t mask;
	int err;

	if (tcgetattr(STDIN_FILENO, &old) || !isatty(STDOUT_FILENO)) {
		warnx("top takes a terminal; --once does not");
		return -ENOTTY;
	}
	take_signals(&mask);
	raw = old;
	raw.c_lflag &= ~(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
	fputs(SCREEN_ENTER, stdout);
	err = run(device, &mask);
	fputs(SCREEN_LEAVE, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	if (err)
		warnx("%s: %s", PETMEM_DEVICE, strerror(-err));
	return err;
}

static int show_once(int device)
{
	const struct size size = { 0, DEFAULT_COLUMNS };
	const struct timespec interval = { .tv_sec = 1 };
	struct sample before, after;
	char *text = NULL;
	int err = sample_read(device, &before);

	if (!err) {
		nanosleep(&interval, NULL);
		err = sample_read(device, &after);
		if (!err)
			text = compose(&before, &after, &size);
		sample_free(&before);
		sample_free(&after);
	}
	if (err) {
		warnx("%s: %s", PETMEM_DEVICE, strerror(-err));
	} else if (!text || fputs(text, stdout) < 0 || fflush(stdout)) {
		warn("standard output");
		err = -EIO;
	}
	free(text);
	return err;
}

bool show_top(int device, bool once)
{
	return !(once ? show_once(device) : show_live(device));
}
