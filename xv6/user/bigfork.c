// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * bigfork [write] - fork a process of 200 MB five times: the experiment of part 2.
 * With "write" each child writes to all of its memory.
 */
#include "types.h"
#include "user.h"

#define BYTES (200 * 1024 * 1024)
#define PAGE 4096
#define FORKS 5

static void write_all(volatile char *p, char c)
{
	int i;

	for (i = 0; i < BYTES; i += PAGE)
		p[i] = c;
}

int main(int argc, char *argv[])
{
	char *p = malloc(BYTES);
	int i, pid;

	(void)argv;
	if (!p) {
		printf(1, "malloc() = 0\n");
		exit();
	}
	write_all(p, 1);
	for (i = 0; i < FORKS; i++) {
		pid = fork();
		if (pid == 0 && argc > 1)
			write_all(p, 2);
		if (pid == 0)
			exit();
		printf(1, "fork() = %d\n", pid);
		if (argc > 1)
			wait();
	}
	while (wait() >= 0)
		;
	exit();
}
