// SPDX-License-Identifier: GPL-2.0
/* fault_modes.c - the two fault modes: choosing one, and where it shows. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest.h"

#define REGION_SIZE ((size_t)PETMEM_REGION_SIZE)

static int set_mode(int device, unsigned int flags)
{
	struct petmem_mode mode = { .flags = flags };

	return ioctl(device, PETMEM_IOC_MODE, &mode);
}

static void try_native(void *argument)
{
	bool *there = argument;

	*there = set_mode(open_device(), PETMEM_MODE_NATIVE) == 0;
	CHECK(*there || errno == EOPNOTSUPP);
}

/* Skip the case where there are no native faults; do not choose a mode yet. */
static void need_native(void)
{
	bool *there = shared_memory(sizeof(*there));

	join(spawn(try_native, there));
	if (!*there)
		skip_case("no native faults on this kernel");
	CHECK(unsetenv("PETMEM_FAULTS") == 0);
}

static uint64_t allocate(int device, uint64_t flags)
{
	struct petmem_alloc request = { .size = PAGE, .flags = flags };

	CHECK(ioctl(device, PETMEM_IOC_ALLOC, &request) == 0);
	return request.addr;
}

/* ---- One fault mode at a time ---- */

static void conflicts(void)
{
	int device = open_device();

	need_native();
	allocate(device, 0);
	CHECK(set_mode(device, PETMEM_MODE_NATIVE) == -1 && errno == EBUSY);
	CHECK(set_mode(device, 0) == 0);
	/* An existing reservation keeps its mode. */
	allocate(device, PETMEM_ALLOC_NATIVE);
	CHECK(pool_status().native_processes == 0);
	/* Once it is gone, the mode can be chosen again. */
	CHECK(munmap(REGION, REGION_SIZE) == 0);
	CHECK(set_mode(device, PETMEM_MODE_NATIVE) == 0);
	CHECK(set_mode(device, PETMEM_MODE_NATIVE) == 0);
	CHECK(set_mode(device, 0) == -1 && errno == EBUSY);
	*(char *)(uintptr_t)allocate(device, 0) = 1;
	CHECK(munmap(REGION, REGION_SIZE) == 0);
	*(char *)(uintptr_t)allocate(device, PETMEM_ALLOC_NATIVE) = 1;
}

/* The feature that lets userfaultfd take any mapping (Linux 6.7). */
#define WP_ASYNC (1ULL << 15)

/*
 * Linux first checks the kind of a mapping (EINVAL), then that it can be written
 * (EPERM), which a reservation in signal mode cannot be.
 */
static bool userfaultfd_is_refused(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API, .features = WP_ASYNC };
	struct uffdio_register range = {
		.range = { (uintptr_t)REGION, REGION_SIZE },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0)
		return true;
	CHECK(ioctl(fd, UFFDIO_REGISTER, &range) == -1);
	return errno == EINVAL;
}

/* Native faults exist where Linux keeps userfaultfd away, and nowhere else. */
static void native_where_safe(void)
{
	bool *there = shared_memory(sizeof(*there));
	unsigned int version, patchlevel;
	struct utsname kernel;

	CHECK(uname(&kernel) == 0);
	CHECK(sscanf(kernel.release, "%u.%u", &version, &patchlevel) == 2);
	if (version == 5 && patchlevel < 11)
		skip_case("no native faults before 5.11");
	join(spawn(try_native, there));
	CHECK(unsetenv("PETMEM_FAULTS") == 0);
	allocate(open_device(), 0);
	CHECK(*there == userfaultfd_is_refused());
}

static void library_native(void)
{
	need_native();
	CHECK(init_petmem_flags(1U << 31) == -1 && errno == EINVAL);
	CHECK(init_petmem_flags(PETMEM_NATIVE) == 0);
	CHECK(init_petmem_flags(PETMEM_NATIVE) == 0);
	CHECK(init_petmem() == 0); /* any mode will do */
	CHECK(init_petmem_flags(0) == -1 && errno == EBUSY);
	*(char *)must_malloc(PAGE) = 1;
	CHECK(pool_status().native_processes == 1);
}

static void library_by_signal(void)
{
	need_native();
	CHECK(init_petmem() == 0);
	CHECK(init_petmem_flags(0) == 0);
	CHECK(init_petmem_flags(PETMEM_NATIVE) == -1 && errno == EBUSY);
	*(char *)must_malloc(PAGE) = 1;
	CHECK(pool_status().native_processes == 0);
}

/* For a child: the program asks for one mode, and the user wants the other. */
static void user_wants_signals(void *argument)
{
	CHECK(setenv("PETMEM_FAULTS", "signal", 1) == 0);
	CHECK(init_petmem_flags(PETMEM_NATIVE) == 0);
	*(char *)must_malloc(PAGE) = 1;
	CHECK(pool_status().native_processes == 0);
	(void)argument;
}

static void user_wants_native(void *argument)
{
	CHECK(setenv("PETMEM_FAULTS", "native", 1) == 0);
	CHECK(init_petmem() == 0);
	*(char *)must_malloc(PAGE) = 1;
	CHECK(pool_status().native_processes == 1);
	(void)argument;
}

static void user_wants_nonsense(void *argument)
{
	CHECK(setenv("PETMEM_FAULTS", "sometimes", 1) == 0);
	CHECK(init_petmem() == -1 && errno == EINVAL);
	CHECK(init_petmem_flags(PETMEM_NATIVE) == -1 && errno == EINVAL);
	(void)argument;
}

static void environment(void)
{
	need_native();
	join(spawn(user_wants_signals, NULL));
	join(spawn(user_wants_native, NULL));
	join(spawn(user_wants_nonsense, NULL));
}

/* ---- Where the mode shows ---- */

/* The permissions of the region in /proc/self/maps. */
static void region_permissions(char permissions[5])
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[200] = "";
	unsigned long start = 0;

	CHECK(maps != NULL);
	permissions[0] = 0;
	while (fgets(line, sizeof(line), maps)) {
		CHECK(sscanf(line, "%lx-%*x %4s", &start, permissions) == 2);
		if (start == PETMEM_REGION_START)
			break;
	}
	CHECK(start == PETMEM_REGION_START && strstr(line, "petmem"));
	fclose(maps);
}

/* A counter of `petmem --status`. */
static unsigned long shown(const char *name)
{
	FILE *tool = popen("petmem --status", "r");
	char line[100], format[40];
	unsigned long value = 0;
	bool found = false;

	CHECK(tool != NULL);
	snprintf(format, sizeof(format), "%s: %%lu", name);
	while (fgets(line, sizeof(line), tool))
		found = sscanf(line, format, &value) == 1 || found;
	CHECK(pclose(tool) == 0 && found);
	return value;
}

/* A child of fork runs this, too. */
static void show(void *argument)
{
	char permissions[5];

	region_permissions(permissions);
	CHECK(strcmp(permissions, argument) == 0);
}

static void shown_native(void)
{
	need_native();
	CHECK(init_petmem_flags(PETMEM_NATIVE) == 0);
	show("rw-s");
	join(spawn(show, "rw-s"));
	CHECK(shown("processes") == 1 && shown("native_processes") == 1);
}

static void shown_by_signal(void)
{
	CHECK(setenv("PETMEM_FAULTS", "signal", 1) == 0);
	CHECK(init_petmem() == 0);
	must_malloc(PAGE);
	show("---s");
	join(spawn(show, "---s"));
	CHECK(shown("processes") == 1 && shown("native_processes") == 0);
}

/* ---- A stray access, with the kernel as the only handler ---- */

static void stray(void *argument)
{
	*(volatile char *)argument = 1;
}

static void native_stray(void)
{
	char *memory;

	need_native();
	CHECK(init_petmem_flags(PETMEM_NATIVE) == 0);
	memory = must_malloc(PAGE);
	join(spawn(stray, memory));
	CHECK(dies_by(SIGSEGV, stray, memory + PAGE));
	CHECK(dies_by(SIGSEGV, stray, memory + GIB));
	CHECK(dies_by(SIGSEGV, stray, REGION + REGION_SIZE - 1));
	CHECK(dies_by(SIGSEGV, stray, REGION + REGION_SIZE));
	/* A program's own handler gets the right address. */
	catch_faults();
	CHECK(faults(memory + PAGE, READ));
	CHECK(faults(memory + PAGE + 77, WRITE));
	CHECK(faults(memory, FETCH));
	CHECK(!faults(memory, READ) && is_zero(memory, PAGE));
	pet_free(memory);
	CHECK(faults(memory, READ));
}

/* ---- A native reservation has permissions, which nobody can change ---- */

static void native_is_hard(void)
{
	char *memory;

	need_native();
	CHECK(init_petmem_flags(PETMEM_NATIVE) == 0);
	memory = must_malloc(4 * PAGE);
	fill(memory, 4 * PAGE, 1);
	for (int prot = 0; prot <= (PROT_READ | PROT_WRITE | PROT_EXEC);
	     prot++) {
		/* These are the permissions that it has. */
		if (prot == (PROT_READ | PROT_WRITE))
			continue;
		CHECK(mprotect(memory, PAGE, prot) == -1);
		CHECK(mprotect(REGION, REGION_SIZE, prot) == -1);
	}
	CHECK(madvise(memory, PAGE, MADV_DONTNEED) == -1);
	CHECK(madvise(REGION, REGION_SIZE, MADV_DONTNEED) == -1);
	CHECK(madvise(REGION, REGION_SIZE, MADV_REMOVE) == -1);
	CHECK(munmap(memory, PAGE) == -1);
	CHECK(munmap(REGION + REGION_SIZE - PAGE, PAGE) == -1);
	CHECK(mremap(memory, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(mremap(memory, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(mremap(REGION, REGION_SIZE, PAGE, 0) == MAP_FAILED);
	CHECK(mmap(memory, PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == MAP_FAILED);
	CHECK(holds(memory, 4 * PAGE, 1));
	CHECK(pool_status().data_pages == 4);
}

static const struct guest_case cases[] = {
	{ "the device's mode, and another", conflicts },
	{ "native where userfaultfd is refused", native_where_safe },
	{ "init_petmem_flags, native", library_native },
	{ "init_petmem_flags, by signal", library_by_signal },
	{ "PETMEM_FAULTS in the environment", environment },
	{ "native: rw-s in /proc/PID/maps, and a count", shown_native },
	{ "signal: ---s in /proc/PID/maps", shown_by_signal },
	{ "native: a stray access", native_stray },
	{ "native: mprotect, madvise, munmap, mremap, mmap", native_is_hard },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
