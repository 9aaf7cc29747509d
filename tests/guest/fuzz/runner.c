// SPDX-License-Identifier: GPL-2.0
/* runner.c - run hostile programs, from outside. */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "result.h"
#include "runner.h"

/* The first worker's account. Each worker has its own, to kill just its programs. */
#define NOBODY 65534

#define MS 1000000L
#define LIFE_MAX_MS 8000
#define EARLY_DEATH_MS 1500
/* The limit for dead processes to be gone, and for the pool to be balanced. */
#define PATIENCE_MS 100000
#define POLL_MS 2
/* The pages that the hog leaves in the pool. */
#define LEFT_PAGES 300

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / MS;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, POLL_MS * MS }, NULL);
}

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, text, strlen(text));
	close(fd);
}

static uint64_t taint(void)
{
	char text[32] = "";
	int fd = open("/proc/sys/kernel/tainted", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return strtoull(text, NULL, 10);
}

static struct petmem_status pool_status(void)
{
	struct petmem_status status;
	int fd = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, PETMEM_IOC_STATUS, &status) < 0)
		err(EXIT_FAILURE, "%s", PETMEM_DEVICE);
	close(fd);
	return status;
}

/* ---- One program ---- */

static uid_t account_of(unsigned int worker)
{
	return NOBODY - worker;
}

static void become(uid_t account)
{
	if (setgroups(0, NULL) < 0 ||
	    setresgid(account, account, account) < 0 ||
	    setresuid(account, account, account) < 0)
		_exit(EXIT_FAILURE);
}

static void limit(int resource, rlim_t value)
{
	setrlimit(resource, &(struct rlimit){ value, value });
}

static void enter_directory(unsigned int worker)
{
	char path[32];

	snprintf(path, sizeof(path), "/tmp/fuzz-%u", worker);
	mkdir(path, 0700);
	if (chdir(path) < 0 ||
	    chown(".", account_of(worker), account_of(worker)) < 0)
		err(EXIT_FAILURE, "%s", path);
}

static void empty_directory(void)
{
	DIR *directory = opendir(".");
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_type == DT_REG)
			unlink(entry->d_name);
	if (directory)
		closedir(directory);
}

/* Limits keep a program from hurting Linux, which is not under test. */
static void limit_program(uint64_t seed)
{
	limit(RLIMIT_NPROC, 40);
	limit(RLIMIT_NOFILE, 160);
	limit(RLIMIT_FSIZE, MIB);
	limit(RLIMIT_DATA, 64 * MIB);
	limit(RLIMIT_MEMLOCK, MIB / 2);
	limit(RLIMIT_CORE, mix(seed, RLIMIT_CORE) % 8 ? 0 : MIB / 4);
	write_to("/proc/self/oom_score_adj", "1000");
}

static _Noreturn void be_program(unsigned int worker, uint64_t seed)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	limit_program(seed);
	if (!choice.verbose) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	become(account_of(worker));
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	program_run(seed);
}

/* Kill all processes of an account: only the account itself reaches just these. */
static void kill_account(uid_t account)
{
	pid_t killer = fork();

	if (killer == 0) {
		become(account);
		kill(-1, SIGKILL);
		_exit(EXIT_SUCCESS);
	}
	if (killer > 0)
		waitpid(killer, NULL, 0);
}

/* Returns false if something does not end. */
static bool clean_up(unsigned int worker)
{
	uint64_t deadline = now_ms() + PATIENCE_MS;

	for (;;) {
		kill_account(account_of(worker));
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD)
			break;
		if (now_ms() > deadline)
			return false;
		nap();
	}
	empty_directory();
	return true;
}

/* Half of the programs are killed before they are done. */
static uint64_t life_of(uint64_t seed)
{
	uint64_t fate = mix(seed, LIFE_MAX_MS);

	return fate % 2 ? LIFE_MAX_MS : fate / 2 % EARLY_DEATH_MS;
}

static void announce(uint64_t seed)
{
	char text[64];

	snprintf(text, sizeof(text), "<6>fuzz: program %#" PRIx64 "\n", seed);
	write_to("/dev/kmsg", text);
}

/* Returns false, and says so, if it does not end. */
static bool run_program(unsigned int worker, uint64_t seed, uint64_t life_ms)
{
	uint64_t end = now_ms() + life_ms;
	pid_t program;

	announce(seed);
	program = fork();
	if (program == 0)
		be_program(worker, seed);
	if (program < 0)
		err(EXIT_FAILURE, "fork");
	while (waitpid(program, NULL, WNOHANG | __WALL) == 0 && now_ms() < end)
		nap();
	atomic_fetch_add(&result->programs, 1);
	if (clean_up(worker))
		return true;
	printf("# program %#" PRIx64 " cannot be killed\n", seed);
	fflush(stdout);
	return false;
}

/* ---- Many programs ---- */

/* Have all pages come back, and is no process bound any more? */
static bool is_balanced(const struct petmem_status *before)
{
	struct petmem_status now = pool_status();

	return now.total_pages == before->total_pages &&
	       now.free_pages == before->free_pages &&
	       now.table_pages == before->table_pages &&
	       now.data_pages == before->data_pages &&
	       now.processes == before->processes;
}

/*
 * The kernel may drop a dead process's memory a little later: work queues of io_uring and
 * others hold it.
 */
static bool becomes_balanced(const struct petmem_status *before)
{
	uint64_t deadline = now_ms() + PATIENCE_MS;
	struct petmem_status now;

	while (!is_balanced(before)) {
		if (now_ms() < deadline) {
			nap();
			continue;
		}
		now = pool_status();
		printf("# pages: free %llu->%llu table %llu->%llu data %llu->%llu, processes %llu->%llu\n",
		       before->free_pages, now.free_pages, before->table_pages,
		       now.table_pages, before->data_pages, now.data_pages,
		       before->processes, now.processes);
		return false;
	}
	return true;
}

/* Print all findings since @before and @taint_before. Returns true if there are none. */
static bool judge(const struct petmem_status *before, uint64_t taint_before)
{
	bool good = becomes_balanced(before);

	if (result_has_finding())
		good = false;
	if (taint() != taint_before) {
		printf("# the kernel's taint: %#" PRIx64 " -> %#" PRIx64 "\n",
		       taint_before, taint());
		good = false;
	}
	return good;
}

static _Noreturn void be_worker(unsigned int worker, uint64_t seed,
				unsigned int seconds)
{
	uint64_t end = now_ms() + (uint64_t)seconds * 1000;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter_directory(worker);
	for (uint64_t number = 0; now_ms() < end; number++) {
		uint64_t own = mix(mix(seed, worker), number);

		if (!run_program(worker, own, life_of(own)))
			_exit(EXIT_FAILURE);
	}
	_exit(EXIT_SUCCESS);
}

/* Start a worker. */
static pid_t start(unsigned int worker, uint64_t seed, unsigned int seconds)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		be_worker(worker, seed, seconds);
	if (child < 0)
		err(EXIT_FAILURE, "fork");
	return child;
}

bool run_group(uint64_t seed, unsigned int seconds, unsigned int workers)
{
	struct petmem_status before = pool_status();
	uint64_t taint_before = taint();
	bool ended = true;
	pid_t child[workers];
	int status;

	for (unsigned int i = 0; i < workers; i++)
		child[i] = start(i, seed, seconds);
	for (unsigned int i = 0; i < workers; i++)
		if (waitpid(child[i], &status, 0) < 0 || status != 0)
			ended = false;
	return judge(&before, taint_before) && ended;
}

bool run_alone(uint64_t seed)
{
	struct petmem_status before = pool_status();
	uint64_t taint_before = taint();
	bool ended;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	enter_directory(0);
	ended = run_program(0, seed, LIFE_MAX_MS);
	return judge(&before, taint_before) && ended;
}

/* ---- A pool that is nearly empty ---- */

/* Map pages of an allocation until few are left. */
static void fill_pool(int fd)
{
	struct petmem_status status = pool_status();
	struct petmem_alloc request = { .size = status.free_pages * PAGE };
	struct petmem_fault fault = { .error_code = PETMEM_FAULT_WRITE };

	if (ioctl(fd, PETMEM_IOC_ALLOC, &request) < 0)
		_exit(EXIT_FAILURE);
	for (fault.addr = request.addr; status.free_pages > LEFT_PAGES;
	     fault.addr += PAGE, status.free_pages--) {
		if (ioctl(fd, PETMEM_IOC_FAULT, &fault) < 0)
			_exit(EXIT_FAILURE);
		/* Tables take pages too. */
		if (fault.addr / PAGE % 256 == 0)
			status = pool_status();
	}
}

pid_t start_hog(void)
{
	int ready[2];
	char byte = 0;
	pid_t hog;

	if (pipe(ready) < 0)
		err(EXIT_FAILURE, "pipe");
	fflush(stdout);
	hog = fork();
	if (hog == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fill_pool(open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC));
		(void)!write(ready[1], &byte, 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (hog < 0 || read(ready[0], &byte, 1) != 1)
		errx(EXIT_FAILURE, "the pool cannot be filled");
	close(ready[0]);
	return hog;
}

void stop_hog(pid_t hog)
{
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
}

void runner_init(void)
{
	if (getuid() != 0)
		errx(EXIT_FAILURE, "to be run as root, in a virtual machine");
	if (chmod(PETMEM_DEVICE, 0666) < 0)
		err(EXIT_FAILURE, "%s", PETMEM_DEVICE);
	/* Keep all programs' names in the kernel's log. */
	write_to("/proc/sys/kernel/printk_devkmsg", "on\n");
	result_create();
}
