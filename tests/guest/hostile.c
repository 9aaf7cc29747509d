// SPDX-License-Identifier: GPL-2.0
/*
 * hostile.c - Linux's memory system calls used against the region. Each gives an error or
 * the right bytes, and the kernel reports nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "guest.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101 /* Linux 2.6.33; glibc does not have it */
#endif

#define PAGES ((size_t)8)
#define SEED 7
#define REGION_SIZE ((size_t)PETMEM_REGION_SIZE)

/* Some memory with a pattern, at the beginning of the region. */
static char *some_memory(void)
{
	char *memory;

	connect_petmem();
	memory = must_malloc(PAGES * PAGE);
	fill(memory, PAGES * PAGE, SEED);
	return memory;
}

static bool is_intact(const char *memory)
{
	return holds(memory, PAGES * PAGE, SEED);
}

static void mmap_over(void)
{
	static const int flags[] = { MAP_FIXED, MAP_FIXED_NOREPLACE };
	char *memory = some_memory();

	for (size_t i = 0; i < COUNT_OF(flags); i++) {
		CHECK(mmap(memory + PAGE, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | flags[i], -1,
			   0) == MAP_FAILED);
		CHECK(is_intact(memory));
	}
	/* A mapping that merely prefers the place goes elsewhere. */
	CHECK(mmap(memory + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		   -1, 0) != MAP_FAILED);
	CHECK(is_intact(memory));
}

static void mmap_device(void)
{
	static const int prots[] = { PROT_NONE, PROT_READ,
				     PROT_READ | PROT_WRITE, PROT_EXEC };
	int device = open_device();

	connect_petmem();
	for (size_t i = 0; i < COUNT_OF(prots); i++) {
		CHECK(mmap(NULL, PAGE, prots[i], MAP_SHARED, device, 0) ==
		      MAP_FAILED);
		CHECK(mmap(NULL, REGION_SIZE, prots[i], MAP_SHARED, device,
			   0) == MAP_FAILED);
		CHECK(mmap(REGION, PAGE, prots[i], MAP_SHARED | MAP_FIXED,
			   device, 0) == MAP_FAILED);
		CHECK(mmap(REGION, REGION_SIZE, prots[i],
			   MAP_PRIVATE | MAP_FIXED, device, 0) == MAP_FAILED);
		if (prots[i] == PROT_READ || prots[i] == PROT_EXEC)
			CHECK(mmap(REGION, REGION_SIZE, prots[i],
				   MAP_SHARED | MAP_FIXED, device,
				   0) == MAP_FAILED);
	}
	CHECK(mmap(REGION, REGION_SIZE, PROT_NONE, MAP_SHARED | MAP_FIXED,
		   device, PAGE) == MAP_FAILED);
	/* petmem still works, whatever happened to the reservation. */
	*(char *)must_malloc(PAGE) = 1;
}

static void munmap_part(void)
{
	char *memory = some_memory();

	CHECK(munmap(memory, PAGE) == -1);
	CHECK(munmap(memory + PAGE, PAGE) == -1);
	CHECK(munmap(REGION + REGION_SIZE - PAGE, 2 * PAGE) == -1);
	CHECK(munmap(REGION - PAGE, 2 * PAGE) == -1);
	CHECK(is_intact(memory));
}

static void munmap_whole(void)
{
	struct petmem_status before = pool_status();
	char *memory = some_memory();

	CHECK(munmap(REGION, REGION_SIZE) == 0);
	CHECK(pool_status().free_pages == before.free_pages);
	CHECK(faults(memory, READ));
	/* Another mapping may take the place now; petmem then cannot. */
	CHECK(mmap(REGION + MIB, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		   0) == REGION + MIB);
	REGION[MIB] = 1;
	CHECK(pet_malloc(PAGE) == NULL && errno == EEXIST);
	CHECK(munmap(REGION + MIB, PAGE) == 0);
	memory = must_malloc(PAGES * PAGE);
	CHECK(memory == REGION && is_zero(memory, PAGES * PAGE));
}

#define SHARED_PAGES ((size_t)128)

/* Write to shared pages, one after the other, by ioctl: each write copies one. */
static void *break_sharing(void *argument)
{
	struct petmem_fault fault = {
		.addr = (uintptr_t)argument,
		.error_code = PETMEM_FAULT_PRESENT | PETMEM_FAULT_WRITE |
			      PETMEM_FAULT_USER,
	};
	uint64_t end = fault.addr + SHARED_PAGES * PAGE;
	int device = open_device();

	while (fault.addr < end && ioctl(device, PETMEM_IOC_FAULT, &fault) == 0)
		fault.addr += PAGE;
	close(device);
	return NULL;
}

/* The child keeps the pages shared. */
static void munmap_in_the_middle(void)
{
	connect_petmem();
	for (unsigned int round = 0; round < rounds(20); round++) {
		char *memory = must_malloc(SHARED_PAGES * PAGE);
		pthread_t thread;
		pid_t child;

		memset(memory, 1, SHARED_PAGES * PAGE);
		child = spawn(wait_to_be_killed, NULL);
		CHECK(pthread_create(&thread, NULL, break_sharing, memory) ==
		      0);
		CHECK(munmap(REGION, REGION_SIZE) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
		CHECK(kill(child, SIGKILL) == 0);
		status_of(child);
	}
}

static void munmap_around(void)
{
	struct petmem_status before = pool_status();

	some_memory();
	CHECK(munmap(REGION - GIB, REGION_SIZE + 2 * GIB) == 0);
	CHECK(pool_status().free_pages == before.free_pages);
	fill(must_malloc(PAGES * PAGE), PAGES * PAGE, SEED);
	CHECK(mmap(REGION - GIB, REGION_SIZE + 2 * GIB, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
		   0) == REGION - GIB);
	CHECK(pool_status().free_pages == before.free_pages);
}

static void moving(void)
{
	char *memory = some_memory();
	char *elsewhere = REGION + 4 * REGION_SIZE;

	CHECK(mremap(REGION, REGION_SIZE, REGION_SIZE,
		     MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere) == MAP_FAILED);
	CHECK(mremap(memory, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     elsewhere) == MAP_FAILED);
	CHECK(mremap(memory, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(mremap(memory, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(mremap(REGION, REGION_SIZE, 2 * REGION_SIZE, MREMAP_MAYMOVE) ==
	      MAP_FAILED);
	CHECK(mremap(REGION, REGION_SIZE, PAGE, 0) == MAP_FAILED);
	CHECK(mremap(REGION, REGION_SIZE, REGION_SIZE,
		     MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0) == MAP_FAILED);
	CHECK(is_intact(memory));
}

static void protecting(void)
{
	static const int prots[] = { PROT_READ, PROT_WRITE, PROT_EXEC,
				     PROT_READ | PROT_WRITE | PROT_EXEC };
	char *memory = some_memory();

	for (size_t i = 0; i < COUNT_OF(prots); i++) {
		CHECK(mprotect(memory, PAGE, prots[i]) == -1);
		CHECK(mprotect(REGION, REGION_SIZE, prots[i]) == -1);
	}
	mprotect(memory, PAGE, PROT_NONE);
	mprotect(REGION, REGION_SIZE, PROT_NONE);
	CHECK(is_intact(memory));
}

/*
 * A protection key for the whole region needs no permission that the mapping lacks,
 * and no split. Linux would write it into every entry of the tables.
 */
static void protecting_by_key(void)
{
	static const int prots[] = { PROT_NONE, PROT_READ | PROT_WRITE };
	int key = syscall(SYS_pkey_alloc, 0, 0);
	char *memory;

	if (key < 0)
		skip_case("no protection keys");
	memory = some_memory();
	for (size_t i = 0; i < COUNT_OF(prots); i++) {
		CHECK(syscall(SYS_pkey_mprotect, REGION, REGION_SIZE, prots[i],
			      key) == -1);
		CHECK(syscall(SYS_pkey_mprotect, memory, PAGE, prots[i], key) ==
		      -1);
		CHECK(is_intact(memory));
	}
}

/*
 * The child of a fork has its own view of its parent's memory, or nothing where the
 * mapping is not copied (MADV_DONTFORK, for ever).
 */
static void has_own_view(void *argument)
{
	char *memory = argument;

	if (!faults(memory, READ)) {
		CHECK(is_intact(memory));
		fill(memory, PAGE, SEED + 1);
	} else if (pet_malloc(PAGE) != NULL) {
		CHECK(is_zero(REGION, PAGE));
	}
}

static void advising(void)
{
	/* Every existing advice, and room for new ones. */
	enum { ADVICES = 120 };
	char *memory = some_memory();

	for (int advice = 0; advice < ADVICES; advice++) {
		/* These damage the machine on purpose, which root may do. */
		if (advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE)
			continue;
		madvise(memory + PAGE, PAGE, advice);
		madvise(REGION, REGION_SIZE, advice);
		CHECK(is_intact(memory));
		if (advice == MADV_DONTFORK || advice == MADV_KEEPONFORK ||
		    advice == MADV_DOFORK || advice == MADV_WIPEONFORK)
			join(spawn(has_own_view, memory));
	}
	CHECK(is_intact(memory));
}

static void kept_on_fork(void)
{
	char *memory = some_memory();

	CHECK(madvise(REGION, REGION_SIZE, MADV_KEEPONFORK) == 0);
	for (int i = 0; i < 10; i++) {
		CHECK(!faults(memory, READ));
		join(spawn(has_own_view, memory));
		CHECK(is_intact(memory));
	}
}

static void locking(void)
{
	char *memory = some_memory();

	mlock(memory, PAGES * PAGE);
	mlock2(memory, PAGES * PAGE, MLOCK_ONFAULT);
	munlock(memory, PAGES * PAGE);
	CHECK(mlockall(MCL_CURRENT) == 0);
	CHECK(is_intact(memory));
	*(char *)must_malloc(PAGE) = 1;
	CHECK(munlockall() == 0);
}

static void odd_calls(void)
{
	char *memory = some_memory();
	unsigned char resident[PAGES];

	msync(memory, PAGES * PAGE, MS_SYNC | MS_INVALIDATE);
	mincore(memory, PAGES * PAGE, resident);
	syscall(SYS_remap_file_pages, memory, PAGE, 0, 1, 0);
	syscall(SYS_mbind, memory, PAGES * PAGE, 0, NULL, 0, 2);
	syscall(SYS_pkey_mprotect, memory, PAGE, PROT_READ, -1);
	syscall(SYS_migrate_pages, 0, 1, NULL, NULL);
	CHECK(is_intact(memory));
	/* This call may map the whole region anew. */
	syscall(SYS_remap_file_pages, REGION, REGION_SIZE, 0, 0, 0);
	*(char *)must_malloc(PAGE) = 1;
}

static void pins_and_pipes(void)
{
	char buffer[PAGE];
	char *memory = some_memory();
	struct iovec local = { buffer, PAGE };
	struct iovec remote = { memory, PAGE };
	int pipes[2];

	CHECK(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == -1);
	CHECK(process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == -1);
	CHECK(pipe(pipes) == 0);
	CHECK(vmsplice(pipes[1], &remote, 1, 0) == -1);
	/* A write copies from pages that exist; it fails for others. */
	CHECK(write(pipes[1], memory, PAGE) == (ssize_t)PAGE);
	CHECK(read(pipes[0], buffer, PAGE) == (ssize_t)PAGE);
	CHECK(memcmp(buffer, memory, PAGE) == 0);
	if (!is_native())
		CHECK(write(pipes[1], must_malloc(PAGE), PAGE) == -1 &&
		      errno == EFAULT);
	CHECK(is_intact(memory));
}

static void direct_io(void)
{
	char *memory = some_memory();
	int file = open("/tmp/direct", O_RDWR | O_CREAT | O_DIRECT, 0600);

	if (file < 0)
		skip_case("no file system here does O_DIRECT");
	CHECK(write(file, memory, PAGE) == -1 ||
	      pread(file, memory, PAGE, 0) == (ssize_t)PAGE);
	CHECK(is_intact(memory));
	CHECK(unlink("/tmp/direct") == 0);
}

static const struct uffdio_range whole_region = { (uintptr_t)REGION,
						  REGION_SIZE };

/* Bits of the modes in which memory is registered; headers may lack the last. */
#define UFFD_MODES 8

/* Registering fails with these features. Returns whether Linux has them. */
static bool try_user_faults(uint64_t features, uint64_t mode)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register range = { .range = whole_region, .mode = mode };
	struct uffdio_writeprotect protect = {
		.range = whole_region,
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	bool there = ioctl(fd, UFFDIO_API, &api) == 0;

	if (there) {
		CHECK(ioctl(fd, UFFDIO_REGISTER, &range) == -1);
		CHECK(ioctl(fd, UFFDIO_WRITEPROTECT, &protect) == -1);
		protect.mode = 0;
		CHECK(ioctl(fd, UFFDIO_WRITEPROTECT, &protect) == -1);
	}
	CHECK(close(fd) == 0);
	return there;
}

static uint64_t all_user_fault_features(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };

	if (fd < 0)
		skip_case("no userfaultfd");
	CHECK(ioctl(fd, UFFDIO_API, &api) == 0);
	CHECK(close(fd) == 0);
	return api.features;
}

/* Try each of the kernel's features, such as WP_ASYNC, and all of them together. */
static void user_faults(void)
{
	char *memory = some_memory();
	uint64_t all = all_user_fault_features();

	for (uint64_t mode = 1; mode < UFFD_MODES; mode++) {
		CHECK(try_user_faults(0, mode));
		try_user_faults(all, mode);
		for (uint64_t left = all; left; left &= left - 1)
			try_user_faults(left & -left, mode);
	}
	CHECK(is_intact(memory));
	CHECK(is_zero(must_malloc(PAGES * PAGE), PAGES * PAGE));
}

static void read_all(const char *path)
{
	char buffer[PAGE];
	int file = open(path, O_RDONLY);

	if (file < 0)
		return;
	while (read(file, buffer, sizeof(buffer)) > 0)
		;
	close(file);
}

static void proc_files(void)
{
	char *memory = some_memory();
	uint64_t entry;
	char byte;
	int file;

	read_all("/proc/self/maps");
	read_all("/proc/self/smaps");
	read_all("/proc/self/smaps_rollup");
	read_all("/proc/self/numa_maps");
	for (int which = '1'; which <= '5'; which++) {
		char text[] = { which, 0 };

		write_file("/proc/self/clear_refs", text);
	}
	file = open("/proc/self/pagemap", O_RDONLY);
	CHECK(file < 0 ||
	      pread(file, &entry, sizeof(entry),
		    (uintptr_t)memory / PAGE * sizeof(entry)) == sizeof(entry));
	file = open("/proc/self/mem", O_RDWR);
	CHECK(file >= 0);
	CHECK(pread(file, &byte, 1, (uintptr_t)memory) == 1);
	CHECK(byte == memory[0]);
	CHECK(pwrite(file, &byte, 1, (uintptr_t)memory) == 1);
	CHECK(pread(file, &byte, 1, (uintptr_t)REGION + GIB) == -1);
	CHECK(pwrite(file, &byte, 1, (uintptr_t)REGION + GIB) == -1);
	CHECK(is_intact(memory));
}

static const struct guest_case cases[] = {
	{ "mmap over petmem memory", mmap_over },
	{ "mmap of the device", mmap_device },
	{ "munmap of a part", munmap_part },
	{ "munmap of the region, and petmem again", munmap_whole },
	{ "munmap of the region while sharing is broken",
	  munmap_in_the_middle },
	{ "munmap and mmap of more than the region", munmap_around },
	{ "mremap", moving },
	{ "mprotect", protecting },
	{ "pkey_mprotect", protecting_by_key },
	{ "madvise, all of it, and fork", advising },
	{ "MADV_KEEPONFORK and fork", kept_on_fork },
	{ "mlock and mlockall", locking },
	{ "msync, mincore, remap_file_pages, mbind", odd_calls },
	{ "process_vm_readv, vmsplice, pipes", pins_and_pipes },
	{ "O_DIRECT", direct_io },
	{ "userfaultfd", user_faults },
	{ "/proc/self", proc_files },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
