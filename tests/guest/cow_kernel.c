// SPDX-License-Identifier: GPL-2.0
/*
 * cow_kernel.c - the kernel reads and writes pages that relatives share. It acts for one
 * of them, and only that one sees the writes. Where it cannot, the call fails, and nobody
 * sees any. The scenarios are those of tools/testing/selftests/mm/cow.c in Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "ring.h"
#include "view.h"

enum { PAGES = 3 };
#define SIZE (PAGES * PAGE)

/* A page's contents, for the kernel to write. */
static char incoming[PAGE];
#define INCOMING 77

static int pipes[2], disk;

static void begin(enum fault_mode mode)
{
	choose_mode(mode);
	connect_petmem();
	open_gates();
	view_add_pages(must_malloc(SIZE), PAGES);
	view_write_all(SEEDS);
	fill(incoming, PAGE, INCOMING);
	CHECK(pipe(pipes) == 0);
	/* Only a disk really does direct I/O; there may be none. */
	disk = open("/dev/ram0", O_RDWR | O_DIRECT | O_CLOEXEC);
}

/*
 * ---- The kernel writes to a shared page ----
 *
 * With native faults the kernel copies the page first. Without them the call fails with
 * EFAULT until the page has been written to, or populated.
 */
static void read_into(size_t page)
{
	char rest[PAGE];

	CHECK(write(pipes[1], incoming, PAGE) == (ssize_t)PAGE);
	if (is_native()) {
		CHECK(read(pipes[0], view.page[page], PAGE) == (ssize_t)PAGE);
		view.seed[page] = INCOMING;
	} else {
		CHECK(read(pipes[0], view.page[page], PAGE) == -1 &&
		      errno == EFAULT);
		view_check();
		CHECK(read(pipes[0], rest, PAGE) == (ssize_t)PAGE);
		CHECK(pet_populate(view.page[page], PAGE) == 0);
		CHECK(write(pipes[1], incoming, PAGE) == (ssize_t)PAGE);
		CHECK(read(pipes[0], view.page[page], PAGE) == (ssize_t)PAGE);
		view.seed[page] = INCOMING;
	}
	view_check();
}

/* The kernel reads the bytes that the process sees, shared or not. */
static void write_out(size_t page)
{
	char seen[PAGE];

	CHECK(write(pipes[1], view.page[page], PAGE) == (ssize_t)PAGE);
	CHECK(read(pipes[0], seen, PAGE) == (ssize_t)PAGE);
	CHECK(memcmp(seen, view.page[page], PAGE) == 0);
}

static void transfer_in_child(void *argument)
{
	view_check();
	for (size_t i = 0; i < PAGES; i++)
		write_out(i);
	read_into(0);
	pass(&to_parent);
	await(&to_child);
	view_check();
	read_into(1);
	write_out(2);
	(void)argument;
}

static void transfers(enum fault_mode mode)
{
	pid_t child;

	begin(mode);
	child = spawn(transfer_in_child, NULL);
	await(&to_parent);
	view_check();
	read_into(1);
	read_into(2);
	write_out(0);
	pass(&to_child);
	join(child);
	view_check();
	/* This process is the only owner now, but its entries are still read-only. */
	read_into(0);
}

/* ---- A page in a pipe stays what it was ---- */

static void read_from_pipe(void *argument)
{
	char seen[PAGE];

	await(&to_child);
	CHECK(read(pipes[0], seen, PAGE) == (ssize_t)PAGE);
	CHECK(holds(seen, PAGE, SEEDS));
	view_check();
	(void)argument;
}

static void written_before_fork(enum fault_mode mode)
{
	struct iovec page;
	pid_t child;

	begin(mode);
	page = (struct iovec){ view.page[0], PAGE };
	/* This would give the pipe the page itself. */
	CHECK(vmsplice(pipes[1], &page, 1, 0) == -1 && errno == EFAULT);
	CHECK(write(pipes[1], view.page[0], PAGE) == (ssize_t)PAGE);
	child = spawn(read_from_pipe, NULL);
	view_write_all(2 * SEEDS);
	pass(&to_child);
	join(child);
	child = spawn(check_when_told, NULL);
	CHECK(vmsplice(pipes[1], &page, 1, SPLICE_F_GIFT) == -1 &&
	      errno == EFAULT);
	view_write_all(3 * SEEDS);
	pass(&to_child);
	join(child);
	view_check();
}

/* ---- A system call in one thread, while another copies the page ---- */

static atomic_bool over;

static void *write_out_always(void *argument)
{
	run_on_cpu(1);
	while (!atomic_load(&over))
		write_out(0);
	return argument;
}

static void calls_meanwhile(enum fault_mode mode)
{
	pthread_t thread;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		skip_case("one CPU only");
	begin(mode);
	CHECK(run_on_cpu(0));
	CHECK(pthread_create(&thread, NULL, write_out_always, NULL) == 0);
	for (unsigned int i = 0; i < rounds(200); i++) {
		pid_t child = spawn(check_when_told, NULL);

		/* Write the byte that is there: the page is copied, and looks the same. */
		*(volatile char *)view.page[0] = *view.page[0];
		pass(&to_child);
		join(child);
	}
	atomic_store(&over, true);
	CHECK(pthread_join(thread, NULL) == 0);
	view_check();
}

/* ---- Pins: before fork, after it, in the child ---- */

static void try_to_pin(void)
{
	struct ring ring = new_ring();
	struct iovec local = { incoming, PAGE }, remote;

	for (size_t i = 0; i < PAGES; i++) {
		remote = (struct iovec){ view.page[i], PAGE };
		CHECK(ring_register(&ring, view.page[i], PAGE) == -1 &&
		      errno == EFAULT);
		CHECK(process_vm_writev(getppid(), &local, 1, &remote, 1, 0) ==
		      -1);
		CHECK(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) ==
		      -1);
		if (disk >= 0)
			CHECK(read(disk, view.page[i], PAGE) == -1 &&
			      errno == EFAULT);
	}
	close(ring.fd);
	view_check();
}

static void pin_in_child(void *argument)
{
	try_to_pin();
	await(&to_child);
	try_to_pin();
	view_write_all(2 * SEEDS);
	try_to_pin();
	(void)argument;
}

static void pins(enum fault_mode mode)
{
	pid_t child;

	begin(mode);
	try_to_pin();
	child = spawn(pin_in_child, NULL);
	try_to_pin();
	view_write_all(3 * SEEDS);
	pass(&to_child);
	try_to_pin();
	join(child);
	try_to_pin();
}

/* ---- Debuggers ---- */

/* Stop for the debugger twice: with all pages shared, then with all written. */
static void be_debugged(void *argument)
{
	CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	CHECK(raise(SIGSTOP) == 0);
	/* The debugger has written this. */
	CHECK(holds(view.page[0], PAGE, INCOMING));
	CHECK(*(long *)view.page[1] == INCOMING);
	view_write_all(2 * SEEDS);
	CHECK(raise(SIGSTOP) == 0);
	CHECK(holds(view.page[2], PAGE, INCOMING));
	(void)argument;
}

/* Let the child run to its next stop or end; pass on page faults that are signals. */
static int next_status(pid_t child)
{
	int status;

	for (;;) {
		CHECK(waitpid(child, &status, 0) == child);
		if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSEGV ||
		    is_native())
			return status;
		CHECK(ptrace(PTRACE_CONT, child, NULL, (void *)SIGSEGV) == 0);
	}
}

static void await_stop(pid_t child)
{
	int status = next_status(child);

	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
}

static int open_memory(pid_t process)
{
	char path[40];
	int memory;

	snprintf(path, sizeof(path), "/proc/%d/mem", process);
	memory = open(path, O_RDWR | O_CLOEXEC);
	CHECK(memory >= 0);
	return memory;
}

static void check_by_file(int memory, size_t page, uint64_t seed)
{
	char seen[PAGE];

	CHECK(pread(memory, seen, PAGE, (uintptr_t)view.page[page]) ==
	      (ssize_t)PAGE);
	CHECK(holds(seen, PAGE, seed));
}

static void write_by_file(int memory, size_t page)
{
	CHECK(pwrite(memory, incoming, PAGE, (uintptr_t)view.page[page]) ==
	      (ssize_t)PAGE);
}

/* A debugger's reads copy no page. */
static void look_at_both(pid_t child, int memory, int own)
{
	struct petmem_status before = pool_status();

	for (size_t i = 0; i < PAGES; i++) {
		errno = 0;
		CHECK(ptrace(PTRACE_PEEKDATA, child, view.page[i], NULL) ==
		      *(long *)view.page[i]);
		CHECK(errno == 0);
		check_by_file(memory, i, view.seed[i]);
		check_by_file(own, i, view.seed[i]);
	}
	CHECK(pool_status().free_pages == before.free_pages);
}

static void debug_relative(enum fault_mode mode)
{
	int memory, own;
	pid_t child;

	begin(mode);
	child = spawn(be_debugged, NULL);
	await_stop(child);
	memory = open_memory(child);
	own = open_memory(getpid());
	look_at_both(child, memory, own);
	write_by_file(memory, 0);
	CHECK(ptrace(PTRACE_POKEDATA, child, view.page[1],
		     (void *)(long)INCOMING) == 0);
	view_check();
	check_by_file(memory, 0, INCOMING);
	CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
	await_stop(child);
	view_check();
	check_by_file(memory, 1, 2 * SEEDS + 1);
	write_by_file(memory, 2);
	/* A debugger's own memory is its own, too. */
	write_by_file(own, 1);
	view.seed[1] = INCOMING;
	view_check();
	check_by_file(memory, 1, 2 * SEEDS + 1);
	CHECK(ptrace(PTRACE_PEEKDATA, child, REGION + GIB, NULL) == -1 &&
	      errno == EIO);
	CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
	CHECK(next_status(child) == 0);
	view_check();
	close(memory);
	close(own);
}

static void transfers_native(void)
{
	transfers(NATIVE);
}

static void transfers_by_signal(void)
{
	transfers(SIGNAL);
}

static void pipes_native(void)
{
	written_before_fork(NATIVE);
}

static void pipes_by_signal(void)
{
	written_before_fork(SIGNAL);
}

static void meanwhile_native(void)
{
	calls_meanwhile(NATIVE);
}

static void meanwhile_by_signal(void)
{
	calls_meanwhile(SIGNAL);
}

static void pins_native(void)
{
	pins(NATIVE);
}

static void pins_by_signal(void)
{
	pins(SIGNAL);
}

static void debugged_native(void)
{
	debug_relative(NATIVE);
}

static void debugged_by_signal(void)
{
	debug_relative(SIGNAL);
}

static const struct guest_case cases[] = {
	{ "native: read() into shared pages", transfers_native },
	{ "signal: read() into shared pages", transfers_by_signal },
	{ "native: pages in a pipe across fork", pipes_native },
	{ "signal: pages in a pipe across fork", pipes_by_signal },
	{ "native: a call reads a page that is being copied",
	  meanwhile_native },
	{ "signal: a call reads a page that is being copied",
	  meanwhile_by_signal },
	{ "native: pins across fork", pins_native },
	{ "signal: pins across fork", pins_by_signal },
	{ "native: ptrace and /proc/PID/mem of a relative", debugged_native },
	{ "signal: ptrace and /proc/PID/mem of a relative",
	  debugged_by_signal },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
