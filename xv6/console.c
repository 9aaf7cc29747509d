// SPDX-License-Identifier: GPL-2.0
/*
 * console.c - the device behind the shell: the serial port with line editing.
 *
 *	^H, Del  take the last character back	^U  take the line back
 *	^D       end of file			^P  list the processes
 *	^C       take the line back, and kill what runs in the foreground
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "spinlock.h"
#include "proc.h"
#include "file.h"
#include "defs.h"

#define LINE_SIZE	128	/* longest line, its newline included */

#define CTRL(letter)	((letter) - '@')
#define DELETE		0x7f

static struct spinlock lock = SPINLOCK("console");

/*
 * A ring of characters; positions only grow, and wrap around as one.
 *
 *	taken        ready        typed
 *	  | whole lines | being edited |
 */
static struct {
	char ring[LINE_SIZE];
	uint taken;	/* read() has had everything before this */
	uint ready;	/* read() may have everything before this */
	uint typed;
} input;

/*
 * Write up to the end of a line, or all @n bytes; returns how many. Nothing comes
 * in between, neither from the kernel nor from another process.
 */
static int write_line(const char *src, int n)
{
	int i = 0;

	uart_begin();
	while (i < n) {
		uart_put(src[i]);
		if (src[i++] == '\n')
			break;
	}
	uart_end();
	return i;
}

static char *at(uint position)
{
	return &input.ring[position % LINE_SIZE];
}

/* Take one character of the unfinished line back, if there is one. */
static int rub_out(void)
{
	if (input.typed == input.ready)
		return 0;
	input.typed--;
	write_line("\b \b", 3);
	return 1;
}

static void rub_out_line(void)
{
	while (rub_out())
		;
}

/*
 * Add @c to the line. The ring's last place is kept for the character that
 * ends the line, so that a line can always be ended.
 */
static void add(char c)
{
	int ends = c == '\n' || c == CTRL('D');
	uint used = input.typed - input.taken;

	if (used == LINE_SIZE || (used == LINE_SIZE - 1 && !ends))
		return;
	*at(input.typed++) = c;
	if (c != CTRL('D'))
		write_line(&c, 1);
	if (ends) {
		input.ready = input.typed;
		wake_all(&input);
	}
}

/* A key was pressed. Called by the interrupt handler. */
void console_input(char c)
{
	spin_lock(&lock);
	switch (c) {
	case CTRL('P'):
		proc_list();
		break;
	case CTRL('C'):
		kill_foreground();
		rub_out_line();
		break;
	case CTRL('U'):
		rub_out_line();
		break;
	case CTRL('H'):
	case DELETE:
		rub_out();
		break;
	case '\r':
		add('\n');
		break;
	default:
		if (c)
			add(c);
		break;
	}
	spin_unlock(&lock);
}

/*
 * Read at most a line. ^D ends the line without being part of it; a line of
 * nothing else is the end of the file: 0.
 */
static int console_read(char *dst, int n, uint offset)
{
	int got = 0;
	char c;

	(void)offset;
	spin_lock(&lock);
	while (input.taken == input.ready) {
		if (killed()) {
			spin_unlock(&lock);
			return -1;
		}
		sleep_on(&input, &lock);
	}
	while (got < n && input.taken != input.ready) {
		c = *at(input.taken);
		if (c == CTRL('D')) {
			/* Leave it for the next read(), if this has bytes. */
			if (got == 0)
				input.taken++;
			break;
		}
		input.taken++;
		dst[got++] = c;
		if (c == '\n')
			break;
	}
	spin_unlock(&lock);
	return got;
}

static int console_write(const char *src, int n)
{
	int done = 0;

	while (done < n)
		done += write_line(src + done, n - done);
	return n;
}

const struct device console_device = {
	.most = LINE_SIZE,
	.read = console_read,
	.write = console_write,
};
