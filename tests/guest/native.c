// SPDX-License-Identifier: GPL-2.0
/*
 * native.c - system calls on untouched petmem memory. With native faults they work. With
 * faults by signal they give EFAULT, and work on memory that was populated. Calls that pin
 * pages give EFAULT in both modes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "ring.h"

/* The buffers are as long as two pages, and begin in the middle of one. */
#define SIZE ((size_t)2 * PAGE)
#define OFFSET ((size_t)1000)
#define SEED 3

#define STACK_SIZE (16 * PAGE)

static char pattern[SIZE];

/* Fresh memory for one call, with room for SIZE bytes at OFFSET. */
static char *untouched(void)
{
	return (char *)must_malloc(SIZE + PAGE) + OFFSET;
}

/* The same, mapped by a call. */
static char *populated(void)
{
	char *memory = untouched();

	CHECK(pet_populate(memory, SIZE) == 0);
	return memory;
}

/* ---- One call each: it takes memory, and succeeds or gives -1 and errno ---- */

static int pipes[2], sockets[2], file;

static bool has_pattern(const char *memory, ssize_t length)
{
	if (length == -1)
		return false;
	CHECK(length == (ssize_t)SIZE);
	CHECK(memcmp(memory, pattern, SIZE) == 0);
	return true;
}

static bool by_read(char *memory)
{
	CHECK(lseek(file, 0, SEEK_SET) == 0);
	return has_pattern(memory, read(file, memory, SIZE));
}

static bool by_pread(char *memory)
{
	return has_pattern(memory, pread(file, memory, SIZE, 0));
}

static bool by_readv(char *memory)
{
	struct iovec parts[] = { { memory, 10 }, { memory + 10, SIZE - 10 } };

	return has_pattern(memory, preadv(file, parts, COUNT_OF(parts), 0));
}

static bool by_pipe(char *memory)
{
	char rest[SIZE];
	ssize_t length;

	CHECK(write(pipes[1], pattern, SIZE) == (ssize_t)SIZE);
	length = read(pipes[0], memory, SIZE);
	if (length == -1)
		CHECK(read(pipes[0], rest, SIZE) == (ssize_t)SIZE);
	return has_pattern(memory, length);
}

static bool by_recv(char *memory)
{
	char rest[SIZE];
	ssize_t length;

	CHECK(send(sockets[1], pattern, SIZE, 0) == (ssize_t)SIZE);
	length = recv(sockets[0], memory, SIZE, 0);
	if (length == -1)
		recv(sockets[0], rest, SIZE, MSG_DONTWAIT);
	return has_pattern(memory, length);
}

static bool by_getrandom(char *memory)
{
	ssize_t length = getrandom(memory, SIZE, 0);

	if (length == -1)
		return false;
	CHECK(length == (ssize_t)SIZE && !is_zero(memory, SIZE));
	return true;
}

static struct ring ring;

static bool read_by_ring(char *memory, unsigned int flags)
{
	int length;

	CHECK(lseek(file, 0, SEEK_SET) == 0);
	length = ring_read(&ring, flags, file, memory, SIZE);
	if (length >= 0)
		return has_pattern(memory, length);
	errno = -length;
	return false;
}

static bool by_ring(char *memory)
{
	return read_by_ring(memory, 0);
}

static bool by_ring_thread(char *memory)
{
	return read_by_ring(memory, IOSQE_ASYNC);
}

static bool by_fstat(char *memory)
{
	struct stat *status = (struct stat *)memory;

	if (fstat(file, status) == -1)
		return false;
	CHECK(status->st_size == (off_t)SIZE);
	return true;
}

static bool by_ioctl(char *memory)
{
	int *waiting = (int *)memory;

	if (ioctl(pipes[0], FIONREAD, waiting) == -1)
		return false;
	CHECK(*waiting == 0);
	return true;
}

/* The module's own structures, in its own memory: read and written. */
static bool by_petmem_ioctl(char *memory)
{
	struct petmem_version *version = (struct petmem_version *)memory;
	int device = open_device(), error;
	bool worked = ioctl(device, PETMEM_IOC_VERSION, version) == 0;

	error = errno;
	close(device);
	errno = error;
	if (worked)
		CHECK(version->abi == PETMEM_ABI_VERSION);
	return worked;
}

static bool by_petmem_status(char *memory)
{
	struct petmem_status *status = (struct petmem_status *)memory;
	int device = open_device(), error;
	bool worked = ioctl(device, PETMEM_IOC_STATUS, status) == 0;

	error = errno;
	close(device);
	errno = error;
	if (worked)
		CHECK(status->total_pages == pool_status().total_pages);
	return worked;
}

/* Reading is a touch, too: the call writes out zeros. */
static bool by_write(char *memory)
{
	char rest[SIZE];
	ssize_t length = write(pipes[1], memory, SIZE);

	if (length == -1)
		return false;
	CHECK(length == (ssize_t)SIZE);
	CHECK(read(pipes[0], rest, SIZE) == (ssize_t)SIZE);
	CHECK(is_zero(rest, SIZE));
	return true;
}

static bool by_open(char *memory)
{
	/* An empty path is no file; a path that cannot be read is another error. */
	CHECK(open(memory, O_RDONLY) == -1);
	return errno != EFAULT;
}

static bool by_futex(char *memory)
{
	struct timespec moment = { .tv_nsec = 1000 };

	CHECK(syscall(SYS_futex, memory, FUTEX_WAIT_PRIVATE, 0, &moment, NULL,
		      0) == -1);
	return errno == ETIMEDOUT;
}

/* The kernel itself writes to the futex. */
static bool by_futex_operation(char *memory)
{
	enum { VALUE = 5 };

	if (syscall(SYS_futex, memory, FUTEX_WAKE_OP_PRIVATE, 1, 1, memory,
		    FUTEX_OP(FUTEX_OP_SET, VALUE, FUTEX_OP_CMP_EQ, 0)) == -1)
		return false;
	CHECK(*(int *)memory == VALUE);
	return true;
}

static bool by_nanosleep(char *memory)
{
	return nanosleep((struct timespec *)memory, NULL) == 0;
}

static const struct {
	const char *name;
	bool (*call)(char *memory);
} calls[] = {
	{ "read", by_read },
	{ "pread", by_pread },
	{ "readv", by_readv },
	{ "read from a pipe", by_pipe },
	{ "recv", by_recv },
	{ "getrandom", by_getrandom },
	{ "io_uring", by_ring },
	{ "io_uring's thread", by_ring_thread },
	{ "fstat", by_fstat },
	{ "ioctl", by_ioctl },
	{ "petmem's version", by_petmem_ioctl },
	{ "petmem's status", by_petmem_status },
	{ "write", by_write },
	{ "open", by_open },
	{ "futex", by_futex },
	{ "futex with an operation", by_futex_operation },
	{ "nanosleep", by_nanosleep },
};

static void set_up(enum fault_mode mode)
{
	choose_mode(mode);
	connect_petmem();
	fill(pattern, SIZE, SEED);
	file = open("/tmp/pattern", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
		    0600);
	CHECK(file >= 0 && unlink("/tmp/pattern") == 0);
	CHECK(write(file, pattern, SIZE) == (ssize_t)SIZE);
	CHECK(pipe(pipes) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
}

/* The call has to give the errno @expected; 0: it has to work. */
static void try_call(size_t i, char *memory, int expected)
{
	int error = calls[i].call(memory) ? 0 : errno;

	if (error != expected)
		printf("# %s: %s\n", calls[i].name, strerror(error));
	CHECK(error == expected);
}

static void try_all(enum fault_mode mode, int expected)
{
	set_up(mode);
	ring = new_ring();
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		try_call(i, untouched(), expected);
		try_call(i, populated(), 0);
	}
}

static void calls_native(void)
{
	try_all(NATIVE, 0);
}

static void calls_by_signal(void)
{
	try_all(SIGNAL, EFAULT);
}

/* The kernel finds nothing beyond an allocation, like the program. */
static void beyond(enum fault_mode mode)
{
	char *memory;

	set_up(mode);
	memory = must_malloc(PAGE);
	CHECK(pet_populate(memory, PAGE) == 0);
	CHECK(pread(file, memory + PAGE, PAGE, 0) == -1 && errno == EFAULT);
	CHECK(pread(file, memory + GIB, PAGE, 0) == -1 && errno == EFAULT);
	/* The part that fits is read, as with all memory. */
	CHECK(pread(file, memory + PAGE - 100, 200, 0) == 100);
	CHECK(memcmp(memory + PAGE - 100, pattern, 100) == 0);
	CHECK(pool_status().data_pages == 1);
}

static void beyond_native(void)
{
	beyond(NATIVE);
}

static void beyond_by_signal(void)
{
	beyond(SIGNAL);
}

/* ---- Stacks in petmem memory ---- */

static atomic_int seen_on_stack;
static char *stack;

static void note_stack(int signal)
{
	char here;

	(void)signal;
	seen_on_stack = &here > stack && &here < stack + STACK_SIZE;
}

static void use_stack(void *argument)
{
	(void)argument;
	seen_on_stack = 0;
	CHECK(raise(SIGUSR1) == 0 && seen_on_stack);
}

/* Take SIGUSR1 on a stack that nobody has touched. */
static void take_signals_on_stack(enum fault_mode mode)
{
	struct sigaction action = { .sa_handler = note_stack,
				    .sa_flags = SA_ONSTACK };
	stack_t alternate = { .ss_size = STACK_SIZE };

	set_up(mode);
	stack = alternate.ss_sp = must_malloc(STACK_SIZE);
	CHECK(sigaltstack(&alternate, NULL) == 0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
}

/* The kernel writes the signal's frame to an untouched, or shared, stack. */
static void signal_stack_native(void)
{
	take_signals_on_stack(NATIVE);
	use_stack(NULL);
	join(spawn(use_stack, NULL));
	use_stack(NULL);
}

static void use_populated_stack(void *argument)
{
	CHECK(pet_populate(stack, STACK_SIZE) == 0);
	use_stack(argument);
}

/* With faults by signal it cannot, and kills: populate the stack after each fork. */
static void signal_stack_by_signal(void)
{
	take_signals_on_stack(SIGNAL);
	CHECK(dies_by(SIGSEGV, use_stack, NULL));
	use_populated_stack(NULL);
	use_stack(NULL);
	CHECK(dies_by(SIGSEGV, use_stack, NULL));
	join(spawn(use_populated_stack, NULL));
	use_populated_stack(NULL);
}

static int run_on_stack(void *argument)
{
	volatile char frame[2 * PAGE];

	frame[0] = 7;
	*(atomic_int *)argument = frame[0];
	return 0;
}

/* The words for clone(): the function's result, and two that the kernel writes. */
enum { RESULT, PARENT_WORD, CHILD_WORD, WORDS };

static int *word(char *words, size_t number)
{
	return (int *)(words + number * PAGE);
}

/* Run a process in this address space; the result is as from waitpid(). */
static int run_clone(char *words, char *thread_stack, pid_t *child)
{
	int status;

	*child = clone(run_on_stack, thread_stack + STACK_SIZE,
		       CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
			       CLONE_CHILD_CLEARTID | SIGCHLD,
		       word(words, RESULT), word(words, PARENT_WORD), NULL,
		       word(words, CHILD_WORD));
	CHECK(*child > 0);
	CHECK(waitpid(*child, &status, 0) == *child);
	return status;
}

static void clone_works(char *words, char *thread_stack)
{
	pid_t child;

	CHECK(run_clone(words, thread_stack, &child) == 0);
	CHECK(*word(words, RESULT) == 7);
	CHECK(*word(words, PARENT_WORD) == child);
	CHECK(*word(words, CHILD_WORD) == 0);
}

static void clone_native(void)
{
	set_up(NATIVE);
	clone_works(must_malloc(WORDS * PAGE), must_malloc(STACK_SIZE));
}

/*
 * A stack that grows into untouched pages has no room for the frame of its own SIGSEGV.
 * The kernel skips a word that it cannot write.
 */
static void clone_by_signal(void)
{
	char *words, *thread_stack;
	pid_t child;
	int status;

	set_up(SIGNAL);
	/* Before Linux 5.16 a core dump would end all processes with this memory. */
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	words = must_malloc(WORDS * PAGE);
	thread_stack = must_malloc(STACK_SIZE);
	status = run_clone(words, thread_stack, &child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(*word(words, RESULT) == 0 && *word(words, PARENT_WORD) == 0);
	CHECK(pet_populate(thread_stack, STACK_SIZE) == 0);
	CHECK(pet_populate(words, WORDS * PAGE) == 0);
	clone_works(words, thread_stack);
}

/* ---- Calls that pin pages ---- */

static int open_for_direct_io(void)
{
	/* A file system in memory may claim that it can, and copy. */
	return open("/dev/ram0", O_RDWR | O_DIRECT | O_CLOEXEC);
}

static void pin(char *memory)
{
	char buffer[PAGE] __attribute__((aligned(512)));
	struct iovec local = { buffer, PAGE }, remote = { memory, PAGE };
	struct ring fixed = new_ring();
	int disk = open_for_direct_io();

	CHECK(vmsplice(pipes[1], &remote, 1, 0) == -1 && errno == EFAULT);
	CHECK(vmsplice(pipes[1], &remote, 1, SPLICE_F_GIFT) == -1 &&
	      errno == EFAULT);
	CHECK(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == -1 &&
	      errno == EFAULT);
	CHECK(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == -1 &&
	      errno == EFAULT);
	CHECK(ring_register(&fixed, memory, PAGE) == -1 && errno == EFAULT);
	/* Linux finds a futex that others may share by its page. */
	CHECK(syscall(SYS_futex, memory, FUTEX_WAKE, 1, NULL, NULL, 0) == -1 &&
	      errno == EFAULT);
	if (disk >= 0) {
		CHECK(read(disk, memory, PAGE) == -1 && errno == EFAULT);
		CHECK(write(disk, memory, PAGE) == -1 && errno == EFAULT);
		close(disk);
	}
	close(fixed.fd);
}

static void pins(enum fault_mode mode)
{
	char *memory;

	set_up(mode);
	memory = must_malloc(2 * PAGE);
	pin(memory);
	fill(memory + PAGE, PAGE, SEED);
	pin(memory + PAGE);
	CHECK(holds(memory + PAGE, PAGE, SEED));
	CHECK(is_zero(memory, PAGE));
}

static void pins_native(void)
{
	pins(NATIVE);
}

static void pins_by_signal(void)
{
	pins(SIGNAL);
}

static const struct guest_case cases[] = {
	{ "native: calls on untouched memory work", calls_native },
	{ "signal: they give EFAULT, and work on populated memory",
	  calls_by_signal },
	{ "native: calls beyond an allocation", beyond_native },
	{ "signal: calls beyond an allocation", beyond_by_signal },
	{ "native: an alternate signal stack", signal_stack_native },
	{ "signal: a signal stack has to be populated",
	  signal_stack_by_signal },
	{ "native: clone on a stack, and its words", clone_native },
	{ "signal: they have to be populated", clone_by_signal },
	{ "native: what pins pages gives EFAULT", pins_native },
	{ "signal: what pins pages gives EFAULT", pins_by_signal },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
