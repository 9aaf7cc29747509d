// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * init - the first program. It opens the console for everyone, keeps a shell
 * running, and waits for the processes whose parents are gone. It never ends:
 * when there is no memory for a shell, it tries again until there is.
 */
#include "types.h"
#include "fcntl.h"
#include "user.h"

#define PAUSE 20	/* ticks between two attempts */

/* The devices' names and major numbers. */
static const struct {
	const char *name;
	short major;
} devices[] = {
	{ "/console", 1 },
	{ "/mem", 2 },
};

/* On a new disk there are no devices yet; on a used one, mknod() fails. */
static void make_devices(void)
{
	int i;

	for (i = 0; i < (int)(sizeof(devices) / sizeof(devices[0])); i++)
		mknod(devices[i].name, devices[i].major, 0);
}

/* Descriptors 0, 1 and 2, for this program and all that come after it. */
static void open_console(void)
{
	int fd = open(devices[0].name, O_RDWR);

	while (fd < 2)
		fd = dup(fd);
}

/* Start a shell; returns its pid. Waits while there is no memory for it. */
static int start_shell(void)
{
	char *argv[] = { "sh", 0 };
	int pid, told = 0;

	for (;;) {
		pid = fork();
		if (pid == 0) {
			exec("/sh", argv);
			printf(1, "init: cannot run sh\n");
			exit();
		}
		if (pid > 0)
			return pid;
		if (!told)
			printf(1, "init: no memory for sh, waiting\n");
		told = 1;
		sleep(PAUSE);
	}
}

int main(void)
{
	int shell;

	make_devices();
	open_console();
	for (;;) {
		printf(1, "init: starting sh\n");
		shell = start_shell();
		while (wait() != shell)
			printf(1, "zombie!\n");
		sleep(PAUSE);	/* it may not have been able to start at all */
	}
}
