// SPDX-License-Identifier: GPL-2.0
/* donation.c - memory that goes to petmem and comes back. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define MEGABYTE 1048576

/* Processes that end within a second or two: more than DEAD_MAX of process.c. */
#define ENDING 200

static struct petmem_block first_block(void)
{
	struct petmem_block block = { 0 };
	int device;

	if (pool_status().blocks == 0)
		skip_case("no memory is donated");
	device = open_device();
	CHECK(ioctl(device, PETMEM_IOC_BLOCK, &block) == 0);
	/* An open descriptor would prevent rmmod. */
	close(device);
	return block;
}

static uint64_t donated_megabytes(void)
{
	return pool_status().total_pages * PAGE / MEGABYTE;
}

/* Run the tool with one or two arguments; the result is its exit status. */
static int petmem(const char *arguments)
{
	char command[100];
	int status;

	snprintf(command, sizeof(command), "petmem %s >/dev/null 2>&1",
		 arguments);
	status = system(command);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A donated range is one block, and has its size. */
static void state_path(char *path, size_t size,
		       const struct petmem_block *block)
{
	snprintf(path, size, "/sys/devices/system/memory/memory%llu/state",
		 block->start / block->size);
}

static bool is_offline(const struct petmem_block *block)
{
	char path[100], state[16] = "";
	int file;

	state_path(path, sizeof(path), block);
	file = open(path, O_RDONLY);
	CHECK(file >= 0 && read(file, state, sizeof(state) - 1) > 0);
	close(file);
	return strcmp(state, "offline\n") == 0;
}

/*
 * Memory in use stays petmem's and keeps its bytes, whoever wants it online. EINVAL means
 * that Linux refused before it touched any of it, even its struct pages. The module's
 * notifier is asked later, and would give EBUSY.
 */
static void cannot_go_online(void)
{
	static const char *const ways[] = { "online", "online_kernel",
					    "online_movable" };
	struct petmem_block block = first_block();
	size_t size = 16 * MIB;
	char path[100];
	char *memory;

	connect_petmem();
	memory = must_malloc(size);
	fill(memory, size, 9);
	state_path(path, sizeof(path), &block);
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		CHECK(write_file(path, ways[i]) == -1 && errno == EINVAL);
		CHECK(is_offline(&block));
	}
	/* Taking it offline would be the first step to unplug it. */
	CHECK(write_file(path, "offline") == -1 && errno == EPERM);
	CHECK(is_offline(&block));
	CHECK(holds(memory, size, 9));
}

static void in_use(void)
{
	struct petmem_status before = pool_status();
	struct petmem_block block = first_block();
	size_t size = before.free_pages * PAGE / 100 * 99;
	struct petmem_extent extent = { block.start, block.size };
	char *memory;

	connect_petmem();
	memory = must_malloc(size);
	CHECK(pet_populate(memory, size) == 0);
	CHECK(ioctl(open_device(), PETMEM_IOC_RELEASE, &extent) == -1 &&
	      errno == EBUSY);
	CHECK(petmem("--release") != 0);
	CHECK(pool_status().total_pages == before.total_pages);
}

static void release_and_donate(void)
{
	struct petmem_status before = pool_status();
	struct petmem_block block = first_block();
	char amount[20];

	for (int i = 0; i < 3; i++) {
		snprintf(amount, sizeof(amount), "%llu",
			 (unsigned long long)donated_megabytes());
		CHECK(petmem("--release") == 0);
		CHECK(pool_status().total_pages == 0 && !is_offline(&block));
		CHECK(petmem(amount) == 0);
		CHECK(pool_status().total_pages == before.total_pages);
	}
	connect_petmem();
	CHECK(is_zero(must_malloc(MIB), MIB));
}

static void touch_some(void *unused)
{
	(void)unused;
	connect_petmem();
	memset(must_malloc(MIB), 1, MIB);
}

/* Pages that are free but in the list of a processor do not keep a block. */
static void listed_pages(void)
{
	enum { BLOCKS = 64 };
	struct petmem_extent extents[BLOCKS];
	int device, nr = 0;

	set_clearing(false);
	(void)first_block();
	device = open_device();
	for (struct petmem_block block = { 0 };
	     nr < BLOCKS && ioctl(device, PETMEM_IOC_BLOCK, &block) == 0;
	     block = (struct petmem_block){ .index = (unsigned int)nr })
		extents[nr++] =
			(struct petmem_extent){ block.start, block.size };
	join(spawn(touch_some, NULL));
	for (int i = 0; i < nr; i++) {
		CHECK(ioctl(device, PETMEM_IOC_RELEASE, &extents[i]) == 0);
		CHECK(ioctl(device, PETMEM_IOC_DONATE, &extents[i]) == 0);
	}
	close(device);
	set_clearing(true);
}

static void one_block_more(void)
{
	struct petmem_status before = pool_status();

	CHECK(petmem("1") == 0);
	CHECK(pool_status().total_pages ==
	      before.total_pages + before.block_size / PAGE);
	CHECK(petmem("--release 1") == 0);
	CHECK(pool_status().total_pages == before.total_pages);
}

static void too_much(void)
{
	struct petmem_status before = pool_status();

	CHECK(petmem("100000000") == 1);
	CHECK(pool_status().total_pages == before.total_pages);
}

/* The image of a hibernation would not hold the donated memory. */
static void hibernation(void)
{
	static const char path[] = "/sys/power/state";
	char states[64] = "";
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0 || read(file, states, sizeof(states) - 1) < 0 ||
	    !strstr(states, "disk"))
		skip_case("this kernel cannot hibernate");
	CHECK(write_file(path, "disk") == -1);
	CHECK(errno == EBUSY);
}

static void use_and_await(void *gate)
{
	connect_petmem();
	must_malloc(PAGE);
	await(gate);
}

static void end_many(void)
{
	struct gate gate = new_gate();
	pid_t children[ENDING];

	for (size_t i = 0; i < ENDING; i++)
		children[i] = spawn(use_and_await, &gate);
	for (size_t i = 0; i < ENDING; i++)
		pass(&gate);
	for (size_t i = 0; i < ENDING; i++)
		join(children[i]);
}

/* Unloading frees the remains of processes that have just ended. */
static void unloading(void)
{
	struct petmem_status before = pool_status();
	struct petmem_block block = first_block();
	char amount[20];

	snprintf(amount, sizeof(amount), "%llu",
		 (unsigned long long)donated_megabytes());
	/* Refused: memory is donated. */
	CHECK(syscall(SYS_delete_module, "petmem", O_NONBLOCK) == -1);
	CHECK(petmem("--release") == 0);
	end_many();
	CHECK(syscall(SYS_delete_module, "petmem", O_NONBLOCK) == 0);
	CHECK(access(PETMEM_DEVICE, F_OK) == -1 && !is_offline(&block));
	CHECK(system("insmod " MODULE_FILE) == 0);
	CHECK(petmem(amount) == 0);
	CHECK(pool_status().total_pages == before.total_pages);
}

static const struct guest_case cases[] = {
	{ "a donated block cannot go online", cannot_go_online },
	{ "a block in use cannot be released", in_use },
	{ "release, then donate again", release_and_donate },
	{ "pages in the list of a processor", listed_pages },
	{ "one block more, and back", one_block_more },
	{ "more than there is", too_much },
	{ "no hibernation", hibernation },
	{ "rmmod, and insmod again", unloading },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
