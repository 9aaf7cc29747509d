// SPDX-License-Identifier: GPL-2.0
/*
 * inject.c - every allocation of the kernel fails once, in each operation.
 *
 * /proc/self/fail-nth makes the Nth allocation of this task fail, or the Nth copy
 * from or to user space: see Documentation/fault-injection in the kernel's source.
 * An operation is repeated for N = 1, 2, ..., each time in a new process, until it
 * has run to its end without coming to N. (With few rounds only some N are tried where
 * nearly all of many allocations are Linux's own.) A failed operation has to give ENOMEM
 * (EFAULT for a copy), to have changed nothing, and to work when called again.
 *
 * The kernel's log says where each failure was put. Each operation reports three numbers
 * of failed allocations: the module's own (it called the allocator), those that the kernel
 * made on behalf of the module, and those without the module.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define FAIL_NTH "/proc/self/fail-nth"
#define KNOBS "/sys/kernel/debug/"

/* The module mapping space: Documentation/arch/x86/x86_64/mm.rst. */
#define MODULES_START "0xffffffffa0000000"

/* More allocations than any operation makes. */
#define N_MAX 5000

/* The first words of a message about an injected failure, and a module's frame. */
#define INJECTED "FAULT_INJECTION: forcing a failure"
#define OF_MODULE "[petmem]"

/* The argument that makes this program tell, after exec, whether N was reached. */
static const char after_exec[] = "after-exec";

enum place {
	NOT_REACHED, /* the operation ended before its Nth */
	OWN, /* the module called the allocator */
	ON_BEHALF, /* a function of the kernel, called by the module */
	KERNEL, /* the module has no part in it */
	UNTOLD, /* the caller wants no message (__GFP_NOWARN) */
	COPY, /* not an allocation, but a copy from or to user space */
	PLACES,
};

struct operation {
	const char *name;
	void (*prepare)(void);
	int (*run)(void); /* 0 or an errno */
	/* Check that nothing has changed; NULL: only the page counts can tell. */
	void (*check_failed)(void);
	/* Check the result; the end of the process restores the page counts. */
	void (*check_done)(void);
};

/* One attempt: the parent's orders, and the child's findings. */
struct attempt {
	const struct operation *operation;
	unsigned int n;
	enum place place;
	bool failed;
	bool empty; /* the child of a fork has nothing */
};

static struct attempt *attempt; /* shared */

/* ---- Injection ---- */

static void set_up(const char *path, const char *value)
{
	if (write_file(path, value))
		skip_case("the kernel has no fault injection for allocations");
}

/* Let only the requests of a module's functions fail; with "0", all. */
static void fail_from(const char *address)
{
	set_up(KNOBS "failslab/require-start", address);
	set_up(KNOBS "fail_page_alloc/require-start", address);
	set_up(KNOBS "fail_usercopy/require-start", address);
}

/*
 * Let allocations fail that may sleep, too, and those of single pages. "High memory" is
 * for the pages of programs, and of vmalloc().
 */
static void prepare_injection(bool high_memory)
{
	set_up(FAIL_NTH, "0");
	fail_from("0");
	set_up(KNOBS "failslab/ignore-gfp-wait", "N");
	set_up(KNOBS "fail_page_alloc/ignore-gfp-wait", "N");
	set_up(KNOBS "fail_page_alloc/ignore-gfp-highmem",
	       high_memory ? "N" : "Y");
	set_up(KNOBS "fail_page_alloc/min-order", "0");
	attempt = shared_memory(sizeof(*attempt));
	choose_mode(SIGNAL);
}

/* The next message, or NULL at the end of the log. */
static char *next_message(int log)
{
	static char record[8192];
	ssize_t size = read(log, record, sizeof(record) - 1);
	char *message;

	if (size < 0)
		return NULL;
	record[size] = '\0';
	message = strchr(record, ';');
	CHECK(message != NULL);
	return message + 1;
}

/*
 * Find where the failure was put. The log has a stack trace, innermost function first.
 * An allocation is the module's own if the function that the module called is an allocator.
 */
static enum place find_place(int log)
{
	bool of_allocator = false;
	bool in_trace = false;
	char *message;

	while ((message = next_message(log))) {
		if (strncmp(message, INJECTED, strlen(INJECTED)) == 0) {
			if (strstr(message, "name fail_usercopy"))
				return COPY;
			in_trace = true;
		} else if (!in_trace || strstr(message, "? ")) {
			continue; /* perhaps not a caller */
		} else if (strstr(message, OF_MODULE)) {
			return of_allocator ? OWN : ON_BEHALF;
		} else {
			of_allocator = strstr(message, "alloc");
		}
	}
	return in_trace ? KERNEL : UNTOLD;
}

/* Set N. The rest of an older N can make this fail, once. */
static void set_n(int file, unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	CHECK(write(file, text, length) == length ||
	      write(file, text, length) == length);
}

/* The file says 0 once the Nth has failed. One that only this read meets does not count. */
static bool was_reached(int file)
{
	char text[16] = "";

	if (pread(file, text, sizeof(text) - 1, 0) <= 0)
		return false;
	return atoi(text) == 0;
}

/* Run an operation whose Nth allocation fails. Returns its result, 0 or an errno. */
static int inject(int (*operation)(void), bool *reached)
{
	int file = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	int error;

	CHECK(file >= 0);
	set_n(file, attempt->n);
	error = operation();
	*reached = was_reached(file);
	set_n(file, 0);
	close(file);
	return error;
}

/* Run the attempt's operation this way, and find out whose allocation failed. */
static int run_injected(void)
{
	int log = open_log();
	bool reached;
	int error = inject(attempt->operation->run, &reached);

	attempt->place = reached ? find_place(log) : NOT_REACHED;
	attempt->failed = error;
	close(log);
	return error;
}

static void make_attempt(void *argument)
{
	const struct operation *operation = attempt->operation;
	struct petmem_status before, after;
	int error;

	(void)argument;
	operation->prepare();
	before = pool_status();
	error = run_injected();
	if (error) {
		CHECK(attempt->place != NOT_REACHED);
		CHECK(error == (attempt->place == COPY ? EFAULT : ENOMEM));
		after = pool_status();
		CHECK(after.total_pages == before.total_pages);
		CHECK(after.data_pages == before.data_pages);
		/* An ALLOC that was undone may leave a child with tables of its own. */
		CHECK(attempt->place == COPY ||
		      after.table_pages == before.table_pages);
		if (operation->check_failed)
			operation->check_failed();
		attempt->empty = false;
		CHECK(operation->run() == 0 && !attempt->empty);
	}
	CHECK(attempt->place != NOT_REACHED || !attempt->empty);
	if (operation->check_done)
		operation->check_done();
}

/* Fail every @step-th of the operation's allocations in turn. */
static void fail_each(const struct operation *operation, unsigned int step)
{
	struct petmem_status before = pool_status(), after;
	unsigned int count[PLACES] = { 0 }, failed = 0, empty = 0;
	int status;

	attempt->operation = operation;
	attempt->n = 0;
	do {
		attempt->n += step;
		CHECK(attempt->n < N_MAX);
		attempt->empty = false;
		status = status_of(spawn(make_attempt, NULL));
		if (status)
			printf("# %s, failure %u: status %#x\n",
			       operation->name, attempt->n, status);
		CHECK(status == 0);
		count[attempt->place]++;
		failed += attempt->failed;
		empty += attempt->empty;
		after = pool_status();
		CHECK(after.processes == before.processes);
		CHECK(after.total_pages == before.total_pages);
		CHECK(after.free_pages == before.free_pages);
	} while (attempt->place != NOT_REACHED);
	printf("# %s: the module's %u, on its behalf %u, the kernel's %u, untold %u, copies %u; %u failed it",
	       operation->name, count[OWN], count[ON_BEHALF], count[KERNEL],
	       count[UNTOLD], count[COPY], failed);
	if (empty)
		printf(", %u left a child empty", empty);
	printf("\n");
}

/* ---- Memory for the operations ---- */

static int device;

/* Two pages are mapped; further ones are allocated, not touched. */
#define MAPPED ((size_t)2)
#define ALLOCATED ((size_t)4)
#define SEED 5

static void have_device(void)
{
	device = open_device();
}

static void have_memory(void)
{
	have_device();
	connect_petmem();
	CHECK(must_malloc(ALLOCATED * PAGE) == REGION);
	fill(REGION, MAPPED * PAGE, SEED);
}

static void check_memory(void)
{
	struct petmem_query query = { .addr = PETMEM_REGION_START };

	CHECK(ioctl(device, PETMEM_IOC_QUERY, &query) == 0);
	CHECK(query.size == ALLOCATED * PAGE);
	CHECK(holds(REGION, MAPPED * PAGE, SEED));
}

/* Go on as a child of a process that has memory. */
static void be_a_child(void)
{
	pid_t child;

	have_memory();
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		return;
	join(child);
	check_memory();
	_exit(EXIT_SUCCESS);
}

static int call(unsigned long request, void *argument)
{
	return ioctl(device, request, argument) ? errno : 0;
}

/* ---- Operations ---- */

static void do_nothing(void)
{
}

static int run_open(void)
{
	device = open(PETMEM_DEVICE, O_RDWR | O_CLOEXEC);
	return device < 0 ? errno : 0;
}

static int run_version(void)
{
	struct petmem_version version = { 0 };

	return call(PETMEM_IOC_VERSION, &version);
}

static char *allocated;

static int run_alloc(void)
{
	struct petmem_alloc alloc = { .size = PAGE };
	int error = call(PETMEM_IOC_ALLOC, &alloc);

	allocated = error ? NULL : (char *)(uintptr_t)alloc.addr;
	return error;
}

/* The allocation leaves a hole before it and one behind it. */
static int run_aligned_alloc(void)
{
	struct petmem_alloc alloc = { .size = PAGE, .align = 16 * PAGE };
	int error = call(PETMEM_IOC_ALLOC, &alloc);

	allocated = error ? NULL : (char *)(uintptr_t)alloc.addr;
	return error;
}

static void check_nothing_allocated(void)
{
	struct petmem_query query = { .addr = PETMEM_REGION_START };

	CHECK(call(PETMEM_IOC_QUERY, &query) == ENOENT);
}

static void check_first(void)
{
	CHECK(allocated == REGION);
	connect_petmem();
	fill(allocated, PAGE, SEED);
	CHECK(holds(allocated, PAGE, SEED));
	CHECK(faults(allocated + PAGE, READ));
}

static void check_second(void)
{
	check_memory();
	CHECK(allocated == REGION + ALLOCATED * PAGE);
	fill(allocated, PAGE, SEED + 1);
	CHECK(holds(allocated, PAGE, SEED + 1));
	check_memory();
}

static void check_aligned(void)
{
	check_memory();
	CHECK(allocated == REGION + 16 * PAGE);
	CHECK(must_malloc(12 * PAGE) == REGION + ALLOCATED * PAGE);
	CHECK(must_malloc(PAGE) == REGION + 17 * PAGE);
}

static int run_free(void)
{
	struct petmem_free request = { .addr = PETMEM_REGION_START };

	return call(PETMEM_IOC_FREE, &request);
}

static void check_freed(void)
{
	check_nothing_allocated();
	CHECK(faults(REGION, READ));
	CHECK(must_malloc(PAGE) == REGION && is_zero(REGION, PAGE));
}

/* A free of this many pages wants memory to note them, but can do without. */
enum { MUCH = 100 };

static char *much;

static void have_much_memory(void)
{
	have_memory();
	much = must_malloc(MUCH * PAGE);
	fill(much, MUCH * PAGE, SEED);
}

static int run_free_much(void)
{
	struct petmem_free request = { .addr = (uintptr_t)much };

	return call(PETMEM_IOC_FREE, &request);
}

static void check_much_freed(void)
{
	for (size_t i = 0; i < MUCH; i++)
		CHECK(faults(much + i * PAGE, READ));
	check_memory();
	CHECK(must_malloc(MUCH * PAGE) == much && is_zero(much, MUCH * PAGE));
}

static int run_query(void)
{
	struct petmem_query query = { .addr = PETMEM_REGION_START };

	return call(PETMEM_IOC_QUERY, &query);
}

static int run_fault_at(char *address)
{
	struct petmem_fault fault = {
		.addr = (uintptr_t)address,
		.error_code = PETMEM_FAULT_WRITE | PETMEM_FAULT_USER,
	};

	return call(PETMEM_IOC_FAULT, &fault);
}

/* The first page that is not mapped yet. */
static int run_fault(void)
{
	return run_fault_at(REGION + MAPPED * PAGE);
}

/* A page that is shared with the parent. */
static int run_copying_fault(void)
{
	return run_fault_at(REGION);
}

static int run_populate(void)
{
	struct petmem_populate populate = { PETMEM_REGION_START,
					    ALLOCATED * PAGE };

	return call(PETMEM_IOC_POPULATE, &populate);
}

static int run_mode(void)
{
	struct petmem_mode mode = { .flags = PETMEM_MODE_NATIVE };

	return call(PETMEM_IOC_MODE, &mode);
}

/* The kernel itself maps the pages. */
static void check_native(void)
{
	CHECK(run_alloc() == 0 && allocated == REGION);
	fill(allocated, PAGE, SEED);
	CHECK(holds(allocated, PAGE, SEED));
}

static void allocate_only(void)
{
	have_device();
	connect_petmem();
	CHECK(must_malloc(ALLOCATED * PAGE) == REGION);
}

static void check_faulted(void)
{
	CHECK(is_zero(REGION + MAPPED * PAGE, PAGE));
}

static int run_invlpg(void)
{
	struct petmem_invlpg invlpg = { .addr = PETMEM_REGION_START };

	return call(PETMEM_IOC_INVLPG, &invlpg);
}

/* Dumps may be asked for more often than they are printed. */
static int run_dump(void)
{
	int error = call(PETMEM_IOC_DUMP, NULL);

	return error == EAGAIN ? 0 : error;
}

static int run_status(void)
{
	struct petmem_status status;

	return call(PETMEM_IOC_STATUS, &status);
}

static int run_block(void)
{
	struct petmem_block block = { 0 };

	return call(PETMEM_IOC_BLOCK, &block);
}

static int run_counters(void)
{
	struct petmem_counters counters;

	return call(PETMEM_IOC_COUNTERS, &counters);
}

static int run_user(void)
{
	struct petmem_user_counts user = { 0 };

	return call(PETMEM_IOC_USER, &user);
}

static int run_process(void)
{
	struct petmem_process_info info = { 0 };

	return call(PETMEM_IOC_PROCESS, &info);
}

static int run_walk(void)
{
	struct petmem_walk walk = { .addr = PETMEM_REGION_START };

	return call(PETMEM_IOC_WALK, &walk);
}

static int run_span(void)
{
	struct petmem_span span = { .addr = PETMEM_REGION_START };

	return call(PETMEM_IOC_SPAN, &span);
}

static int run_mmap(void)
{
	void *mapped = mmap(REGION, PETMEM_REGION_SIZE, PROT_NONE,
			    MAP_SHARED | MAP_FIXED_NOREPLACE, device, 0);

	return mapped == REGION ? 0 : errno;
}

static void check_reserved(void)
{
	CHECK(run_alloc() == 0);
	check_first();
}

static int run_munmap(void)
{
	return munmap(REGION, PETMEM_REGION_SIZE) ? errno : 0;
}

static void check_unmapped(void)
{
	CHECK(faults(REGION, READ));
	check_nothing_allocated();
	CHECK(must_malloc(PAGE) == REGION);
	fill(REGION, PAGE, SEED);
	CHECK(holds(REGION, PAGE, SEED));
}

/* A child has its parent's memory or, if the module got no memory, nothing. */
static void be_forked(void)
{
	struct petmem_query query = { .addr = PETMEM_REGION_START };

	attempt->empty = call(PETMEM_IOC_QUERY, &query);
	if (attempt->empty)
		CHECK(faults(REGION, READ));
	else
		check_memory();
	CHECK(run_alloc() == 0);
	CHECK(allocated == REGION + (attempt->empty ? 0 : ALLOCATED * PAGE));
	fill(allocated, PAGE, SEED);
	CHECK(holds(allocated, PAGE, SEED));
	if (!attempt->empty)
		fill(REGION, MAPPED * PAGE, SEED + 1);
}

static int run_fork(void)
{
	pid_t child = fork();

	if (child < 0)
		return errno;
	if (child == 0) {
		be_forked();
		_exit(EXIT_SUCCESS);
	}
	join(child);
	return 0;
}

/* ---- Donations ---- */

static struct petmem_extent extent;

static int run_donate(void)
{
	return call(PETMEM_IOC_DONATE, &extent);
}

static int run_release(void)
{
	return call(PETMEM_IOC_RELEASE, &extent);
}

static int run_run(void)
{
	struct petmem_run run = { .addr = extent.start };

	return call(PETMEM_IOC_RUN, &run);
}

/* Choose the last block; nobody uses the pool. */
static void have_block(void)
{
	struct petmem_block block = { 0 };

	have_device();
	block.index = pool_status().blocks - 1;
	CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	extent = (struct petmem_extent){ block.start, block.size };
}

static void have_offline_block(void)
{
	have_block();
	CHECK(run_release() == 0);
}

/* Load the module. Returns 0 or an errno. */
static int load(void)
{
	int file = open(MODULE_FILE, O_RDONLY | O_CLOEXEC);
	int error;

	CHECK(file >= 0);
	error = syscall(SYS_finit_module, file, "", 0) ? errno : 0;
	close(file);
	return error;
}

static void unload(void)
{
	CHECK(syscall(SYS_delete_module, "petmem", O_NONBLOCK) == 0);
}

/* As after insmod: there is no table of extents yet. */
static void have_new_module(void)
{
	have_offline_block();
	close(device);
	unload();
	CHECK(load() == 0);
	have_device();
}

static void check_donated(void)
{
	CHECK(run_donate() == EEXIST);
}

static void check_released(void)
{
	CHECK(run_release() == ENOENT);
	CHECK(run_donate() == 0);
}

static const struct operation command_operations[] = {
	{ "open", do_nothing, run_open, NULL, NULL },
	{ "VERSION", have_device, run_version, NULL, NULL },
	{ "the first ALLOC", have_device, run_alloc, check_nothing_allocated,
	  check_first },
	{ "another ALLOC", have_memory, run_alloc, check_memory, check_second },
	{ "an aligned ALLOC", have_memory, run_aligned_alloc, check_memory,
	  check_aligned },
	{ "ALLOC in a child", be_a_child, run_alloc, check_memory,
	  check_second },
	{ "FREE", have_memory, run_free, check_memory, check_freed },
	{ "FREE of much", have_much_memory, run_free_much, check_memory,
	  check_much_freed },
	{ "FREE in a child", be_a_child, run_free, check_memory, check_freed },
	{ "QUERY", have_memory, run_query, check_memory, check_memory },
	{ "the first FAULT", allocate_only, run_fault, NULL, check_faulted },
	{ "another FAULT", have_memory, run_fault, check_memory,
	  check_faulted },
	{ "FAULT in a child", be_a_child, run_fault, check_memory,
	  check_faulted },
	{ "a copying FAULT", be_a_child, run_copying_fault, check_memory,
	  check_memory },
	{ "POPULATE", have_memory, run_populate, check_memory, check_faulted },
	{ "MODE", have_device, run_mode, check_nothing_allocated,
	  check_native },
	{ "INVLPG", have_memory, run_invlpg, check_memory, check_memory },
	{ "the first DUMP", have_device, run_dump, check_nothing_allocated,
	  check_nothing_allocated },
	{ "STATUS", have_device, run_status, NULL, NULL },
	{ "BLOCK", have_device, run_block, NULL, NULL },
	{ "COUNTERS", have_device, run_counters, NULL, NULL },
	{ "USER", have_memory, run_user, check_memory, check_memory },
	{ "PROCESS", have_memory, run_process, check_memory, check_memory },
	{ "WALK", have_memory, run_walk, check_memory, check_memory },
	{ "SPAN", have_memory, run_span, check_memory, check_memory },
};

static const struct operation mapping_operations[] = {
	{ "mmap of the device", have_device, run_mmap, check_nothing_allocated,
	  check_reserved },
	{ "munmap of the region", have_memory, run_munmap, check_memory,
	  check_unmapped },
};

static const struct operation fork_operation = {
	"fork", have_memory, run_fork, check_memory, check_memory,
};

static const struct operation first_donation = {
	"the first DONATE", have_new_module, run_donate, NULL, check_donated,
};

static const struct operation donation_operations[] = {
	{ "DONATE", have_offline_block, run_donate, NULL, check_donated },
	{ "RELEASE", have_block, run_release, NULL, check_released },
	{ "RUN", have_block, run_run, NULL, NULL },
};

static void commands(void)
{
	prepare_injection(false);
	for (size_t i = 0; i < COUNT_OF(command_operations); i++)
		fail_each(&command_operations[i], 1);
}

static void mappings(void)
{
	prepare_injection(false);
	for (size_t i = 0; i < COUNT_OF(mapping_operations); i++)
		fail_each(&mapping_operations[i], 1);
	/* Nearly all of its allocations are Linux's own. */
	fail_each(&fork_operation, every());
}

static void donations(void)
{
	if (pool_status().blocks == 0)
		skip_case("no memory is donated");
	prepare_injection(true);
	for (size_t i = 0; i < COUNT_OF(donation_operations); i++)
		fail_each(&donation_operations[i], 1);
	if (pool_status().blocks == 1)
		fail_each(&first_donation, every());
}

/* ---- Loading ---- */

static bool cleaner_runs(void)
{
	return system("grep -qsx petmem_cleaner /proc/[0-9]*/comm") == 0;
}

static void loading(void)
{
	uint64_t pages = pool_status().total_pages;
	unsigned int failed = 0;
	char command[64];
	bool reached;
	int error;

	prepare_injection(false);
	/* Skip what fails before the module's init: hundreds of allocations. */
	fail_from(MODULES_START);
	CHECK(system("petmem --release >/dev/null") == 0);
	attempt->n = 0;
	do {
		unload();
		attempt->n += every();
		error = inject(load, &reached);
		if (error) {
			CHECK(reached && error == ENOMEM);
			CHECK(access(PETMEM_DEVICE, F_OK) == -1);
			CHECK(!cleaner_runs());
			CHECK(load() == 0);
			failed++;
		}
		CHECK(cleaner_runs());
		CHECK(pool_status().total_pages == 0);
	} while (reached);
	fail_from("0");
	printf("# loading: of %u allocations %u failed it\n", attempt->n,
	       failed);
	CHECK(failed > 0);
	snprintf(command, sizeof(command), "petmem %llu >/dev/null",
		 (unsigned long long)(pages * PAGE / MIB));
	CHECK(pages == 0 || system(command) == 0);
}

/* ---- The end of a process ---- */

/* N stays set: the parent reads it when the process has ended. */
static void set_own_n(void)
{
	int file = open(FAIL_NTH, O_RDWR | O_CLOEXEC);

	CHECK(file >= 0);
	set_n(file, attempt->n);
}

static void leave(void *argument)
{
	(void)argument;
	have_memory();
	set_own_n();
	_exit(EXIT_SUCCESS);
}

/*
 * exec fails with some error of the kernel's, or kills when it is too late to fail, or
 * the new program ends before it has begun.
 */
static void exec_other(void *argument)
{
	int file = open(FAIL_NTH, O_RDWR | O_CLOEXEC);

	(void)argument;
	CHECK(file >= 0);
	have_memory();
	set_n(file, attempt->n);
	execl("/proc/self/exe", "inject", after_exec, NULL);
	CHECK(was_reached(file));
	check_memory();
	execl("/proc/self/exe", "inject", after_exec, NULL);
	CHECK(!"exec");
}

static bool reached_by(pid_t child)
{
	char path[32];
	bool reached;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/fail-nth", child);
	file = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0);
	reached = was_reached(file);
	close(file);
	return reached;
}

/* A process leaves nothing, however it ends. Tries every @step-th allocation. */
static void fail_end(const char *name, void (*body)(void *argument),
		     unsigned int step)
{
	struct petmem_status before = pool_status(), after;
	unsigned int reached = 0, died = 0;
	siginfo_t info;
	pid_t child;
	int status;

	attempt->n = 0;
	for (bool more = true; more;) {
		attempt->n += step;
		CHECK(attempt->n < N_MAX);
		child = spawn(body, NULL);
		CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
		more = reached_by(child);
		status = status_of(child);
		CHECK(status == 0 || more);
		CHECK(status != EXIT_FAILURE << 8);
		reached += more;
		died += status != 0;
		after = pool_status();
		CHECK(after.processes == before.processes);
		CHECK(after.free_pages == before.free_pages);
	}
	printf("# %s: %u allocations and copies failed, %u killed it\n", name,
	       reached, died);
}

/* A signal kills when its address is lost, or its frame has no room on the stack. */
static void touch(void *argument)
{
	(void)argument;
	have_memory();
	set_own_n();
	REGION[MAPPED * PAGE] = 1;
	_exit(EXIT_SUCCESS);
}

static void touch_natively(void *argument)
{
	choose_mode(NATIVE);
	touch(argument);
}

static void ends(void)
{
	prepare_injection(false);
	fail_end("a touch", touch, 1);
	fail_end("a native touch", touch_natively, 1);
	fail_end("exit", leave, 1);
	/* Nearly all of exec's allocations are Linux's own. */
	fail_end("exec", exec_other, every());
}

static const struct guest_case cases[] = {
	{ "every command", commands },
	{ "mmap, munmap and fork", mappings },
	{ "donation and release", donations },
	{ "touch, exit and exec", ends },
	{ "loading", loading },
};

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], after_exec) == 0)
		return EXIT_SUCCESS;
	return run_cases(cases, COUNT_OF(cases));
}
