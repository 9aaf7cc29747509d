// SPDX-License-Identifier: GPL-2.0
/* commands.c - operations: the commands of petmem.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "operation.h"

#define SEED 0x5eed

uint32_t mode_flag(void)
{
	return is_native() ? PETMEM_MODE_NATIVE : 0;
}

static uint64_t alloc(struct side *side, uint64_t size, uint64_t flags)
{
	struct petmem_alloc request = {
		.size = size,
		.flags = flags | (is_native() ? PETMEM_ALLOC_NATIVE : 0),
	};
	int result = ioctl(device, PETMEM_IOC_ALLOC, &request);

	CHECK_STRICT(side, result == 0);
	return result ? 0 : request.addr;
}

static void release(struct side *side, uint64_t addr)
{
	struct petmem_free request = { .addr = addr };

	CHECK_STRICT(side, ioctl(device, PETMEM_IOC_FREE, &request) == 0);
}

static uint64_t size_draw(struct side *side)
{
	switch (draw(side, 8)) {
	case 0:
		return LARGE;
	case 1:
		return LARGE + PAGE;
	case 2:
		return GIB;
	default:
		return PAGE * (1 + draw(side, 64));
	}
}

void run_alloc(struct side *side)
{
	uint64_t *held = &side->held[draw(side, HELD)];
	uint64_t size = size_draw(side);
	uint64_t flags = draw(side, 2) ? PETMEM_ALLOC_GUARD : 0;

	/* Half of the calls free memory, so that the map has nodes to spare. */
	if (*held) {
		release(side, *held);
		*held = 0;
		return;
	}
	if (size < LARGE && draw(side, 4) == 0)
		flags |= PETMEM_ALLOC_POPULATE;
	*held = alloc(side, size, flags);
}

struct filling {
	char *memory;
	size_t size;
	bool was_zero;
	bool is_filled;
};

/* In a page table, these contents would be entries that lead anywhere. */
static void fill_memory(void *argument)
{
	struct filling *filling = argument;

	filling->was_zero = is_zero(filling->memory, filling->size);
	fill(filling->memory, filling->size, SEED);
	filling->is_filled = holds(filling->memory, filling->size, SEED);
}

void run_fill(struct side *side)
{
	struct filling filling = { .size = PAGE * (1 + draw(side, 64)) };

	filling.memory = (char *)alloc(side, filling.size, 0);
	if (!filling.memory)
		return;
	if (attempt(fill_memory, &filling))
		CHECK_STRICT(side, filling.was_zero && filling.is_filled);
	else
		CHECK(side->lenient);
	release(side, (uintptr_t)filling.memory);
}

/* Free the small pages of the scene and allocate new ones, mostly at the same place. */
void run_refree(struct side *side)
{
	if (!side->refreed)
		side->refreed = (uintptr_t)scene.small;
	release(side, side->refreed);
	side->refreed = alloc(side, SMALL_SLOTS * PAGE, 0);
	put(side, SPARSE_SLOTS + draw(side, SMALL_SLOTS));
}

void run_fault(struct side *side)
{
	struct petmem_fault fault = {
		.addr = (uintptr_t)slot_address(slot_draw(side)),
		.error_code = draw(side, 8),
	};

	CHECK_STRICT(side, ioctl(device, PETMEM_IOC_FAULT, &fault) == 0);
}

void run_touch(struct side *side)
{
	enum { TIMES = 8 };

	for (int i = 0; i < TIMES; i++) {
		size_t slot = slot_draw(side);

		look(side, slot);
		if (draw(side, 2))
			put(side, slot);
		look(side, slot);
	}
}

static int populate(uint64_t addr, uint64_t size)
{
	struct petmem_populate request = { .addr = addr, .size = size };

	return ioctl(device, PETMEM_IOC_POPULATE, &request);
}

void run_populate(struct side *side)
{
	uint64_t size = draw(side, 2) ? LARGE : PAGE * (1 + draw(side, 64));
	uint64_t addr = alloc(side, size, 0);

	if (addr) {
		CHECK_STRICT(side, populate(addr, size) == 0);
		release(side, addr);
	}
	CHECK_STRICT(side,
		     populate((uintptr_t)scene.small, SMALL_SLOTS * PAGE) == 0);
	CHECK_STRICT(side, populate((uintptr_t)scene.large,
				    LARGE_PAGES * LARGE) == 0);
}

/* A pool without a 1 GiB page gives smaller ones, up to the limit. */
void run_giant(struct side *side)
{
	enum { TIMES = 8 };
	uint64_t addr = alloc(side, GIB, 0);

	if (!addr)
		return;
	for (int i = 0; i < TIMES; i++)
		populate(addr, GIB);
	release(side, addr);
}

void run_mode(struct side *side)
{
	enum { AROUND_ORDERS = 5 };
	struct petmem_mode mode = {
		.flags = mode_flag() |
			 (draw(side, 2) ? PETMEM_MODE_SMALL_PAGES : 0),
		.fault_around = 1U << draw(side, AROUND_ORDERS),
	};

	CHECK_STRICT(side, ioctl(device, PETMEM_IOC_MODE, &mode) == 0);
}

static void unmap_region(struct side *side)
{
	if (draw(side, 4) == 0)
		mmap(REGION, PETMEM_REGION_SIZE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
		     -1, 0);
	munmap(REGION, PETMEM_REGION_SIZE);
}

/* A new region usually comes at once, so that others meet it instead of the old one. */
void run_unmap(struct side *side)
{
	struct petmem_mode mode = { .flags = mode_flag() };
	enum { TIMES = 4, PAUSE_MAX_US = 10000 };

	for (int i = 0; i < TIMES; i++) {
		unmap_region(side);
		ioctl(device, PETMEM_IOC_MODE, &mode);
		/* Others may have time to use the new region, or not. */
		usleep(draw(side, PAUSE_MAX_US));
	}
	scene_allocate();
	for (size_t slot = 0; slot < SLOTS; slot++)
		forget(side, slot);
	put(side, draw(side, SPARSE_SLOTS));
	put(side, SPARSE_SLOTS + draw(side, SMALL_SLOTS));
}

void run_walk(struct side *side)
{
	uint64_t addr = (uintptr_t)slot_address(slot_draw(side));
	struct petmem_walk way = { .addr = addr, .pid = side->process };
	struct petmem_span span = { .addr = addr, .pid = side->process };
	struct petmem_process_info info = { .pid = side->process };
	struct petmem_query query = { .addr = addr };

	ioctl(device, PETMEM_IOC_WALK, &way);
	ioctl(device, PETMEM_IOC_SPAN, &span);
	ioctl(device, PETMEM_IOC_PROCESS, &info);
	CHECK_STRICT(side, ioctl(device, PETMEM_IOC_QUERY, &query) == 0);
}

void run_dump(struct side *side)
{
	(void)side;
	ioctl(device, PETMEM_IOC_DUMP);
}

void run_invlpg(struct side *side)
{
	struct petmem_invlpg page = {
		.addr = (uintptr_t)slot_address(slot_draw(side)),
	};

	ioctl(device, PETMEM_IOC_INVLPG, &page);
}

void run_status(struct side *side)
{
	struct petmem_status status;
	struct petmem_block block = { .index = draw(side, 4) };
	struct petmem_counters counters;
	struct petmem_user_counts user = { .index = draw(side, 2) };
	struct petmem_run run = { .addr = 0 };

	CHECK(ioctl(device, PETMEM_IOC_STATUS, &status) == 0);
	if (ioctl(device, PETMEM_IOC_BLOCK, &block) == 0)
		run.addr = block.start + PAGE * draw(side, block.size / PAGE);
	ioctl(device, PETMEM_IOC_COUNTERS, &counters);
	ioctl(device, PETMEM_IOC_USER, &user);
	ioctl(device, PETMEM_IOC_RUN, &run);
}

void run_donate(struct side *side)
{
	struct petmem_block block = { .index = draw(side, 4) };
	struct petmem_extent extent;

	if (ioctl(device, PETMEM_IOC_BLOCK, &block) < 0)
		return;
	extent = (struct petmem_extent){ block.start, block.size };
	if (ioctl(device, PETMEM_IOC_RELEASE, &extent) == 0)
		CHECK(ioctl(device, PETMEM_IOC_DONATE, &extent) == 0);
}
