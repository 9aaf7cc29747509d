// SPDX-License-Identifier: GPL-2.0 OR MIT
/* petmem-run.c - start a program whose heap is in petmem: sets LD_PRELOAD and execs. */
#define _GNU_SOURCE

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "filter.h"
#include "petmem.h"
#include "run.h"

/* env(1)'s other exit statuses for a program that was not run. */
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

#define LIBRARY "libpetmem-malloc.so"

/* Where the library may be, from this program's directory: as built, or installed. */
static const char *const places[] = { "", "../lib/petmem/" };

static const char help[] =
	"Usage: petmem-run PROGRAM [ARGUMENT...]\n"
	"       petmem-run --help\n"
	"\n"
	"Run PROGRAM, as it is, with its heap in petmem's memory: everything that it gets\n"
	"from malloc() and its relatives, or from new in C++. Its code, its stacks and its\n"
	"own mmap() mappings stay where they were. The heap stays there, too, in programs\n"
	"that are linked statically or have more rights than their user (set-user-ID): the\n"
	"library cannot be preloaded into those.\n"
	"\n"
	"Programs that PROGRAM starts inherit LD_PRELOAD, and so have their heaps in petmem,\n"
	"too. Start one with an ordinary heap by: env -u LD_PRELOAD PROGRAM\n"
	"Each opens /dev/petmem for itself, and so has one more descriptor, with a high\n"
	"number. A program that runs as another user needs the right to open it.\n"
	"\n"
	"A program whose heap outgrows the pool dies by SIGSEGV, without PETMEM_FALLBACK=1.\n"
	"\n"
	"Environment:\n"
	"  PETMEM_FALLBACK=1  use ordinary memory, after a message, if there is no\n"
	"                     /dev/petmem or no free page in the pool, from the start or\n"
	"                     later; otherwise that is an error\n"
	"  MALLOC_CONF        options for jemalloc, which manages the small objects; see\n"
	"                     jemalloc(3)\n"
	"\n"
	"Exit status: PROGRAM's own; 125 if petmem cannot be used or the usage is wrong, 126\n"
	"if PROGRAM cannot be run, 127 if it is not found.\n";

/* Why petmem has no memory here, or NULL if it has some. */
static const char *what_is_wrong(void)
{
	struct petmem_version version = { 0 };
	struct petmem_status status;
	const char *wrong = NULL;
	int device;

	if (filter_forbids_ioctl())
		return "a seccomp filter forbids ioctl()";
	device = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);
	if (device < 0)
		return strerror(errno);
	if (ioctl(device, PETMEM_IOC_VERSION, &version) ||
	    ioctl(device, PETMEM_IOC_STATUS, &status))
		wrong = strerror(errno);
	else if (version.abi != PETMEM_ABI_VERSION)
		wrong = "the module speaks another protocol than petmem-run";
	else if (!status.free_pages)
		wrong = "the pool has no free page";
	close(device);
	return wrong;
}

/* Find the library. Exits if it is nowhere. */
static void find_library(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	size_t i, room;
	char *name;

	if (length < 0)
		err(RUN_EXIT_NO_PETMEM, "/proc/self/exe");
	path[length] = '\0';
	name = strrchr(path, '/') + 1;
	room = path + PATH_MAX - name;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (snprintf(name, room, "%s%s", places[i], LIBRARY) <
			    (int)room &&
		    !access(path, R_OK))
			return;
	err(RUN_EXIT_NO_PETMEM, "%s", path);
}

/* The library comes before the user's own, which may allocate memory. */
static void preload_library(void)
{
	const char *others = getenv("LD_PRELOAD");
	char path[PATH_MAX];
	char *value;

	find_library(path);
	if (strpbrk(path, ": "))
		errx(RUN_EXIT_NO_PETMEM,
		     "%s: LD_PRELOAD takes no path with a space or colon",
		     path);
	if (asprintf(&value, "%s%s%s", path, others ? ":" : "",
		     others ? others : "") < 0 ||
	    setenv("LD_PRELOAD", value, 1))
		err(RUN_EXIT_NO_PETMEM, "LD_PRELOAD");
	free(value);
}

/*
 * The C library sets aside less room for thread-local data when another library audits the
 * dynamic linker: not enough for jemalloc.
 */
static void make_room(void)
{
	static const char room[] = "glibc.rtld.optional_static_tls=16384";
	const char *others = getenv("GLIBC_TUNABLES");
	char *value;

	if (!getenv("LD_AUDIT"))
		return;
	/* The last one counts. */
	if (asprintf(&value, "%s%s%s", room, others ? ":" : "",
		     others ? others : "") < 0 ||
	    setenv("GLIBC_TUNABLES", value, 1))
		err(RUN_EXIT_NO_PETMEM, "GLIBC_TUNABLES");
	free(value);
}

int main(int argc, char **argv)
{
	const char *wrong;

	if (argc >= 2 && !strcmp(argv[1], "--help")) {
		fputs(help, stdout);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (argc >= 2 && !strcmp(argv[1], "--"))
		argv++;
	else if (argc >= 2 && argv[1][0] == '-')
		errx(RUN_EXIT_NO_PETMEM, "unknown option %s; see --help",
		     argv[1]);
	if (!argv[1])
		errx(RUN_EXIT_NO_PETMEM, "which program? See --help");

	wrong = what_is_wrong();
	if (!wrong) {
		preload_library();
		make_room();
	} else if (run_may_fall_back()) {
		warnx(PETMEM_DEVICE ": %s: using ordinary memory", wrong);
	} else {
		errx(RUN_EXIT_NO_PETMEM, PETMEM_DEVICE ": %s", wrong);
	}
	execvp(argv[1], argv + 1);
	err(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "%s", argv[1]);
}
