// SPDX-License-Identifier: GPL-2.0 OR MIT
/* load.c - load the module, and say in plain words why the kernel refuses it. */

#define _GNU_SOURCE /* pipe2 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

#define EXIT_NO_MODPROBE 127

/* Longer than modprobe's messages about one module. */
#define SAID_SIZE 4096

static const char advice_signature[] =
	"Secure Boot, or the kernel's own settings, allow only modules signed with a\n"
	"key that this machine knows, and petmem.ko is not. DKMS signs with a key of its\n"
	"own; to make it known:\n"
	"    mokutil --import /var/lib/dkms/mok.pub     (then reboot and confirm)\n"
	"petmem(4) says more under SECURE BOOT.\n";

static const char advice_missing[] =
	"petmem.ko was not built for this kernel. With petmem-dkms, install the headers\n"
	"of the kernel, which `uname -r' names, and see `dkms status petmem'; from the\n"
	"sources: make install\n";

static const char advice_format[] =
	"petmem.ko was built for another kernel: build it again.\n";

/* What the kernel's errors mean here. modprobe prints them in words. */
static const struct {
	int err;
	const char *advice;
} reasons[] = {
	{ EKEYREJECTED, advice_signature }, { ENOKEY, advice_signature },
	{ EPERM, advice_signature },	    { EBADMSG, advice_signature },
	{ ENOEXEC, advice_format },
};

static const char *find_advice(const char *said)
{
	size_t i;

	if (strstr(said, "not found in directory"))
		return advice_missing;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strstr(said, strerror(reasons[i].err)))
			return reasons[i].advice;
	return NULL;
}

static void run_modprobe(int errors)
{
	if (dup2(errors, STDERR_FILENO) < 0)
		_exit(EXIT_NO_MODPROBE);
	/* The C locale's words, which strerror() has here, too. */
	setenv("LC_ALL", "C", 1);
	execlp("modprobe", "modprobe", "petmem", (char *)NULL);
	dprintf(STDERR_FILENO, "modprobe: %s\n", strerror(errno));
	_exit(EXIT_NO_MODPROBE);
}

/* Read a pipe to its end, into a string, as far as it fits. */
static void read_all(int fd, char *text, size_t size)
{
	char rest[64];
	size_t length = 0;
	ssize_t count;

	do {
		if (length < size - 1)
			count = read(fd, text + length, size - 1 - length);
		else
			count = read(fd, rest, sizeof(rest));
		if (count > 0 && length < size - 1)
			length += count;
	} while (count > 0 || (count < 0 && errno == EINTR));
	text[length] = '\0';
}

/*
 * Run modprobe and keep its messages. Returns its status, as from waitpid(), or -1
 * with errno.
 */
static int modprobe(char *said, size_t size)
{
	int errors[2];
	int status = -1;
	pid_t child;

	if (pipe2(errors, O_CLOEXEC))
		return -1;
	child = fork();
	if (!child)
		run_modprobe(errors[1]);
	close(errors[1]);
	if (child > 0) {
		read_all(errors[0], said, size);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(errors[0]);
	return status;
}

bool load_module(void)
{
	char said[SAID_SIZE] = "";
	const char *advice;
	int status = modprobe(said, sizeof(said));

	if (status < 0)
		warn("modprobe");
	fputs(said, stderr);
	if (!status)
		return true;

	warnx("the module cannot be loaded");
	advice = geteuid() ? "run as root\n" : find_advice(said);
	if (advice)
		fputs(advice, stderr);
	return false;
}
