// SPDX-License-Identifier: GPL-2.0
/*
 * races.c - threads, relatives, readers of /proc and signals that come while a lock is
 * released.
 *
 * Each case is a mistake that the module once had. pairs.c looks for others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "view.h"

#define TABLE_SPAN (2 * MIB)

static int set_mode(int device, uint32_t flags)
{
	struct petmem_mode mode = { .flags = flags };

	return ioctl(device, PETMEM_IOC_MODE, &mode);
}

/* ---- A table that a write replaces, and a relative frees ---- */

enum { READERS = 2, TABLES = 512, DATA_PAGES = 64 };

static const uint64_t pattern = UINT64_C(0x4141414141414141);

/*
 * Have Linux look at the page tables of the parent. It sleeps between tables, and holds
 * the mmap lock of the parent, but not of a relative.
 */
static void read_smaps(void *argument)
{
	static char buffer[1 << 16];
	char path[32];

	munmap(REGION, PETMEM_REGION_SIZE);
	snprintf(path, sizeof(path), "/proc/%d/smaps", getppid());
	for (;;) {
		int file = open(path, O_RDONLY);

		CHECK(file >= 0);
		while (read(file, buffer, sizeof(buffer)) > 0)
			;
		close(file);
	}
	(void)argument;
}

/* A relative gives up the tables that the parent replaces, as their last owner. */
static void hold_tables(void *argument)
{
	pass(&to_parent);
	await(&to_child);
	munmap(REGION, PETMEM_REGION_SIZE);
	pass(&to_parent);
	(void)argument;
}

/* A former table becomes data. Nobody else may write it, or take it for a table. */
static void use_as_data(void)
{
	uint64_t *data = must_malloc(DATA_PAGES * PAGE);
	size_t count = DATA_PAGES * PAGE / sizeof(*data), i;

	for (i = 0; i < count; i++)
		data[i] = pattern;
	usleep(2000);
	for (i = 0; i < count; i++)
		CHECK(data[i] == pattern);
	pet_free(data);
}

/* Write by a fault that Linux repeats. */
static void write_plainly(char *memory)
{
	memory[0]++;
}

/*
 * Use a futex in a page that a relative shares. Linux makes the page writable by
 * fixup_user_fault(), which keeps its locks while tables are replaced.
 */
static int wake_op(uint32_t *word)
{
	const uint32_t set_to_7 = FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0);

	return syscall(SYS_futex, word, FUTEX_WAKE_OP_PRIVATE, 1, 0, word,
		       set_to_7);
}

static void write_by_futex(char *memory)
{
	CHECK(wake_op((uint32_t *)memory) == 0);
}

static void walkers_and_relatives(void (*write)(char *memory))
{
	pid_t readers[READERS], relative;
	uint64_t random = 4711;
	char *memory;
	size_t i;

	connect_petmem();
	open_gates();
	memory = must_malloc(GIB);
	for (i = 0; i < TABLES; i++)
		memory[i * TABLE_SPAN] = 1;
	for (i = 0; i < READERS; i++)
		readers[i] = spawn(read_smaps, NULL);
	for (i = 0; i < rounds(150); i++) {
		relative = spawn(hold_tables, NULL);
		await(&to_parent);
		usleep(random_below(&random, 6000));
		write(memory);
		pass(&to_child);
		await(&to_parent);
		use_as_data();
		join(relative);
	}
	for (i = 0; i < READERS; i++) {
		kill(readers[i], SIGKILL);
		status_of(readers[i]);
	}
}

static void walkers_and_writes(void)
{
	walkers_and_relatives(write_plainly);
}

/* Replaced tables are kept until the process's locks are held for writing. */
static void walkers_and_futexes(void)
{
	choose_mode(NATIVE);
	walkers_and_relatives(write_by_futex);
}

/* ---- A fault that Linux does not repeat ---- */

enum { WORDS = 64 };

static uint32_t *word_of(char *memory, size_t i)
{
	return (uint32_t *)(memory + i * TABLE_SPAN);
}

static void wake_all(void *memory)
{
	for (size_t i = 0; i < WORDS; i++) {
		CHECK(*word_of(memory, i) == i);
		CHECK(wake_op(word_of(memory, i)) == 0);
		CHECK(*word_of(memory, i) == 7);
	}
	pass(&to_parent);
	await(&to_child);
	for (size_t i = 0; i < WORDS; i++)
		CHECK(*word_of(memory, i) == 7);
}

static void futexes(void)
{
	char *memory;
	pid_t child;
	size_t i;

	choose_mode(NATIVE);
	connect_petmem();
	open_gates();
	memory = must_malloc(WORDS * TABLE_SPAN);
	for (i = 0; i < WORDS; i++)
		*word_of(memory, i) = i;
	child = spawn(wake_all, memory);
	await(&to_parent);
	/* The last owner writes while the child still keeps its replaced tables. */
	for (i = 0; i < WORDS; i++) {
		CHECK(*word_of(memory, i) == i);
		*word_of(memory, i) = i + 1;
	}
	pass(&to_child);
	join(child);
	for (i = 0; i < WORDS; i++)
		CHECK(*word_of(memory, i) == i + 1);
}

/* A debugger writes to a page that a relative shares, under the target's lock, too. */
static void be_written(void *argument)
{
	char *memory = argument;

	CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	raise(SIGSTOP);
	for (size_t i = 0; i < WORDS; i++)
		CHECK(*word_of(memory, i) == 99);
}

static void debuggers(void)
{
	char *memory;
	pid_t child;
	size_t i;

	connect_petmem();
	memory = must_malloc(WORDS * TABLE_SPAN);
	for (i = 0; i < WORDS; i++)
		*word_of(memory, i) = i;
	child = spawn(be_written, memory);
	CHECK(WIFSTOPPED(status_of(child)));
	for (i = 0; i < WORDS; i++)
		CHECK(ptrace(PTRACE_POKEDATA, child, word_of(memory, i),
			     (void *)99L) == 0);
	CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
	join(child);
	for (i = 0; i < WORDS; i++)
		CHECK(*word_of(memory, i) == i);
}

/* ---- An allocation while another map replaces the one that it was for ---- */

static atomic_bool stop;
static int shared_device;

static void *allocate_and_free(void *argument)
{
	while (!stop) {
		struct petmem_alloc alloc = { .size = PAGE };
		struct petmem_free free;

		if (ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc)) {
			CHECK(errno == EAGAIN);
			continue;
		}
		free.addr = alloc.addr;
		CHECK(ioctl(shared_device, PETMEM_IOC_FREE, &free) == 0 ||
		      errno == EINVAL);
	}
	return argument;
}

static void *use_processor(void *argument)
{
	while (!stop)
		;
	return argument;
}

static void start(pthread_t *thread, void *(*body)(void *argument))
{
	CHECK(pthread_create(thread, NULL, body, NULL) == 0);
}

/*
 * A thread takes the processor from the allocations again and again, also between their
 * preparations and their changes. The map lives for a moment. With one processor, one
 * yield is enough for that, as each gives the others a turn.
 */
static void allocations_and_maps(void)
{
	int yields = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 20 : 1;
	pthread_t threads[4];
	size_t i;
	int k;

	shared_device = open_device();
	CHECK(set_mode(shared_device, 0) == 0);
	stop = false;
	CHECK(run_on_cpu(0));
	for (i = 0; i < 3; i++)
		start(&threads[i], allocate_and_free);
	start(&threads[3], use_processor);
	run_on_cpu(1);
	for (i = 0; i < rounds(3000); i++) {
		munmap(REGION, PETMEM_REGION_SIZE);
		CHECK(set_mode(shared_device, 0) == 0 || errno == EBUSY);
		for (k = 0; k < yields; k++)
			sched_yield();
	}
	stop = true;
	for (i = 0; i < COUNT_OF(threads); i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

/* ---- Signals that are pending while the kernel binds an address space ---- */

static void tick(int signal)
{
	(void)signal;
}

/* From now on send a signal each @usec microseconds; 0: no more. */
static void ticking(unsigned int usec)
{
	const struct sigaction action = { .sa_handler = tick,
					  .sa_flags = SA_RESTART };
	const struct itimerval interval = { { 0, usec }, { 0, usec } };

	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &interval, NULL) == 0);
}

#define TICK 300

static void look_at_it(void *memory)
{
	ticking(0);
	CHECK(strcmp(memory, "hello") == 0);
}

static void fork_and_signals(void)
{
	unsigned int i;
	char *memory;

	connect_petmem();
	memory = strcpy(must_malloc(PAGE), "hello");
	ticking(TICK);
	for (i = 0; i < rounds(300); i++) {
		pid_t child = fork();
		int status;

		CHECK(child >= 0);
		if (child == 0) {
			look_at_it(memory);
			_exit(0);
		}
		while (waitpid(child, &status, 0) < 0)
			CHECK(errno == EINTR);
		CHECK(status == 0);
	}
	ticking(0);
}

static void allocate_first(void *argument)
{
	struct petmem_alloc alloc = { .size = PAGE };

	ticking(TICK / 10);
	CHECK(ioctl(shared_device, PETMEM_IOC_ALLOC, &alloc) == 0);
	ticking(0);
	(void)argument;
}

static void first_and_signals(void)
{
	shared_device = open_device();
	for (unsigned int i = 0; i < rounds(300); i++)
		join(spawn(allocate_first, NULL));
}

/* Signals of another process, each sent when the one before has been handled. */
struct counts {
	atomic_uint sent;
	atomic_uint handled;
};

static struct counts *counts;

static void count_it(int signal)
{
	counts->handled++;
	(void)signal;
}

static void send_signals(void *argument)
{
	uint64_t random = 815;

	for (;;) {
		usleep(random_below(&random, 500));
		counts->sent++;
		CHECK(kill(getppid(), SIGUSR1) == 0);
		while (counts->handled != counts->sent)
			sched_yield();
	}
	(void)argument;
}

#define PATIENCE 10 /* seconds */

/* Wait without a system call, in which Linux would look for pending signals. */
static void await_handled(unsigned int sent)
{
	struct timespec now, end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += PATIENCE;
	while (counts->handled < sent) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		CHECK(now.tv_sec < end.tv_sec);
	}
}

/* A signal that comes in the middle of a fork is handled right after it. */
static void signals_stay(void)
{
	const struct sigaction action = { .sa_handler = count_it,
					  .sa_flags = SA_RESTART };
	pid_t sender, child;

	counts = shared_memory(sizeof(*counts));
	connect_petmem();
	must_malloc(PAGE);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	sender = spawn(send_signals, NULL);
	for (unsigned int i = 0; i < rounds(300); i++) {
		child = fork();
		CHECK(child >= 0);
		if (child == 0)
			_exit(0);
		await_handled(counts->sent);
		join(child);
	}
	kill(sender, SIGKILL);
	status_of(sender);
}

static const struct guest_case cases[] = {
	{ "a reader of smaps, a write after fork, and a relative that ends",
	  walkers_and_writes },
	{ "the same, and the write is a futex's", walkers_and_futexes },
	{ "futexes in pages that a relative shares", futexes },
	{ "a debugger writes to pages that a relative shares", debuggers },
	{ "allocations while the region is unmapped and reserved anew",
	  allocations_and_maps },
	{ "a child has its memory, whatever signals come", fork_and_signals },
	{ "a first allocation succeeds, whatever signals come",
	  first_and_signals },
	{ "no signal is lost in a fork", signals_stay },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
