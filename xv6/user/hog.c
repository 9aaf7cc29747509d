// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * hog [N SHELL] - take all memory there is, and all that becomes free, until killed.
 * With N: kill process SHELL, and go on like this until somebody types a line. Then let 1
 * page be free for a while, then 2, up to N; end.
 */
#include "types.h"
#include "fcntl.h"
#include "user.h"

#define PAGE 4096
#define FIRST_TRY (64 * 1024 * 1024)
#define A_WHILE 30	/* ticks: longer than init waits between two attempts */
#define TYPED "hog.typed"

/*
 * A program's own printf() takes the place of the library's, as in MIT's forktest:
 * linking this program shows that it can.
 */
void printf(int fd, const char *text, ...)
{
	write(fd, text, strlen(text));
}

static void take_all(void)
{
	int bytes;

	for (bytes = FIRST_TRY; bytes >= PAGE;)
		if (sbrk(bytes) == (char *)-1)
			bytes /= 2;
}

/*
 * Start a child that makes the file TYPED when a line comes, after the gate has been
 * closed: until then, the shell reads the lines. Returns the gate. The child has all of
 * its memory by now.
 */
static int start_reader(void)
{
	int ready[2], gate[2];
	char c = 0;

	if (pipe(ready) < 0 || pipe(gate) < 0)
		return -1;
	if (fork() == 0) {
		close(gate[1]);
		write(ready[1], &c, 1);
		read(gate[0], &c, 1);
		read(0, &c, 1);
		open(TYPED, O_CREATE | O_RDWR);
		exit();
	}
	read(ready[0], &c, 1);
	return gate[1];
}

static void wait_for_line(int shell, int gate)
{
	kill(shell);
	close(gate);
	while (open(TYPED, O_RDONLY) < 0)
		take_all();
	unlink(TYPED);
	wait();
}

int main(int argc, char *argv[])
{
	int n, gate = argc > 2 ? start_reader() : -1;

	take_all();
	printf(1, "hog: has all memory\n");
	while (argc <= 2)
		sbrk(PAGE);
	wait_for_line(atoi(argv[2]), gate);
	for (n = 1; n <= atoi(argv[1]); n++) {
		take_all();
		sbrk(-n * PAGE);
		sleep(A_WHILE);
	}
	exit();
}
