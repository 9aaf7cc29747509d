// SPDX-License-Identifier: GPL-2.0
/* bad_input.c - wrong arguments get the right errno, and change nothing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define NOBODY 65534

/* The call has to fail with exactly this errno. */
#define FAILS(error, call) \
	CHECK(((errno = 0), (call) == -1 && errno == (error)))

static int alloc(int device, uint64_t size, uint64_t align, uint64_t flags)
{
	struct petmem_alloc request = { size, align, 0, flags };

	return ioctl(device, PETMEM_IOC_ALLOC, &request);
}

static int extent(int device, unsigned long command, uint64_t start,
		  uint64_t size)
{
	struct petmem_extent request = { start, size };

	return ioctl(device, command, &request);
}

static const unsigned int commands[] = {
	PETMEM_IOC_VERSION,  PETMEM_IOC_ALLOC,	  PETMEM_IOC_FREE,
	PETMEM_IOC_QUERY,    PETMEM_IOC_FAULT,	  PETMEM_IOC_INVLPG,
	PETMEM_IOC_DUMP,     PETMEM_IOC_DONATE,	  PETMEM_IOC_RELEASE,
	PETMEM_IOC_STATUS,   PETMEM_IOC_BLOCK,	  PETMEM_IOC_MODE,
	PETMEM_IOC_POPULATE, PETMEM_IOC_COUNTERS, PETMEM_IOC_USER,
	PETMEM_IOC_PROCESS,  PETMEM_IOC_WALK,	  PETMEM_IOC_SPAN,
	PETMEM_IOC_RUN,
};

static bool is_command(unsigned int number)
{
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		if (commands[i] == number)
			return true;
	return false;
}

static void unknown_commands(void)
{
	int device = open_device();

	FAILS(ENOTTY, ioctl(device, 0, 0));
	FAILS(ENOTTY, ioctl(device, _IO('P', 0xdf), 0));
	FAILS(ENOTTY, ioctl(device, _IO('P', 0xff), 0));
}

/* The number of a command, with one bit of its size, direction, type or place changed. */
static void almost_commands(void)
{
	int device = open_device();
	unsigned int number;

	for (size_t i = 0; i < COUNT_OF(commands); i++)
		for (unsigned int bit = 0; bit < 32; bit++) {
			number = commands[i] ^ 1U << bit;
			if (!is_command(number))
				FAILS(ENOTTY, ioctl(device, number, 0));
		}
}

static void bad_pointers(void)
{
	static char *const pointers[] = { NULL, (char *)1, (char *)-1, REGION,
					  (char *)(1UL << 63) };
	int device = open_device();

	for (size_t i = 0; i < COUNT_OF(commands); i++)
		for (size_t j = 0; j < COUNT_OF(pointers); j++)
			if (commands[i] != PETMEM_IOC_DUMP)
				FAILS(EFAULT,
				      ioctl(device, commands[i], pointers[j]));
}

/* An allocation whose address cannot be returned is freed again. */
static void result_not_writable(void)
{
	struct petmem_alloc request = { .size = 5 * PAGE };
	struct petmem_query query = { .addr = PETMEM_REGION_START };
	int device = open_device();
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	memcpy(page, &request, sizeof(request));
	CHECK(mprotect(page, PAGE, PROT_READ) == 0);
	FAILS(EFAULT, ioctl(device, PETMEM_IOC_ALLOC, page));
	FAILS(ENOENT, ioctl(device, PETMEM_IOC_QUERY, &query));
}

static void reserved_fields(void)
{
	struct petmem_version version = { .reserved = 1 };
	struct petmem_fault fault = { .reserved = 1 };
	struct petmem_mode mode = { .flags = PETMEM_MODE_SMALL_PAGES << 1 };
	int device = open_device();

	FAILS(EINVAL, ioctl(device, PETMEM_IOC_VERSION, &version));
	FAILS(EINVAL, ioctl(device, PETMEM_IOC_FAULT, &fault));
	FAILS(EINVAL, ioctl(device, PETMEM_IOC_MODE, &mode));
	FAILS(EINVAL, alloc(device, PAGE, 0, PETMEM_ALLOC_POPULATE << 1));
}

static void sizes(void)
{
	int device = open_device();

	FAILS(EINVAL, alloc(device, 0, 0, 0));
	FAILS(EINVAL, alloc(device, PAGE, 3, 0));
	FAILS(EINVAL, alloc(device, PAGE, 3 * PAGE, 0));
	FAILS(ENOMEM, alloc(device, PETMEM_REGION_SIZE + 1, 0, 0));
	FAILS(ENOMEM, alloc(device, (uint64_t)1 << 60, 0, 0));
	FAILS(ENOMEM, alloc(device, UINT64_MAX, 0, 0));
	FAILS(ENOMEM, alloc(device, UINT64_MAX - PAGE + 2, 0, 0));
	FAILS(ENOMEM, alloc(device, PAGE, (uint64_t)1 << 63, 0));
	CHECK(alloc(device, PETMEM_REGION_SIZE, 0, 0) == 0);
	FAILS(ENOMEM, alloc(device, 1, 0, 0));
}

static void addresses(void)
{
	static const uint64_t outside[] = {
		0,
		PAGE,
		PETMEM_REGION_START - 1,
		PETMEM_REGION_END,
		(uint64_t)1 << 47,
		UINT64_MAX,
	};
	int device = open_device();

	CHECK(alloc(device, 2 * PAGE, 0, 0) == 0);
	for (size_t i = 0; i < COUNT_OF(outside); i++) {
		struct petmem_fault fault = { .addr = outside[i] };
		struct petmem_free free = { .addr = outside[i] };
		struct petmem_query query = { .addr = outside[i] };
		struct petmem_invlpg invlpg = { .addr = outside[i] };

		FAILS(EFAULT, ioctl(device, PETMEM_IOC_FAULT, &fault));
		FAILS(EINVAL, ioctl(device, PETMEM_IOC_FREE, &free));
		FAILS(ENOENT, ioctl(device, PETMEM_IOC_QUERY, &query));
		FAILS(EINVAL, ioctl(device, PETMEM_IOC_INVLPG, &invlpg));
	}
}

static void faults_not_allowed(void)
{
	int device = open_device();
	struct petmem_fault fault = { .addr = PETMEM_REGION_START };

	CHECK(alloc(device, PAGE, 0, 0) == 0);
	for (int bit = 3; bit < 32; bit++) {
		fault.error_code = 1U << bit;
		FAILS(EACCES, ioctl(device, PETMEM_IOC_FAULT, &fault));
	}
	fault.addr += PAGE;
	fault.error_code = PETMEM_FAULT_WRITE | PETMEM_FAULT_USER;
	FAILS(EFAULT, ioctl(device, PETMEM_IOC_FAULT, &fault));
}

static int populate(int device, uint64_t addr, uint64_t size)
{
	struct petmem_populate request = { addr, size };

	return ioctl(device, PETMEM_IOC_POPULATE, &request);
}

static void ranges_to_populate(void)
{
	uint64_t start = PETMEM_REGION_START;
	int device = open_device();

	FAILS(EFAULT, populate(device, start, PAGE));
	CHECK(alloc(device, 3 * PAGE, 0, 0) == 0);
	CHECK(alloc(device, 3 * PAGE, 0, 0) == 0);
	FAILS(EINVAL, populate(device, start, 0));
	FAILS(EFAULT, populate(device, start, 3 * PAGE + 1));
	FAILS(EFAULT, populate(device, start + PAGE, UINT64_MAX));
	FAILS(EFAULT, populate(device, start - 1, 2));
	FAILS(EFAULT, populate(device, 0, PAGE));
	FAILS(EFAULT, populate(device, UINT64_MAX, 1));
	CHECK(pool_status().data_pages == 0);
	CHECK(populate(device, start + PAGE - 1, 2) == 0);
	CHECK(pool_status().data_pages == 2);
	CHECK(populate(device, start, 3 * PAGE) == 0);
	CHECK(pool_status().data_pages == 3);
}

static void donations(void)
{
	struct petmem_status status = pool_status();
	struct petmem_block block = { 0 };
	uint64_t unit = status.block_size;
	int device = open_device();

	if (status.total_pages == 0)
		skip_case("no memory is donated");
	CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	FAILS(EINVAL, extent(device, PETMEM_IOC_DONATE, block.start, 0));
	FAILS(EINVAL,
	      extent(device, PETMEM_IOC_DONATE, block.start + PAGE, unit));
	FAILS(EINVAL, extent(device, PETMEM_IOC_DONATE, block.start, PAGE));
	FAILS(EINVAL, extent(device, PETMEM_IOC_DONATE, -unit, 2 * unit));
	FAILS(EINVAL, extent(device, PETMEM_IOC_DONATE, unit, -unit));
	FAILS(EINVAL,
	      extent(device, PETMEM_IOC_DONATE, (uint64_t)1 << 62, unit));
	/* Below 4 GiB there are devices, and the BIOS is in the first block. */
	FAILS(EINVAL, extent(device, PETMEM_IOC_DONATE, 0xf8000000, unit));
	FAILS(EINVAL, extent(device, PETMEM_IOC_DONATE, 0, unit));
	/* This block is near the kernel, and online. */
	FAILS(EBUSY, extent(device, PETMEM_IOC_DONATE, unit, unit));
	FAILS(EEXIST,
	      extent(device, PETMEM_IOC_DONATE, block.start, block.size));
	FAILS(ENOENT, extent(device, PETMEM_IOC_RELEASE, block.start, PAGE));
	FAILS(ENOENT, extent(device, PETMEM_IOC_RELEASE, 0, unit));
	block.index = status.blocks;
	FAILS(ENOENT, ioctl(device, PETMEM_IOC_BLOCK, &block));
	block.index = UINT32_MAX;
	FAILS(ENOENT, ioctl(device, PETMEM_IOC_BLOCK, &block));
}

static void ordinary_user(void)
{
	struct petmem_block block = { 0 };
	struct petmem_status status;
	int device = open_device();

	CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	FAILS(EPERM,
	      extent(device, PETMEM_IOC_DONATE, block.start, block.size));
	FAILS(EPERM,
	      extent(device, PETMEM_IOC_RELEASE, block.start, block.size));
	/* Everything else is allowed to anybody who may open the device. */
	CHECK(alloc(device, PAGE, 0, 0) == 0);
	CHECK(ioctl(device, PETMEM_IOC_STATUS, &status) == 0);
	CHECK(status.total_pages > 0);
}

static void opening(void)
{
	FAILS(EINVAL, open(PETMEM_DEVICE, O_RDONLY));
	FAILS(EINVAL, open(PETMEM_DEVICE, O_WRONLY));
}

static void little_address_space(void)
{
	struct rlimit limit = { GIB, GIB };
	int device = open_device();

	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	FAILS(ENOMEM, alloc(device, PAGE, 0, 0));
}

static void region_occupied(void)
{
	int device = open_device();

	CHECK(mmap(REGION + GIB, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		   0) == REGION + GIB);
	REGION[GIB] = 1;
	FAILS(EEXIST, alloc(device, PAGE, 0, 0));
	CHECK(REGION[GIB] == 1);
	CHECK(munmap(REGION + GIB, PAGE) == 0);
	CHECK(alloc(device, PAGE, 0, 0) == 0);
}

static const struct guest_case cases[] = {
	{ "unknown commands", unknown_commands },
	{ "all but one bit of a command's number", almost_commands },
	{ "bad pointers", bad_pointers },
	{ "a result that cannot be written", result_not_writable },
	{ "reserved fields", reserved_fields },
	{ "sizes and alignments", sizes },
	{ "addresses outside of the region", addresses },
	{ "accesses that are not allowed", faults_not_allowed },
	{ "ranges to populate", ranges_to_populate },
	{ "donations and releases", donations },
	{ "an ordinary user", ordinary_user },
	{ "opening without reading and writing", opening },
	{ "a small address space", little_address_space },
	{ "an occupied region", region_occupied },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
