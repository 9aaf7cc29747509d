/* SPDX-License-Identifier: GPL-2.0 */
/*
 * view.h - the contents that a process should see in petmem memory.
 *
 * The model is ordinary memory, which Linux copies at fork. So each member of a family
 * has its own model, without the other members' writes.
 */
#ifndef VIEW_H
#define VIEW_H

#include "guest.h"

enum { VIEW_MAX = 512 };

/* Seeds of different writers are far enough apart for all pages of a view. */
#define SEEDS UINT64_C(1000)

static struct {
	char *page[VIEW_MAX];
	uint64_t seed[VIEW_MAX]; /* 0: never written */
	size_t count;
} view;

static inline void view_write(size_t i, uint64_t seed)
{
	fill(view.page[i], PAGE, seed);
	view.seed[i] = seed;
}

/* Watch one more page, not yet written. */
static inline void view_add(char *page)
{
	CHECK(view.count < VIEW_MAX);
	view.page[view.count] = page;
	view.seed[view.count++] = 0;
}

static inline void view_add_pages(char *memory, size_t count)
{
	for (size_t i = 0; i < count; i++)
		view_add(memory + i * PAGE);
}

static inline void view_write_all(uint64_t seed)
{
	for (size_t i = 0; i < view.count; i++)
		view_write(i, seed + i);
}

static inline void view_check(void)
{
	for (size_t i = 0; i < view.count; i++) {
		if (view.seed[i])
			CHECK(holds(view.page[i], PAGE, view.seed[i]));
		else
			CHECK(is_zero(view.page[i], PAGE));
	}
}

/* The order between a parent and a child. */
static struct gate to_child, to_parent;

static inline void open_gates(void)
{
	to_child = new_gate();
	to_parent = new_gate();
}

/* ---- For a child ---- */

static inline void write_second(void *argument)
{
	await(&to_child);
	view_check();
	view_write_all(2 * SEEDS);
	view_check();
	pass(&to_parent);
	await(&to_child);
	view_check();
	(void)argument;
}

static inline void check_when_told(void *argument)
{
	await(&to_child);
	view_check();
	(void)argument;
}

#endif /* VIEW_H */
