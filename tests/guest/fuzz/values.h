/* SPDX-License-Identifier: GPL-2.0 */
/*
 * values.h - arguments for calls: those that work, those at a limit, and those that
 * nobody should pass.
 */
#ifndef FUZZ_VALUES_H
#define FUZZ_VALUES_H

#include "program.h"

enum value_kind {
	VALUE_CONSTANT, /* detail itself; 0 if it is left out of a list */
	VALUE_ADDRESS, /* mostly of petmem's region, mostly of a page */
	VALUE_BUFFER, /* the same, and often with a page behind it */
	VALUE_LENGTH, /* mostly of whole pages */
	VALUE_BYTES, /* for a read or write */
	VALUE_DESCRIPTOR,
	VALUE_PROCESS, /* the own process, its parent, a relative, or 0 */
	VALUE_BITS, /* some of detail's bits */
	VALUE_BELOW, /* a number below detail */
	VALUE_IOVEC, /* an array of two, in ordinary or petmem memory */
};

struct value {
	enum value_kind kind;
	uint64_t detail;
};

/* Short forms for the table in actions.c. */
#define IS(number)                       \
	{                                \
		VALUE_CONSTANT, (number) \
	}
#define ADDRESS                  \
	{                        \
		VALUE_ADDRESS, 0 \
	}
#define BUFFER                  \
	{                       \
		VALUE_BUFFER, 0 \
	}
#define LENGTH                  \
	{                       \
		VALUE_LENGTH, 0 \
	}
#define BYTES                  \
	{                      \
		VALUE_BYTES, 0 \
	}
#define FD                          \
	{                           \
		VALUE_DESCRIPTOR, 0 \
	}
#define PROCESS                  \
	{                        \
		VALUE_PROCESS, 0 \
	}
#define BITS(mask)                 \
	{                          \
		VALUE_BITS, (mask) \
	}
#define BELOW(limit)                 \
	{                            \
		VALUE_BELOW, (limit) \
	}
#define IOVEC                  \
	{                      \
		VALUE_IOVEC, 0 \
	}

uint64_t value_draw(struct flow *flow, struct value value);

/* One of the program's allocations; its size is 0 if there is none. */
struct allocation *allocation_draw(struct flow *flow);

pid_t process_draw(struct flow *flow);

uint64_t petmem_address_draw(struct flow *flow);
uint64_t address_draw(struct flow *flow);
uint64_t length_draw(struct flow *flow);
uint64_t buffer_draw(struct flow *flow);

/*
 * A place for an argument of @size bytes with @content: mostly a good one that holds the
 * content, otherwise one that is half present, read-only, petmem's, or nowhere.
 */
void *place_draw(struct flow *flow, const void *content, size_t size);

#endif /* FUZZ_VALUES_H */
