// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * harness.c - the library behind harness.h.
 *
 * It has two halves: the allocation functions, which make an ioctl or a few, and
 * the SIGSEGV handler, which turns a first touch into an ioctl and treats every
 * other fault as it would have been treated without petmem.
 *
 * Everything that the handler calls is async-signal-safe and not a cancellation
 * point. It works in any thread and in a forked child: the only state is the
 * descriptor, and the module finds the caller's memory by its address space.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <ucontext.h>
#include <unistd.h>

#include "../petmem.h"
#include "descriptor.h"
#include "direct.h"
#include "harness.h"
#include "tools.h"

/*
 * The device's descriptor is moved to this number or above, so that the program
 * gets the numbers it would get without petmem.
 */
#define DEVICE_FD_MIN 512
/* A descriptor that was moved is at most this far above. */
#define DEVICE_FD_SEARCHED 16

/*
 * Room on the alternate signal stack for the program's own handler, beside the
 * processor state that the kernel saves there.
 */
#define HANDLER_STACK_SIZE (128UL * 1024)

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static pthread_mutex_t init_lock = PTHREAD_MUTEX_INITIALIZER;

/* Set before device_fd first becomes valid, and never again. */
static dev_t device_number;
static struct sigaction previous;

static atomic_int device_fd = -1;
static unsigned int
	mode; /* PETMEM_MODE_*; set before device_fd, like the above */
static bool watched; /* by a tool; set before device_fd */
static atomic_bool small_pages; /* 4 KiB pages only */
static atomic_bool guarding;
static atomic_bool populating;
/* A previous handler with SA_RESETHAND has had its one signal. */
static atomic_bool previous_spent;

/* ---- The device ---- */

static int duplicate(int fd)
{
	return direct_fcntl(fd, F_DUPFD_CLOEXEC, DEVICE_FD_MIN);
}

static int open_device(void)
{
	int fd = direct_open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC, 0);
	int moved;

	if (fd < 0)
		return -1;
	moved = duplicate(fd);
	if (moved < 0)
		return fd; /* RLIMIT_NOFILE is low: it may stay where it is */
	direct_close(fd);
	return moved;
}

/* Is @fd still the device? The program may have closed it or put it to another use. */
static bool is_device(int fd)
{
	struct stat status = { 0 };

	return direct_fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) &&
	       status.st_rdev == device_number;
}

/*
 * A child of vfork() may have moved the descriptor: then its parent, which has the same
 * memory, still has it under an old number.
 */
static int search_device(void)
{
	int fd;

	for (fd = DEVICE_FD_MIN; fd < DEVICE_FD_MIN + DEVICE_FD_SEARCHED; fd++)
		if (is_device(fd))
			return fd;
	return -1;
}

/*
 * Replace the descriptor @lost. Threads may do this at the same time: the first
 * one wins.
 */
static int reopen_device(int lost)
{
	int fd = search_device();

	if (fd >= 0) {
		atomic_store(&device_fd, fd);
		return fd;
	}
	fd = open_device();
	if (fd < 0)
		return -1;
	if (!is_device(fd)) {
		direct_close(fd);
		errno = ENODEV;
		return -1;
	}
	if (atomic_compare_exchange_strong(&device_fd, &lost, fd))
		return fd;
	direct_close(fd);
	return lost; /* now the one that another thread opened */
}

int pet_descriptor(void)
{
	int fd = atomic_load(&device_fd);

	return fd >= 0 && is_device(fd) ? fd : -1;
}

bool pet_is_descriptor(int fd)
{
	return fd >= 0 && fd == atomic_load(&device_fd) && is_device(fd);
}

void pet_leave_descriptor(void)
{
	int fd = atomic_load(&device_fd), moved;

	if (fd < 0)
		return;
	moved = duplicate(fd);
	if (moved < 0)
		moved = direct_fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (moved < 0)
		return;
	atomic_store(&device_fd, moved);
}

/*
 * Send one command to the module. The program may have closed the descriptor, or put
 * another file there. No other driver has these commands, so such a file refuses them:
 * only after an error is it worth a system call to find out.
 */
static int command(unsigned long request, void *argument)
{
	int fd = atomic_load(&device_fd);
	int result, error;

	if (fd < 0) {
		errno = ENODEV;
		return -1;
	}
	result = direct_ioctl(fd, request, argument);
	if (result >= 0)
		return result;
	error = errno;
	if (is_device(fd)) {
		errno = error;
		return -1;
	}
	fd = reopen_device(fd);
	if (fd < 0)
		return -1;
	return direct_ioctl(fd, request, argument);
}

/* ---- The SIGSEGV handler ---- */

/*
 * True if the kernel reports a bad access: siginfo then holds its address, and the
 * context its error code. Protection keys are not petmem's business.
 */
static bool is_page_fault(const siginfo_t *info)
{
	return info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR;
}

/* Let the module map the page. Returns true if the access can be repeated. */
static bool resolve(const siginfo_t *info, const ucontext_t *context)
{
	uint64_t address = (uintptr_t)info->si_addr;
	struct petmem_fault fault = {
		.addr = address,
		.error_code = context->uc_mcontext.gregs[REG_ERR],
	};

	if (address < PETMEM_REGION_START || address >= PETMEM_REGION_END)
		return false;
	return command(PETMEM_IOC_FAULT, &fault) == 0;
}

/*
 * End the process as the default action does. A fault repeats when the handler
 * returns, and then kills with the right address and registers. A signal that
 * was sent is raised again, and arrives when the handler returns and unblocks it.
 */
static void take_default_action(int signal, const siginfo_t *info)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	sigaction(signal, &action, NULL);
	if (info->si_code <= 0)
		raise(signal);
}

/* Block what the kernel would have blocked for the previous handler. */
static void enter_previous_mask(int signal, const ucontext_t *context)
{
	sigset_t mask;

	sigorset(&mask, &context->uc_sigmask, &previous.sa_mask);
	if (!(previous.sa_flags & SA_NODEFER))
		sigaddset(&mask, signal);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* Treat the signal as it would have been treated without petmem. */
static void pass_on(int signal, siginfo_t *info, void *context)
{
	bool was_sent = info->si_code <= 0;

	if (previous.sa_handler == SIG_IGN && was_sent)
		return;
	if (previous.sa_handler == SIG_IGN || previous.sa_handler == SIG_DFL ||
	    ((previous.sa_flags & SA_RESETHAND) &&
	     atomic_exchange(&previous_spent, true))) {
		take_default_action(signal, info);
		return;
	}
	enter_previous_mask(signal, context);
	if (previous.sa_flags & SA_SIGINFO)
		previous.sa_sigaction(signal, info, context);
	else
		previous.sa_handler(signal);
}

static void handle_segv(int signal, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	bool resolved = is_page_fault(info) && resolve(info, context);

	errno = saved_errno;
	if (!resolved)
		pass_on(signal, info, context);
}

/*
 * All signals are blocked while the handler runs, so that it never has to share
 * the alternate stack.
 */
static void install_handler(void)
{
	struct sigaction action = {
		.sa_sigaction = handle_segv,
		.sa_flags = SA_SIGINFO | SA_ONSTACK,
	};

	/* Other threads may fault as soon as the handler is installed. */
	sigaction(SIGSEGV, NULL, &previous);
	sigfillset(&action.sa_mask);
	if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN)
		action.sa_flags |= SA_RESTART;
	else
		action.sa_flags |= previous.sa_flags & SA_RESTART;
	sigaction(SIGSEGV, &action, NULL);
}

/* ---- Setting up ---- */

/*
 * Give the calling thread an alternate signal stack, unless it has one. A page
 * below catches an overflow. The stack stays for the life of the process.
 */
static int provide_signal_stack(void)
{
	size_t page = PETMEM_PAGE_SIZE;
	size_t size = HANDLER_STACK_SIZE + getauxval(AT_MINSIGSTKSZ);
	stack_t stack;
	char *memory;

	if (sigaltstack(NULL, &stack) < 0)
		return -1;
	if (!(stack.ss_flags & SS_DISABLE))
		return 0;
	size = (size + page - 1) / page * page;
	memory = direct_mmap(NULL, page + size, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (memory == MAP_FAILED)
		return -1;
	stack = (stack_t){ .ss_sp = memory + page, .ss_size = size };
	if (direct_mprotect(stack.ss_sp, size, PROT_READ | PROT_WRITE) < 0 ||
	    sigaltstack(&stack, NULL) < 0) {
		direct_munmap(memory, page + size);
		return -1;
	}
	return 0;
}

static int check_device(int fd)
{
	struct petmem_version version = { 0 };
	struct stat status = { 0 };

	if (direct_fstat(fd, &status) < 0 ||
	    direct_ioctl(fd, PETMEM_IOC_VERSION, &version) < 0)
		return -1;
	if (version.abi != PETMEM_ABI_VERSION) {
		errno = EPROTONOSUPPORT;
		return -1;
	}
	device_number = status.st_rdev;
	return 0;
}

static const char *wanted_mode(unsigned int flags)
{
	return flags & PETMEM_INSIST ? NULL : secure_getenv("PETMEM_FAULTS");
}

/* The fault mode that the environment asks for; if it asks for none, the program's. */
static int choose_mode(unsigned int flags, unsigned int *chosen)
{
	const char *wanted = wanted_mode(flags);

	*chosen = flags & PETMEM_NATIVE ? PETMEM_MODE_NATIVE : 0;
	if (wanted != NULL && strcmp(wanted, "native") == 0)
		*chosen = PETMEM_MODE_NATIVE;
	else if (wanted != NULL && strcmp(wanted, "signal") == 0)
		*chosen = 0;
	else if (wanted != NULL || (flags & ~(PETMEM_NATIVE | PETMEM_INSIST)))
		goto invalid;
	return 0;
invalid:
	errno = EINVAL;
	return -1;
}

/* Read PETMEM_LARGE_PAGES from the environment. */
static int choose_page_size(void)
{
	const char *large = secure_getenv("PETMEM_LARGE_PAGES");

	if (large == NULL)
		return 0;
	if (strcmp(large, "0") != 0 && strcmp(large, "1") != 0) {
		errno = EINVAL;
		return -1;
	}
	atomic_store(&small_pages, large[0] == '0');
	return 0;
}

static unsigned int mode_flags(unsigned int chosen)
{
	return chosen |
	       (atomic_load(&small_pages) ? PETMEM_MODE_SMALL_PAGES : 0);
}

/*
 * Tell the module the fault mode and the page sizes, unless all are the defaults. Faults
 * by signal need a signal stack.
 */
static int set_mode(int fd, unsigned int chosen)
{
	const char *around = secure_getenv("PETMEM_FAULT_AROUND");
	struct petmem_mode request = { 0 };

	if (choose_page_size() < 0)
		return -1;
	request.flags = mode_flags(chosen);
	if (around != NULL) {
		request.fault_around = strtoul(around, NULL, 10);
		if (request.fault_around == 0) {
			errno = EINVAL;
			return -1;
		}
	}
	if ((request.flags || around != NULL) &&
	    direct_ioctl(fd, PETMEM_IOC_MODE, &request) < 0)
		return -1;
	return chosen & PETMEM_MODE_NATIVE ? 0 : provide_signal_stack();
}

static bool is_set(const char *name)
{
	const char *value = secure_getenv(name);

	return value != NULL && strcmp(value, "1") == 0;
}

/* Another copy of this library may have connected the process: then its mode. */
static unsigned int mode_in_effect(int fd, unsigned int otherwise)
{
	struct petmem_process_info info = { 0 };
	int saved_errno = errno;

	if (direct_ioctl(fd, PETMEM_IOC_PROCESS, &info) < 0) {
		tools_make_room((void *)PETMEM_REGION_START,
				PETMEM_REGION_SIZE);
		errno = saved_errno;
		return otherwise;
	}
	return info.flags & PETMEM_PROCESS_NATIVE ? PETMEM_MODE_NATIVE : 0;
}

static int connect_once(unsigned int chosen, bool may_adapt)
{
	int fd = open_device();
	unsigned int in_effect;
	int saved_errno;

	if (fd < 0)
		return -1;
	in_effect = mode_in_effect(fd, chosen);
	if (may_adapt)
		chosen = in_effect;
	if (check_device(fd) < 0 || set_mode(fd, chosen) < 0) {
		saved_errno = errno;
		direct_close(fd);
		errno = saved_errno;
		return -1;
	}
	mode = chosen;
	watched = tools_watch();
	if (is_set("PETMEM_GUARD"))
		pet_guard(1);
	if (is_set("PETMEM_POPULATE"))
		pet_populate_always(1);
	if (!(chosen & PETMEM_MODE_NATIVE))
		install_handler();
	atomic_store(&device_fd, fd);
	return 0;
}

static bool is_connected(void)
{
	return atomic_load(&device_fd) >= 0;
}

/*
 * A child of fork() must not find the lock taken by a thread that it does not have. A process
 * that is connected stays so, and does not take the lock again. So then fork() leaves the
 * lock alone: a write to it would make Linux copy its page, for the parent and for the child.
 */
static void lock_init(void)
{
	if (is_connected())
		return;
	pthread_mutex_lock(&init_lock);
	/* Another thread may have been faster. */
	if (is_connected())
		pthread_mutex_unlock(&init_lock);
}

static void unlock_init(void)
{
	if (!is_connected())
		pthread_mutex_unlock(&init_lock);
}

__attribute__((constructor)) static void prepare_forks(void)
{
	pthread_atfork(lock_init, unlock_init, unlock_init);
}

static int connect_process(unsigned int flags, bool may_adapt)
{
	unsigned int chosen;
	int result;

	if (choose_mode(flags, &chosen) < 0)
		return -1;
	if (!is_connected()) {
		pthread_mutex_lock(&init_lock);
		result = is_connected() ? 0 : connect_once(chosen, may_adapt);
		pthread_mutex_unlock(&init_lock);
		if (result < 0)
			return -1;
	}
	if (mode != chosen && !may_adapt) {
		errno = EBUSY;
		return -1;
	}
	return 0;
}

int init_petmem_flags(unsigned int flags)
{
	return connect_process(flags, false);
}

/* A process that is connected already keeps its fault mode. */
int init_petmem(void)
{
	if (is_connected())
		return 0;
	return connect_process(0, wanted_mode(0) == NULL);
}

void pet_populate_always(int on)
{
	atomic_store(&populating, on);
}

void pet_guard(int on)
{
	atomic_store(&guarding, on);
}

/* ---- Allocation ---- */

static void *allocate(size_t size, size_t alignment)
{
	struct petmem_alloc request = {
		.size = size ? size : 1,
		.align = alignment,
	};

	if (atomic_load(&guarding))
		request.flags |= PETMEM_ALLOC_GUARD;
	if (atomic_load(&populating))
		request.flags |= PETMEM_ALLOC_POPULATE;
	/* A child may have lost the region: madvise(MADV_DONTFORK). */
	if (mode & PETMEM_MODE_NATIVE)
		request.flags |= PETMEM_ALLOC_NATIVE;

	if (size > PTRDIFF_MAX) {
		errno = ENOMEM;
		return NULL;
	}
	if (command(PETMEM_IOC_ALLOC, &request) < 0)
		return NULL;
	if (watched)
		tools_allocated((void *)(uintptr_t)request.addr,
				size ? size : 1, request.size);
	return (void *)(uintptr_t)request.addr;
}

static _Noreturn void stop(const char *message)
{
	ssize_t written = direct_write(STDERR_FILENO, message, strlen(message));

	(void)written; /* nothing to be done about it */
	abort();
}

void *pet_malloc(size_t size)
{
	return allocate(size, 0);
}

void *pet_calloc(size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	return allocate(total, 0);
}

void *pet_aligned_alloc(size_t alignment, size_t size)
{
	if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
		errno = EINVAL;
		return NULL;
	}
	return allocate(size, alignment);
}

static size_t size_of(const void *pointer)
{
	struct petmem_query query = { .addr = (uintptr_t)pointer };
	int saved_errno = errno;
	bool found = command(PETMEM_IOC_QUERY, &query) == 0 &&
		     query.addr == (uintptr_t)pointer;

	errno = saved_errno;
	return found ? query.size : 0;
}

size_t pet_usable_size(const void *pointer)
{
	size_t size = size_of(pointer);

	if (size && watched)
		tools_usable(pointer, size);
	return size;
}

void pet_free(void *pointer)
{
	struct petmem_free request = { .addr = (uintptr_t)pointer };
	int saved_errno = errno;

	if (pointer == NULL)
		return;
	if (watched)
		tools_freed(pointer, size_of(pointer));
	if (command(PETMEM_IOC_FREE, &request) < 0 &&
	    (errno == EINVAL || errno == ENODEV))
		stop("pet_free(): invalid pointer\n");
	/* After any other error the allocation stays until the process ends. */
	errno = saved_errno;
}

void *pet_realloc(void *pointer, size_t size)
{
	size_t old_size;
	void *moved;

	if (pointer == NULL)
		return pet_malloc(size);
	if (size == 0) {
		pet_free(pointer);
		return NULL;
	}
	old_size = pet_usable_size(pointer);
	if (old_size == 0)
		stop("pet_realloc(): invalid pointer\n");
	if (size <= old_size && old_size - size < PETMEM_PAGE_SIZE) {
		if (watched) {
			tools_freed(pointer, old_size);
			tools_allocated(pointer, size, old_size);
		}
		return pointer;
	}
	moved = pet_malloc(size);
	if (moved == NULL)
		return size < old_size ? pointer : NULL;
	memcpy(moved, pointer, size < old_size ? size : old_size);
	pet_free(pointer);
	return moved;
}

int pet_large_pages(int on)
{
	struct petmem_mode request;

	atomic_store(&small_pages, !on);
	request = (struct petmem_mode){ .flags = mode_flags(mode) };
	return command(PETMEM_IOC_MODE, &request);
}

int pet_fault_around(unsigned int pages)
{
	struct petmem_mode request = {
		.flags = mode_flags(mode),
		.fault_around = pages,
	};

	if (pages == 0) {
		errno = EINVAL;
		return -1;
	}
	return command(PETMEM_IOC_MODE, &request);
}

int pet_populate(void *address, size_t size)
{
	struct petmem_populate request = {
		.addr = (uintptr_t)address,
		.size = size,
	};

	return size == 0 ? 0 : command(PETMEM_IOC_POPULATE, &request);
}

int pet_dump(void)
{
	return command(PETMEM_IOC_DUMP, NULL);
}

int pet_invlpg(void *address)
{
	struct petmem_invlpg request = { .addr = (uintptr_t)address };

	return command(PETMEM_IOC_INVLPG, &request);
}
