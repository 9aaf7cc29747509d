// SPDX-License-Identifier: GPL-2.0
/*
 * touch.c - actions: normal use of memory.
 *
 * Each word that is written holds its program's tag:
 *
 *    63              32 31               0
 *   +------------------+------------------+
 *   |  program.owner   |   its checksum   |
 *   +------------------+------------------+
 *
 * The tags show a page that comes from another program without being cleared, or that two
 * programs have at a time. A tag that has been overwritten in part is no longer a tag.
 */
#include <sys/ioctl.h>

#include "result.h"
#include "touch.h"

#define OWNER_SHIFT 32

static uint64_t tag_of(uint32_t owner)
{
	return (uint64_t)owner << OWNER_SHIFT |
	       (uint32_t)mix(owner, OWNER_SHIFT);
}

static uint64_t tag(void)
{
	return tag_of(program.owner);
}

static void look(const volatile uint64_t *word)
{
	uint64_t value = *word;

	if (value == tag_of(value >> OWNER_SHIFT) && value != tag())
		report(FOREIGN_DATA, program.seed);
}

/* A word of an allocation, or of the region's beginning if there is no allocation. */
static volatile uint64_t *word_draw(struct flow *flow)
{
	const struct allocation *a = allocation_draw(flow);
	uint64_t start = a->size ? a->start : PETMEM_REGION_START;
	uint64_t size = a->size ? a->size : PAGE;

	return (uint64_t *)(start + draw(flow, size) / 8 * 8);
}

void touch(struct flow *flow, const struct action *action)
{
	volatile uint64_t *word;

	for (uint64_t times = 1 + draw(flow, 16); times; times--) {
		word = word_draw(flow);
		look(word);
		if (one_in(flow, 2))
			*word = tag();
	}
	action_count(action, 0);
}

void touch_often(struct flow *flow, const struct action *action)
{
	enum { TIMES = 2000 };
	volatile uint64_t *word = word_draw(flow);
	bool writes = one_in(flow, 2);

	for (int i = 0; i < TIMES; i++) {
		look(word);
		if (writes)
			*word = tag();
	}
	action_count(action, 0);
}

void stray(struct flow *flow, const struct action *action)
{
	uint64_t address = address_draw(flow);

	switch (draw(flow, 4)) {
	case 0:
		((void (*)(void))address)();
		break;
	case 1:
		*(volatile char *)address = 1;
		break;
	case 2:
		__atomic_fetch_add((char *)address, 1, __ATOMIC_SEQ_CST);
		break;
	default:
		(void)*(volatile uint64_t *)address;
	}
	action_count(action, 0);
}

static void use_all(uint64_t start, uint64_t size)
{
	for (uint64_t at = start; at < start + size; at += PAGE) {
		look((uint64_t *)at);
		*(volatile uint64_t *)at = tag();
		look((uint64_t *)(at + PAGE - sizeof(uint64_t)));
	}
}

void work(struct flow *flow, const struct action *action)
{
	struct petmem_alloc request = { .size = PAGE * (1 + draw(flow, 32)) };
	struct petmem_free release;
	long outcome = ioctl(program.device, PETMEM_IOC_ALLOC, &request);

	action_count(action, outcome);
	if (outcome < 0)
		return;
	use_all(request.addr, request.size);
	release.addr = request.addr;
	ioctl(program.device, PETMEM_IOC_FREE, &release);
}

void touch_all(struct flow *flow, const struct action *action)
{
	const struct allocation *a = allocation_draw(flow);
	uint64_t size = a->size < 4 * MIB ? a->size : 4 * MIB;

	use_all(a->start, size);
	action_count(action, size ? 0 : -1);
}
