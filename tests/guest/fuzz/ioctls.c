// SPDX-License-Identifier: GPL-2.0
/* ioctls.c - the commands of petmem.h, with arguments of every kind. */
#include <string.h>
#include <sys/ioctl.h>

#include "ioctls.h"
#include "result.h"

union argument {
	struct petmem_version version;
	struct petmem_alloc alloc;
	struct petmem_free free;
	struct petmem_query query;
	struct petmem_fault fault;
	struct petmem_mode mode;
	struct petmem_populate populate;
	struct petmem_invlpg invlpg;
	struct petmem_extent extent;
	struct petmem_status status;
	struct petmem_block block;
	struct petmem_counters counters;
	struct petmem_user_counts user;
	struct petmem_process_info process;
	struct petmem_walk walk;
	struct petmem_span span;
	struct petmem_run run;
	unsigned char bytes[256]; /* for commands that do not exist yet */
};

/* The size of an allocation: mostly some pages, now and then several tables. */
static uint64_t size_draw(struct flow *flow)
{
	uint64_t pages = 1 + draw(flow, 64);

	switch (draw(flow, 16)) {
	case 0:
		return length_draw(flow);
	case 1:
		return 2 * MIB * (1 + pages % 4) + PAGE * (pages % 3);
	case 2:
		return GIB + PAGE * pages;
	case 3:
		return pages;
	default:
		return PAGE * pages;
	}
}

static uint64_t align_draw(struct flow *flow)
{
	uint64_t power = 1ULL << draw(flow, 64);

	switch (draw(flow, 8)) {
	case 0:
		return power;
	case 1:
		return power - 1;
	case 2:
		return 2 * MIB;
	case 3:
		return GIB;
	default:
		return 0;
	}
}

/* 0, or sometimes a bit in a field that must be zero. */
static uint32_t reserved_draw(struct flow *flow)
{
	return one_in(flow, 16) ? 1U << draw(flow, 32) : 0;
}

static void fill_fault(struct flow *flow, struct petmem_fault *fault)
{
	fault->addr = address_draw(flow);
	fault->error_code =
		one_in(flow, 8) ? draw(flow, 1ULL << 32) : draw(flow, 8);
	fault->reserved = reserved_draw(flow);
}

/* A donated extent, or any other. */
static void fill_extent(struct flow *flow, struct petmem_extent *extent)
{
	struct petmem_block block = { .index = draw(flow, 4) };

	if (ioctl(program.device, PETMEM_IOC_BLOCK, &block) == 0) {
		extent->start = block.start;
		extent->size = block.size;
	}
	if (one_in(flow, 4))
		extent->start += length_draw(flow);
	if (one_in(flow, 4))
		extent->size = length_draw(flow);
}

/* The object of an inspection. An ordinary user may look only at his own process. */
static void fill_inspection(struct flow *flow, long command,
			    union argument *argument)
{
	switch (command) {
	case PETMEM_IOC_PROCESS:
		argument->process.pid = process_draw(flow);
		argument->process.flags = reserved_draw(flow);
		break;
	case PETMEM_IOC_WALK:
		argument->walk.addr = address_draw(flow);
		argument->walk.pid = process_draw(flow);
		argument->walk.flags = reserved_draw(flow);
		argument->walk.reserved = reserved_draw(flow);
		break;
	case PETMEM_IOC_SPAN:
		argument->span.addr = address_draw(flow);
		argument->span.pid = process_draw(flow);
		argument->span.kind = reserved_draw(flow);
		break;
	case PETMEM_IOC_RUN:
		fill_extent(flow, &argument->extent);
		argument->run.kind = reserved_draw(flow);
		argument->run.order = reserved_draw(flow);
		break;
	}
}

static void fill(struct flow *flow, long command, union argument *argument)
{
	for (size_t i = 0; i < sizeof(argument->bytes); i++)
		argument->bytes[i] = one_in(flow, 8) ? draw(flow, 256) : 0;
	switch (command) {
	case PETMEM_IOC_VERSION:
		argument->version.reserved = reserved_draw(flow);
		break;
	case PETMEM_IOC_ALLOC:
		argument->alloc.size = size_draw(flow);
		argument->alloc.align = align_draw(flow);
		argument->alloc.flags =
			one_in(flow, 4) ? draw(flow, 8) : reserved_draw(flow);
		break;
	case PETMEM_IOC_FAULT:
		fill_fault(flow, &argument->fault);
		break;
	case PETMEM_IOC_MODE:
		argument->mode.flags = draw(flow, 4);
		argument->mode.fault_around = one_in(flow, 8)
						      ? draw(flow, 2000)
						      : 1ULL << draw(flow, 10);
		break;
	case PETMEM_IOC_POPULATE:
		argument->populate.addr = address_draw(flow);
		argument->populate.size = length_draw(flow);
		break;
	case PETMEM_IOC_DONATE:
	case PETMEM_IOC_RELEASE:
		fill_extent(flow, &argument->extent);
		break;
	case PETMEM_IOC_BLOCK:
		argument->block.index = draw(flow, 8);
		break;
	case PETMEM_IOC_USER:
		argument->user.index = draw(flow, 4);
		break;
	case PETMEM_IOC_PROCESS:
	case PETMEM_IOC_WALK:
	case PETMEM_IOC_SPAN:
	case PETMEM_IOC_RUN:
		fill_inspection(flow, command, argument);
		break;
	default: /* the others begin with an address */
		argument->query.addr = address_draw(flow);
	}
}

/* Record allocations. Other flows may do so too: this is a guess. */
static void note_result(struct allocation *slot, long command, const void *at)
{
	const union argument *argument = at;

	switch (command) {
	case PETMEM_IOC_ALLOC:
		slot->start = argument->alloc.addr;
		slot->size = argument->alloc.size;
		break;
	case PETMEM_IOC_FREE:
		for (size_t i = 0; i < ALLOCATIONS; i++)
			if (program.allocations[i].start == argument->free.addr)
				program.allocations[i].size = 0;
		break;
	case PETMEM_IOC_DONATE:
	case PETMEM_IOC_RELEASE:
	case PETMEM_IOC_RUN:
		report(PRIVILEGE, program.seed);
		break;
	}
}

void run_ioctl(struct flow *flow, const struct action *action)
{
	struct allocation *slot = &program.allocations[draw(flow, ALLOCATIONS)];
	long command = action->number;
	union argument argument;
	long outcome;
	void *place;

	fill(flow, command, &argument);
	place = place_draw(flow, &argument, _IOC_SIZE(command));
	outcome = ioctl(program.device, command, place);
	action_count(action, outcome);
	if (outcome == 0)
		note_result(slot, command, place);
}

void unknown_ioctl(struct flow *flow, const struct action *action)
{
	static const unsigned int others[] = {
		_IO(0, 1), /* FIBMAP */
		_IO(0, 2), /* FIGETBSZ */
		_IO('f', 11), /* FS_IOC_FIEMAP, without its size */
		0,
		~0U,
	};
	unsigned int number = PETMEM_IOC_VERSION + draw(flow, 32);
	unsigned int command = number ^ 1U << draw(flow, 32);

	if (one_in(flow, 4))
		command = others[draw(flow, COUNT_OF(others))];
	action_count(action, ioctl(program.device, command, buffer_draw(flow)));
}
