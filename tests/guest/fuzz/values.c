// SPDX-License-Identifier: GPL-2.0
/* values.c - arguments for calls. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "descriptors.h"
#include "values.h"

/* Addresses that belong to nobody or to the kernel, or are not canonical. */
static const uint64_t wild[] = {
	0,
	1,
	PAGE,
	0x7ffffffff000, /* the end of user space, 4 levels */
	0x800000000000,
	0xfffffffffff000, /* 5 levels */
	0x8000000000000000,
	0xffff888000000000, /* the direct map */
	0xffffffff81000000, /* the kernel's text */
	0xffffffffff600000, /* vsyscall */
	-PAGE,
	-1ULL,
};

static const uint64_t region_edges[] = {
	PETMEM_REGION_START - PAGE, PETMEM_REGION_START,
	PETMEM_REGION_START + 1,    PETMEM_REGION_START + 2 * MIB,
	PETMEM_REGION_START + GIB,  PETMEM_REGION_START + GIB - PAGE,
	PETMEM_REGION_END - PAGE,   PETMEM_REGION_END - 1,
	PETMEM_REGION_END,
};

static const uint64_t lengths[] = {
	0,
	1,
	PAGE - 1,
	PAGE,
	PAGE,
	PAGE + 1,
	2 * PAGE,
	16 * PAGE,
	2 * MIB,
	GIB,
	PETMEM_REGION_SIZE,
	PETMEM_REGION_SIZE - PAGE,
	PETMEM_REGION_SIZE + PAGE,
	2 * PETMEM_REGION_SIZE,
	1ULL << 47,
	1ULL << 63,
	-PAGE,
	-1ULL,
};

struct allocation *allocation_draw(struct flow *flow)
{
	size_t first = draw(flow, ALLOCATIONS);

	for (size_t i = 0; i < ALLOCATIONS; i++) {
		size_t at = (first + i) % ALLOCATIONS;

		if (program.allocations[at].size)
			return &program.allocations[at];
	}
	return &program.allocations[first];
}

uint64_t petmem_address_draw(struct flow *flow)
{
	const struct allocation *a = allocation_draw(flow);
	uint64_t inside = draw(flow, a->size ? a->size : 1);

	switch (draw(flow, 16)) {
	case 0 ... 4:
		return a->start;
	case 5 ... 8:
		return a->start + inside / PAGE * PAGE;
	case 9:
		return a->start + inside;
	case 10:
		return a->start + inside / 8 * 8;
	case 11:
		return a->start + a->size - 1 - draw(flow, PAGE);
	case 12:
		return a->start + a->size;
	case 13:
		return PETMEM_REGION_START +
		       draw(flow, PETMEM_REGION_SIZE / PAGE) * PAGE;
	default:
		return region_edges[draw(flow, COUNT_OF(region_edges))];
	}
}

uint64_t address_draw(struct flow *flow)
{
	uint64_t address = petmem_address_draw(flow);
	uint64_t scratch = draw(flow, SCRATCH_SIZE / PAGE) * PAGE;

	switch (draw(flow, 16)) {
	case 0:
		address = wild[draw(flow, COUNT_OF(wild))];
		break;
	case 1 ... 2:
		address = (uintptr_t)SCRATCH + scratch;
		break;
	}
	flow->last_address = address;
	return address;
}

/* Half of the time, the length that belongs to the last address drawn. */
uint64_t length_draw(struct flow *flow)
{
	uint64_t length = lengths[draw(flow, COUNT_OF(lengths))];

	if (one_in(flow, 2))
		return length;
	if (flow->last_address == PETMEM_REGION_START)
		return PETMEM_REGION_SIZE;
	for (size_t i = 0; i < ALLOCATIONS; i++)
		if (program.allocations[i].start == flow->last_address &&
		    program.allocations[i].size)
			return program.allocations[i].size;
	return (1 + length % 8) * PAGE;
}

uint64_t buffer_draw(struct flow *flow)
{
	uint64_t address = address_draw(flow);

	if (one_in(flow, 2))
		resolve_fault(address, PETMEM_FAULT_USER | PETMEM_FAULT_WRITE);
	return address;
}

static uint64_t bytes_draw(struct flow *flow)
{
	static const uint64_t bytes[] = { 0,	 1,	     8,	       64,
					  1000,	 PAGE,	     PAGE + 1, 3 * PAGE,
					  65536, 1ULL << 31, -1ULL };

	return bytes[draw(flow, COUNT_OF(bytes))];
}

pid_t process_draw(struct flow *flow)
{
	switch (draw(flow, 8)) {
	case 0:
		return 0;
	case 1:
		return getppid();
	case 2 ... 4:
		return program.relatives[draw(flow, RELATIVES)];
	default:
		return getpid();
	}
}

static uint64_t iovec_draw(struct flow *flow)
{
	struct iovec vector[2] = {
		{ (void *)buffer_draw(flow), bytes_draw(flow) },
		{ (void *)buffer_draw(flow), bytes_draw(flow) },
	};

	return (uintptr_t)place_draw(flow, vector, sizeof(vector));
}

void *place_draw(struct flow *flow, const void *content, size_t size)
{
	uint64_t writable = (uintptr_t)SCRATCH + draw(flow, 16) * PAGE;
	uint64_t offset = draw(flow, 64) * sizeof(uint64_t);
	uint64_t petmem = petmem_address_draw(flow);
	uint64_t nowhere = wild[draw(flow, COUNT_OF(wild))];
	uint64_t read_only = (uintptr_t)SCRATCH + SCRATCH_WRITABLE;
	uint64_t end = read_only + SCRATCH_READABLE;

	switch (draw(flow, 24)) {
	case 0:
		return (void *)nowhere;
	case 1:
		return (void *)(read_only - size / 2); /* half to write */
	case 2:
		return (void *)(end - size / 2); /* half to read */
	case 3:
		return (void *)petmem; /* as it is: touched, or not */
	case 4 ... 5:
		writable = petmem;
		break;
	case 6:
		writable += PAGE - size / 2; /* across pages, unaligned */
		break;
	default:
		writable += offset;
		break;
	}
	memcpy((void *)writable, content, size);
	return (void *)writable;
}

uint64_t value_draw(struct flow *flow, struct value value)
{
	switch (value.kind) {
	case VALUE_ADDRESS:
		return address_draw(flow);
	case VALUE_BUFFER:
		return buffer_draw(flow);
	case VALUE_LENGTH:
		return length_draw(flow);
	case VALUE_BYTES:
		return bytes_draw(flow);
	case VALUE_DESCRIPTOR:
		return descriptor_draw(flow);
	case VALUE_PROCESS:
		return process_draw(flow);
	case VALUE_BITS:
		return value.detail & random_next(&flow->random) &
		       (one_in(flow, 2) ? -1ULL : random_next(&flow->random));
	case VALUE_BELOW:
		return draw(flow, value.detail);
	case VALUE_IOVEC:
		return iovec_draw(flow);
	case VALUE_CONSTANT:
		break;
	}
	return value.detail;
}
