// SPDX-License-Identifier: GPL-2.0
/*
 * petmem_tool_kernel.c - the kernel that the donation tool sees in its test.
 *
 * The linker sends the tool's system calls here (--wrap, see tool.mk). The
 * machine is a directory, $TEST_KERNEL:
 *
 *   memory/                    stands for /sys/devices/system/memory
 *   memory/memoryN/state       and valid_zones, as in sysfs
 *   memory/memoryN/nodeK       exists if the block is on NUMA node K
 *   memory/memoryN/donated     exists while petmem holds a range that begins
 *                              here; contains its number of blocks
 *   memory/memoryN/used        the number of pages in use of that range
 *   memory/memoryN/fail_WHAT   the errno to give: offline, online, donate,
 *                              release
 *   memory/memoryN/signal_WHAT a signal to send in that call; unless blocked or
 *                              ignored, it ends the call with EINTR
 *   memory/memoryN/signal_open a signal to send as its state is opened to write
 *   memory/memoryN/hang        offlining goes on until a signal ends it
 *   memory/memoryN/scarce      available becomes this when its offlining begins
 *   memory/memoryN/stolen      the call in which somebody else is faster: offline,
 *                              online, release
 *   available                  kilobytes, less when blocks go offline; without
 *                              it the kernel does not say
 *   open_error, state_error    errno for opening the device, a state to write
 *   abi, version_error         the result of PETMEM_IOC_VERSION
 *   impatient                  a time limit passes in a second
 *   log                        the requests to the kernel
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "petmem.h"

#define SYSFS_MEMORY "/sys/devices/system/memory"
#define MAX_FDS 64
#define MAX_BLOCKS 65536

int __real_open(const char *path, int flags, ...);
DIR *__real_opendir(const char *path);
FILE *__real_fopen(const char *path, const char *mode);
ssize_t __real_write(int fd, const void *buffer, size_t size);
int __real_ioctl(int fd, unsigned long command, ...);
unsigned int __real_alarm(unsigned int seconds);

int __wrap_open(const char *path, int flags, ...);
DIR *__wrap_opendir(const char *path);
FILE *__wrap_fopen(const char *path, const char *mode);
ssize_t __wrap_write(int fd, const void *buffer, size_t size);
unsigned int __wrap_alarm(unsigned int seconds);
int __wrap_ioctl(int fd, unsigned long command, ...);

/* The block whose state a descriptor has open to write: number + 1. */
static unsigned long long state_fds[MAX_FDS];
static int device_fd = -1;

__attribute__((format(printf, 1, 2))) static const char *
file(const char *format, ...)
{
	static char path[PATH_MAX];
	const char *root = getenv("TEST_KERNEL");
	va_list arguments;
	int length = snprintf(path, sizeof(path), "%s/", root ? root : "");

	va_start(arguments, format);
	vsnprintf(path + length, sizeof(path) - length, format, arguments);
	va_end(arguments);
	return path;
}

/* The first word of a file; empty if there is no file. */
static const char *word(const char *path)
{
	static char value[64];
	FILE *stream = __real_fopen(path, "r");

	value[0] = '\0';
	if (stream) {
		if (fscanf(stream, "%63s", value) != 1)
			value[0] = '\0';
		fclose(stream);
	}
	return value;
}

static unsigned long long value(const char *path)
{
	return strtoull(word(path), NULL, 0);
}

static void put(const char *path, const char *mode, const char *text)
{
	FILE *stream = __real_fopen(path, mode);

	if (!stream || fputs(text, stream) == EOF || fclose(stream)) {
		perror(path);
		abort();
	}
}

static void note(const char *what, unsigned long long number)
{
	char line[64];

	snprintf(line, sizeof(line), "%s %llu\n", what, number);
	put(file("log"), "a", line);
}

static unsigned long long block_size(void)
{
	return strtoull(word(file("memory/block_size_bytes")), NULL, 16);
}

static int fail(unsigned long long err)
{
	errno = (int)err;
	return err ? -1 : 0;
}

/* Would the signal end a system call? */
static bool disturbs(int sig)
{
	struct sigaction action;
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigaction(sig, NULL, &action);
	return !sigismember(&mask, sig) && action.sa_handler != SIG_IGN;
}

/* Do what a block's files order for a call. */
static int ordered(const char *what, unsigned long long number)
{
	int sig = (int)value(file("memory/memory%llu/signal_%s", number, what));

	if (sig) {
		raise(sig);
		if (disturbs(sig))
			return fail(EINTR);
	}
	return fail(value(file("memory/memory%llu/fail_%s", number, what)));
}

int __wrap_open(const char *path, int flags, ...)
{
	unsigned long long number = 0;
	char name[PATH_MAX];
	int fd, sig;

	if (!strcmp(path, PETMEM_DEVICE)) {
		if (fail(value(file("open_error"))))
			return -1;
		device_fd = __real_open("/dev/null", O_RDWR);
		return device_fd;
	}
	if (strncmp(path, SYSFS_MEMORY "/", strlen(SYSFS_MEMORY "/")))
		abort();
	strcpy(name, file("memory%s", path + strlen(SYSFS_MEMORY)));
	if ((flags & O_ACCMODE) == O_WRONLY) {
		if (!sscanf(path, SYSFS_MEMORY "/memory%llu/state", &number))
			abort();
		if (fail(value(file("state_error"))))
			return -1;
		sig = (int)value(file("memory/memory%llu/signal_open", number));
		if (sig)
			raise(sig);
	}
	fd = __real_open(name, flags);
	if (fd >= MAX_FDS)
		abort();
	if (fd >= 0)
		state_fds[fd] = flags & O_WRONLY ? number + 1 : 0;
	return fd;
}

DIR *__wrap_opendir(const char *path)
{
	if (strncmp(path, SYSFS_MEMORY, strlen(SYSFS_MEMORY)))
		abort();
	return __real_opendir(file("memory%s", path + strlen(SYSFS_MEMORY)));
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	char line[64];

	/* The configuration is a file of the test's. */
	if (*path != '/')
		return __real_fopen(path, mode);
	if (strcmp(path, "/proc/meminfo"))
		abort();
	snprintf(line, sizeof(line), "MemTotal: 1 kB\nMemAvailable: %llu kB\n",
		 value(file("available")));
	if (!*word(file("available")))
		line[0] = '\0';
	put(file("meminfo"), "w", line);
	return __real_fopen(file("meminfo"), mode);
}

unsigned int __wrap_alarm(unsigned int seconds)
{
	if (seconds > 1 && value(file("impatient")))
		seconds = 1;
	return __real_alarm(seconds);
}

/* Only taking a block offline may have a time limit. */
static void no_time_limit(void)
{
	if (__real_alarm(0))
		abort();
}

static bool stolen(const char *what, unsigned long long number)
{
	return !strcmp(word(file("memory/memory%llu/stolen", number)), what);
}

static void count_available(long long bytes)
{
	char line[64];

	if (!*word(file("available")))
		return;
	snprintf(line, sizeof(line), "%lld\n",
		 (long long)value(file("available")) + bytes / 1024);
	put(file("available"), "w", line);
}

static int offline(unsigned long long number)
{
	const char *scarce = word(file("memory/memory%llu/scarce", number));

	if (*scarce)
		put(file("available"), "w", scarce);
	if (ordered("offline", number))
		return -1;
	if (value(file("memory/memory%llu/hang", number)))
		return pause();
	count_available(-(long long)block_size());
	put(file("memory/memory%llu/state", number), "w", "offline\n");
	put(file("memory/memory%llu/valid_zones", number), "w",
	    "Normal Movable\n");
	return 0;
}

static int online(unsigned long long number, const char *state)
{
	bool movable = !strcmp(state, "online_movable");

	no_time_limit();
	if (ordered("online", number))
		return -1;
	if (value(file("memory/memory%llu/donated", number)))
		return fail(EPERM);
	count_available((long long)block_size());
	put(file("memory/memory%llu/state", number), "w", "online\n");
	put(file("memory/memory%llu/valid_zones", number), "w",
	    movable ? "Movable\n" : "Normal\n");
	return 0;
}

static int change_state(unsigned long long number, const char *state)
{
	bool to_online = !strncmp(state, "online", strlen("online"));
	const char *now = to_online ? "online" : "offline";

	note(state, number);
	if (strcmp(state, "offline") && strcmp(state, "online") &&
	    strcmp(state, "online_kernel") && strcmp(state, "online_movable"))
		return fail(EINVAL);
	if (stolen(now, number))
		put(file("memory/memory%llu/state", number), "w", now);
	if (!strcmp(word(file("memory/memory%llu/state", number)), now))
		return fail(EINVAL);
	return to_online ? online(number, state) : offline(number);
}

ssize_t __wrap_write(int fd, const void *buffer, size_t size)
{
	char state[32] = "";

	if (fd < 0 || fd >= MAX_FDS || !state_fds[fd] || size >= sizeof(state))
		abort();
	memcpy(state, buffer, size);
	return change_state(state_fds[fd] - 1, state) ? -1 : (ssize_t)size;
}

static int version(struct petmem_version *version)
{
	if (version->reserved)
		return fail(EINVAL);
	version->abi = value(file("abi"));
	return fail(value(file("version_error")));
}

static int donate(const struct petmem_extent *extent)
{
	unsigned long long number = extent->start / block_size();

	note("donate", number);
	no_time_limit();
	if (extent->start % block_size() || extent->size != block_size())
		return fail(EINVAL);
	if (ordered("donate", number))
		return -1;
	if (value(file("memory/memory%llu/donated", number)))
		return fail(EEXIST);
	if (strcmp(word(file("memory/memory%llu/state", number)), "offline"))
		return fail(EBUSY);
	put(file("memory/memory%llu/donated", number), "w", "1\n");
	return 0;
}

static int release(const struct petmem_extent *extent)
{
	unsigned long long number = extent->start / block_size();
	unsigned long long count =
		value(file("memory/memory%llu/donated", number));

	note("release", number);
	no_time_limit();
	if (ordered("release", number))
		return -1;
	if (stolen("release", number)) {
		unlink(file("memory/memory%llu/donated", number));
		put(file("memory/memory%llu/state", number), "w", "online\n");
		return fail(ENOENT);
	}
	if (!count || extent->start % block_size() ||
	    extent->size != count * block_size())
		return fail(ENOENT);
	if (value(file("memory/memory%llu/used", number)))
		return fail(EBUSY);
	return unlink(file("memory/memory%llu/donated", number));
}

/* Find range @index. Returns the number of ranges up to it, itself included. */
static unsigned int find_range(unsigned int index, struct petmem_block *range)
{
	unsigned long long number, count;
	unsigned int found = 0;

	for (number = 0; number < MAX_BLOCKS && found <= index; number++) {
		count = value(file("memory/memory%llu/donated", number));
		if (!count)
			continue;
		found++;
		range->node = number % 2;
		range->start = number * block_size();
		range->size = count * block_size();
		range->free_pages =
			range->size / PETMEM_PAGE_SIZE -
			value(file("memory/memory%llu/used", number));
	}
	return found;
}

static int block(struct petmem_block *range)
{
	bool found = find_range(range->index, range) > range->index;

	return found ? 0 : fail(ENOENT);
}

/* The used pages of a range come first. The first of them is a table. */
static int run(struct petmem_run *run)
{
	struct petmem_block range;
	unsigned long long page, pages, used;
	unsigned int index = 0;

	if (value(file("members_only")))
		return fail(EPERM);
	while (find_range(index, &range) > index &&
	       (run->addr < range.start ||
		run->addr - range.start >= range.size))
		index++;
	page = (run->addr - range.start) / PETMEM_PAGE_SIZE;
	pages = range.size / PETMEM_PAGE_SIZE;
	used = pages - range.free_pages;
	if (page < used) {
		run->kind = page ? PETMEM_RUN_DATA : PETMEM_RUN_TABLE;
		run->size = (page ? used - page : 1) * PETMEM_PAGE_SIZE;
		return 0;
	}
	while (page % (2ULL << run->order) == 0 &&
	       page + (2ULL << run->order) <= pages)
		run->order++;
	run->size = PETMEM_PAGE_SIZE << run->order;
	return 0;
}

static int status(struct petmem_status *status)
{
	*status = (struct petmem_status){
		.total_pages = 11,
		.free_pages = 22,
		.clean_pages = 20,
		.table_pages = 33,
		.data_pages = 44,
		.bad_pages = 3,
		.large_pages = 0,
		.giant_pages = 0,
		.processes = 55,
		.native_processes = 33,
		.blocks = 66,
		.block_size = block_size(),
	};
	return 0;
}

static int counters(struct petmem_counters *counters)
{
	*counters = (struct petmem_counters){
		.faults = 111,
		.copies = 222,
		.forks = 333,
		.max_family_pages = 444,
		.max_user_pages = 555,
	};
	return 0;
}

static int user(struct petmem_user_counts *user)
{
	if (user->index >= 2)
		return fail(ENOENT);
	user->uid = user->index * 1000;
	user->families = 1;
	user->pages = 77 + user->index;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (command == TIOCGWINSZ)
		return __real_ioctl(fd, command, argument);
	if (fd != device_fd)
		abort();
	switch (command) {
	case PETMEM_IOC_VERSION:
		return version(argument);
	case PETMEM_IOC_DONATE:
		return donate(argument);
	case PETMEM_IOC_RELEASE:
		return release(argument);
	case PETMEM_IOC_STATUS:
		return status(argument);
	case PETMEM_IOC_BLOCK:
		return block(argument);
	case PETMEM_IOC_RUN:
		return run(argument);
	case PETMEM_IOC_COUNTERS:
		return counters(argument);
	case PETMEM_IOC_USER:
		return user(argument);
	default:
		return fail(ENOTTY);
	}
}
