// SPDX-License-Identifier: GPL-2.0
/* scene.c - the memory that all operations share, and its contents. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "operation.h"

/* The offset at which the words of a page end and its pattern begins. */
#define WORDS_SIZE (8 * sizeof(uint64_t))
#define WORD_FOR_CALLS SIDES

/*
 * A tag:
 *
 *    63    48 47        24 23  22           0
 *   +--------+------------+----+-------------+
 *   | MAGIC  |  scenario  |side| generation  |
 *   +--------+------------+----+-------------+
 */
#define MAGIC 0xb1c5ULL
#define MAGIC_SHIFT 48
#define SCENARIO_SHIFT 24
#define SIDE_SHIFT 23

/* After a write that faulted, a side does not know its word. */
#define UNKNOWN (~0ULL)

/* A pool of this size has room for a 1 GiB page here, and for others that come and go. */
#define POOL_FOR_GIANTS (9 * GIB / 4)

struct scene scene;

/* ---- Faults ---- */

static __thread volatile sig_atomic_t guarded;
static __thread sigjmp_buf escape;

static void handle_fault(int signal, siginfo_t *info, void *context)
{
	struct sigaction action = { .sa_handler = SIG_DFL };

	(void)info;
	(void)context;
	if (guarded)
		siglongjmp(escape, 1);
	sigaction(signal, &action, NULL);
}

bool attempt(void (*body)(void *argument), void *argument)
{
	if (sigsetjmp(escape, 1)) {
		guarded = 0;
		return false;
	}
	guarded = 1;
	body(argument);
	guarded = 0;
	return true;
}

/* ---- The words ---- */

char *slot_address(size_t slot)
{
	if (slot < SPARSE_SLOTS)
		return scene.sparse + slot * LARGE;
	slot -= SPARSE_SLOTS;
	if (slot < SMALL_SLOTS)
		return scene.small + slot * PAGE;
	slot -= SMALL_SLOTS;
	if (slot < LARGE_SLOTS)
		return scene.large + slot * (LARGE_PAGES * LARGE / LARGE_SLOTS);
	slot -= LARGE_SLOTS;
	return scene.giant + slot * (GIB / GIANT_SLOTS);
}

static size_t slots(void)
{
	return scene.giant ? SLOTS : SLOTS - GIANT_SLOTS;
}

/* All kinds of slots are equally likely. */
size_t slot_draw(struct side *side)
{
	switch (draw(side, scene.giant ? 4 : 3)) {
	case 0:
		return draw(side, SPARSE_SLOTS);
	case 1:
		return SPARSE_SLOTS + draw(side, SMALL_SLOTS);
	case 2:
		return SPARSE_SLOTS + SMALL_SLOTS + draw(side, LARGE_SLOTS);
	default:
		return SLOTS - GIANT_SLOTS + draw(side, GIANT_SLOTS);
	}
}

uint64_t *word_for_calls(struct side *side, size_t slot)
{
	return (uint64_t *)slot_address(slot) + WORD_FOR_CALLS + side->number;
}

static uint64_t tag_base(struct side *side)
{
	return MAGIC << MAGIC_SHIFT |
	       (uint64_t)scene.scenario << SCENARIO_SHIFT |
	       (uint64_t)side->number << SIDE_SHIFT;
}

static bool is_foreign(struct side *side, uint64_t value)
{
	return value >> MAGIC_SHIFT == MAGIC &&
	       value >> SIDE_SHIFT != tag_base(side) >> SIDE_SHIFT;
}

struct visit {
	volatile uint64_t *word;
	uint64_t value;
	size_t slot;
	bool has_pattern;
};

static void read_word(void *argument)
{
	struct visit *visit = argument;

	visit->value = *visit->word;
}

static void write_word(void *argument)
{
	const struct visit *visit = argument;

	*visit->word = visit->value;
}

static void read_pattern(void *argument)
{
	struct visit *visit = argument;
	char *pattern = slot_address(visit->slot) + WORDS_SIZE;
	size_t size = PAGE - WORDS_SIZE;

	visit->has_pattern = holds(pattern, size, visit->slot);
}

static _Noreturn void fail_word(struct side *side, size_t slot, uint64_t value)
{
	printf("# slot %zu, side %u: %#" PRIx64 ", was written as %#" PRIx64
	       "\n",
	       slot, side->number, value, side->last[slot]);
	fail_case(__FILE__, __LINE__, "the word is as it was written");
}

void look(struct side *side, size_t slot)
{
	struct visit visit = {
		.word = (uint64_t *)slot_address(slot) + side->number,
		.slot = slot,
	};

	if (!attempt(read_word, &visit)) {
		CHECK(side->lenient);
		return;
	}
	if (is_foreign(side, visit.value) ||
	    (!side->lenient && side->last[slot] != UNKNOWN &&
	     visit.value != side->last[slot]))
		fail_word(side, slot, visit.value);
	if (attempt(read_pattern, &visit))
		CHECK_STRICT(side, visit.has_pattern);
	else
		CHECK(side->lenient);
}

void put(struct side *side, size_t slot)
{
	struct visit visit = {
		.word = (uint64_t *)slot_address(slot) + side->number,
		.value = tag_base(side) | draw(side, 1U << SIDE_SHIFT),
	};

	if (attempt(write_word, &visit)) {
		side->last[slot] = visit.value;
		return;
	}
	CHECK(side->lenient);
	side->last[slot] = UNKNOWN;
}

void forget(struct side *side, size_t slot)
{
	side->last[slot] = UNKNOWN;
}

/* ---- Making the scene ---- */

static char *allocate(size_t size, bool large)
{
	struct petmem_mode mode = {
		.flags = mode_flag() | (large ? 0 : PETMEM_MODE_SMALL_PAGES),
	};
	struct petmem_alloc request = { .size = size, .align = LARGE };

	/* Another thread may unmap the region meanwhile. */
	if (ioctl(device, PETMEM_IOC_MODE, &mode) < 0 ||
	    ioctl(device, PETMEM_IOC_ALLOC, &request) < 0)
		return NULL;
	return (char *)request.addr;
}

void scene_allocate(void)
{
	allocate(SPARSE_SLOTS * LARGE, false);
	allocate(SMALL_SLOTS * PAGE, false);
	allocate(LARGE_PAGES * LARGE, true);
}

static void fill_slots(size_t first, size_t end)
{
	for (size_t slot = first; slot < end; slot++)
		fill(slot_address(slot) + WORDS_SIZE, PAGE - WORDS_SIZE, slot);
}

static void make_small(void)
{
	scene.sparse = allocate(SPARSE_SLOTS * LARGE, false);
	scene.small = allocate(SMALL_SLOTS * PAGE, false);
	CHECK(scene.sparse && scene.small);
	fill_slots(0, SPARSE_SLOTS + SMALL_SLOTS);
}

void scene_make(void)
{
	struct sigaction action = {
		.sa_sigaction = handle_fault,
		.sa_flags = SA_SIGINFO,
	};

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	CHECK(init_petmem() == 0);
	make_small();
	scene.large = allocate(LARGE_PAGES * LARGE, true);
	CHECK(scene.large);
	if (pool_status().free_pages * PAGE >= POOL_FOR_GIANTS) {
		scene.giant = allocate(GIB, true);
		CHECK(scene.giant);
		CHECK(pet_populate(scene.giant, GIB) == 0);
	}
	fill_slots(SPARSE_SLOTS + SMALL_SLOTS, slots());
}
