// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * init - the first program. It opens the console for everyone, keeps a shell
 * running, and waits for the processes whose parents are gone.
 */
#include "types.h"
#include "fcntl.h"
#include "user.h"

/* The devices' major numbers. */
#define CONSOLE 1
#define FREE_MEMORY 2

static void open_console(void)
{
	if (open("console", O_RDWR) < 0) {
		mknod("console", CONSOLE, 0);
		open("console", O_RDWR);
	}
	dup(0);
	dup(0);
}

static void make_free_memory_device(void)
{
	int fd = open("mem", O_RDONLY);

	if (fd >= 0)
		close(fd);
	else
		mknod("mem", FREE_MEMORY, 0);
}

static int start_shell(void)
{
	char *argv[] = { "sh", 0 };
	int pid = fork();

	if (pid == 0) {
		exec("sh", argv);
		printf(1, "init: cannot run sh\n");
		exit();
	}
	return pid;
}

int main(void)
{
	int shell, gone;

	open_console();
	make_free_memory_device();
	for (;;) {
		printf(1, "init: starting sh\n");
		shell = start_shell();
		if (shell < 0) {
			printf(1, "init: cannot fork\n");
			exit();
		}
		while ((gone = wait()) >= 0 && gone != shell)
			printf(1, "zombie!\n");
	}
}
