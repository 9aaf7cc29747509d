// SPDX-License-Identifier: GPL-2.0
/* guest.c - helpers that the guest's tests share. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

/* The exit status of a case's process that skips the case. */
#define EXIT_SKIPPED 77

/* The limit of a wait for another process: much longer than any should take. */
#define GATE_LIMIT_MS 60000

/* ---- Cases ---- */

_Noreturn void fail_case(const char *file, int line, const char *what)
{
	int error = errno;

	printf("# %s:%d: not so: %s (errno: %s)\n", file, line, what,
	       strerror(error));
	fflush(stdout);
	_exit(EXIT_FAILURE);
}

_Noreturn void skip_case(const char *reason)
{
	printf("# skipped: %s\n", reason);
	fflush(stdout);
	_exit(EXIT_SKIPPED);
}

bool kernel_has_large_pages(void)
{
	return access("/sys/kernel/mm/transparent_hugepage", F_OK) == 0;
}

unsigned int rounds(unsigned int all)
{
	const char *percent = getenv("ROUNDS");
	unsigned int some =
		percent ? all * strtoul(percent, NULL, 10) / 100 : all;

	return some ? some : 1;
}

unsigned int every(void)
{
	unsigned int percent = rounds(100);

	return percent < 100 ? 100 / percent : 1;
}

int open_log(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	CHECK(log >= 0);
	CHECK(lseek(log, 0, SEEK_END) == 0);
	return log;
}

size_t messages(int log, const char *text)
{
	char message[8192];
	size_t count = 0;
	ssize_t length;

	while ((length = read(log, message, sizeof(message) - 1)) > 0) {
		message[length] = 0;
		count += strstr(message, text) != NULL;
	}
	CHECK(length == -1 && errno == EAGAIN);
	return count;
}

static bool same_counts(const struct petmem_status *before,
			const struct petmem_status *after)
{
	/* A page that failed meanwhile is no longer free. */
	if (before->total_pages == after->total_pages &&
	    before->free_pages + before->bad_pages ==
		    after->free_pages + after->bad_pages &&
	    before->table_pages == after->table_pages &&
	    before->data_pages == after->data_pages &&
	    before->large_pages == after->large_pages &&
	    before->giant_pages == after->giant_pages)
		return true;
	printf("# pages: total %llu->%llu free %llu->%llu table %llu->%llu data %llu->%llu large %llu->%llu giant %llu->%llu\n",
	       before->total_pages, after->total_pages, before->free_pages,
	       after->free_pages, before->table_pages, after->table_pages,
	       before->data_pages, after->data_pages, before->large_pages,
	       after->large_pages, before->giant_pages, after->giant_pages);
	return false;
}

static void run_body(void *argument)
{
	const struct guest_case *test = argument;

	CHECK(setpgid(0, 0) == 0);
	test->run();
}

/* A failed case may have left processes, which are of no more interest. */
static void end_group(pid_t leader)
{
	while (kill(-leader, SIGKILL) == 0 || errno != ESRCH)
		waitpid(-leader, NULL, 0);
}

static bool run_case(const struct guest_case *test, int number)
{
	struct petmem_status before = pool_status();
	pid_t leader = spawn(run_body, (void *)test);
	int status = status_of(leader);
	struct petmem_status after = pool_status();
	bool skipped = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED;
	bool passed =
		skipped || (WIFEXITED(status) && WEXITSTATUS(status) == 0);

	end_group(leader);
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	passed = same_counts(&before, &after) && passed;
	printf("%s %d - %s%s\n", passed ? "ok" : "not ok", number, test->name,
	       skipped ? " # SKIP" : "");
	fflush(stdout);
	return passed;
}

int run_cases(const struct guest_case *cases, size_t count)
{
	bool passed = true;

	/* Processes that a case leaves become this one's children, and it ends them. */
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	/* Most cases count pages, and expect those of 4 KiB. */
	CHECK(setenv("PETMEM_LARGE_PAGES", "0", 0) == 0);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++)
		passed = run_case(&cases[i], i + 1) && passed;
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- Processes ---- */

pid_t spawn(void (*body)(void *argument), void *argument)
{
	static const struct rlimit no_core;
	pid_t child;

	fflush(stdout);
	child = fork();
	CHECK(child >= 0);
	if (child > 0)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	body(argument);
	fflush(stdout);
	_exit(EXIT_SUCCESS);
}

int status_of(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

void join(pid_t child)
{
	int status = status_of(child);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

void wait_to_be_killed(void *unused)
{
	(void)unused;
	for (;;)
		pause();
}

bool dies_by(int signal, void (*body)(void *argument), void *argument)
{
	int status = status_of(spawn(body, argument));

	return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

struct gate new_gate(void)
{
	struct gate gate;

	CHECK(pipe(gate.ends) == 0);
	return gate;
}

void pass(const struct gate *gate)
{
	CHECK(write(gate->ends[1], "", 1) == 1);
}

void await(const struct gate *gate)
{
	struct pollfd passed = { .fd = gate->ends[0], .events = POLLIN };
	char byte;

	CHECK(poll(&passed, 1, GATE_LIMIT_MS) == 1);
	CHECK(read(gate->ends[0], &byte, 1) == 1);
}

void *shared_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

/* ---- Memory ---- */

void walk(pid_t pid, const void *addr, struct petmem_walk *way)
{
	int device = open_device();

	*way = (struct petmem_walk){ .addr = (uintptr_t)addr, .pid = pid };
	CHECK(ioctl(device, PETMEM_IOC_WALK, way) == 0);
	close(device);
	CHECK(way->nr >= 1 && way->nr <= PETMEM_WALK_LEVELS);
}

void choose_mode(enum fault_mode mode)
{
	struct petmem_mode native = { .flags = PETMEM_MODE_NATIVE };
	const char *name = mode == NATIVE ? "native" : "signal";
	int device;

	CHECK(setenv("PETMEM_FAULTS", name, 1) == 0);
	if (mode == SIGNAL)
		return;
	device = open_device();
	if (ioctl(device, PETMEM_IOC_MODE, &native) != 0) {
		CHECK(errno == EOPNOTSUPP);
		skip_case("no native faults on this kernel");
	}
	close(device);
}

bool is_native(void)
{
	const char *mode = getenv("PETMEM_FAULTS");

	return mode != NULL && strcmp(mode, "native") == 0;
}

static __thread volatile sig_atomic_t probing;
static __thread void *volatile fault_address;
static __thread sigjmp_buf escape;

static void handle_probe(int signal, siginfo_t *info, void *context)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	(void)context;
	if (probing) {
		fault_address = info->si_addr;
		siglongjmp(escape, 1);
	}
	/* Not expected: let the fault repeat, and end the process. */
	sigaction(signal, &action, NULL);
}

void catch_faults(void)
{
	struct sigaction action = {
		.sa_sigaction = handle_probe,
		.sa_flags = SA_SIGINFO,
	};

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
}

void connect_petmem(void)
{
	catch_faults();
	CHECK(init_petmem() == 0);
}

static void make_access(void *address, enum access access)
{
	switch (access) {
	case READ:
		(void)*(volatile char *)address;
		break;
	case WRITE:
		__atomic_fetch_or((char *)address, 0, __ATOMIC_SEQ_CST);
		break;
	case FETCH:
		((void (*)(void))address)();
		break;
	}
}

bool faults(void *address, enum access access)
{
	if (sigsetjmp(escape, 1) == 0) {
		probing = 1;
		make_access(address, access);
		probing = 0;
		return false;
	}
	probing = 0;
	CHECK(fault_address == address);
	return true;
}

void *must_malloc(size_t size)
{
	void *memory = pet_malloc(size);

	CHECK(memory != NULL);
	return memory;
}

/* Word @index of the pattern of @seed: never 0. */
static uint64_t pattern(uint64_t seed, uint64_t index)
{
	return ((seed + 1) * 0x9e3779b97f4a7c15 + index) | 1;
}

void fill(void *memory, size_t size, uint64_t seed)
{
	uint64_t *words = memory;
	unsigned char *bytes = memory;
	size_t i;

	for (i = 0; i < size / sizeof(*words); i++)
		words[i] = pattern(seed, i);
	for (i *= sizeof(*words); i < size; i++)
		bytes[i] = pattern(seed, i);
}

bool holds(const void *memory, size_t size, uint64_t seed)
{
	const uint64_t *words = memory;
	const unsigned char *bytes = memory;
	size_t i;

	for (i = 0; i < size / sizeof(*words); i++)
		if (words[i] != pattern(seed, i))
			return false;
	for (i *= sizeof(*words); i < size; i++)
		if (bytes[i] != (unsigned char)pattern(seed, i))
			return false;
	return true;
}

bool is_zero(const void *memory, size_t size)
{
	const unsigned char *bytes = memory;

	return size == 0 ||
	       (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* ---- The device ---- */

int open_device(void)
{
	int fd = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

struct petmem_status pool_status(void)
{
	struct petmem_status status;
	int fd = open_device();

	CHECK(ioctl(fd, PETMEM_IOC_STATUS, &status) == 0);
	close(fd);
	return status;
}

/* The rest is for tables: they are less than one page in a hundred. */
static size_t most_of(size_t pages)
{
	return pages / 100 * 99;
}

size_t take_most(char *memory)
{
	size_t pages = most_of(pool_status().free_pages);

	CHECK(pet_populate(memory, pages * PAGE) == 0);
	return pages;
}

void leave_free(size_t left)
{
	struct petmem_status status = pool_status();
	size_t at_once = most_of(status.free_pages - left);
	char *memory = must_malloc(status.total_pages * PAGE);
	size_t page = SPARE_TOUCHES + 1;

	if (at_once > page) {
		CHECK(pet_populate(memory + page * PAGE,
				   (at_once - page) * PAGE) == 0);
		page = at_once;
	}
	while (pool_status().free_pages > left + 1)
		memory[page++ * PAGE] = 1;
	if (pool_status().free_pages > left)
		memory[0] = 1;
	CHECK(pool_status().free_pages == left);
}

/* ---- Small things ---- */

bool run_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

uint64_t random_below(uint64_t *state, uint64_t limit)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 33) % limit;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int error;

	if (fd < 0)
		return -1;
	written = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	errno = error;
	return written == (ssize_t)strlen(text) ? 0 : -1;
}

void set_clearing(bool on)
{
	CHECK(write_file("/sys/module/petmem/parameters/clear_ahead",
			 on ? "1" : "0") == 0);
}
