// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * hog [N] - take all memory there is, and all that becomes free, until killed.
 * With N: take it once; then let 1 page be free for a while, then 2, up to N; end.
 */
#include "types.h"
#include "user.h"

#define PAGE 4096
#define FIRST_TRY (64 * 1024 * 1024)
#define A_WHILE 30	/* ticks: longer than init waits between two attempts */

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

int main(int argc, char *argv[])
{
	int n, most = argc > 1 ? atoi(argv[1]) : 0;

	take_all();
	printf(1, "hog: has all memory\n");
	while (argc == 1)
		sbrk(PAGE);
	sleep(A_WHILE);
	for (n = 1; n <= most; n++) {
		take_all();
		sbrk(-n * PAGE);
		sleep(A_WHILE);
	}
	exit();
}
