// SPDX-License-Identifier: GPL-2.0 OR MIT
/* walk.c - the path of an address through the page tables: `petmem walk'. */

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "device.h"
#include "walk.h"

/* Entries: Intel SDM volume 3A, section 4.5.4, tables 4-15 to 4-20. */
#define FRAME_MASK 0x000ffffffffff000ULL
#define BIT_LARGE 7 /* in a PTE: PAT, which selects caching */
#define BIT_SPECIAL 9 /* Linux's _PAGE_SPECIAL, in the entry of a page */
#define KEY_SHIFT 59
#define KEY_MASK 15

#define SHIFT_PTE 12
#define SHIFT_PMD 21
#define SHIFT_PUD 30
#define SHIFT_P4D 39

static const struct {
	unsigned int bit;
	const char *name;
} flags[] = {
	{ 0, "present" },	{ 1, "writable" }, { 2, "user" },
	{ 3, "write-through" }, { 4, "uncached" }, { 5, "accessed" },
	{ 6, "dirty" },		{ 8, "global" },   { 10, "uffd-wp" },
	{ 11, "soft-dirty" },	{ 52, "bit-52" },  { 53, "bit-53" },
	{ 54, "bit-54" },	{ 55, "bit-55" },  { 56, "bit-56" },
	{ 57, "bit-57" },	{ 58, "bit-58" },  { 63, "no-execute" },
};

static bool has_bit(uint64_t entry, unsigned int bit)
{
	return entry >> bit & 1;
}

static const char *level_name(const struct petmem_walk *walk, unsigned int i)
{
	if (!i)
		return "PGD";
	switch (walk->level[i].shift) {
	case SHIFT_PTE:
		return "PTE";
	case SHIFT_PMD:
		return "PMD";
	case SHIFT_PUD:
		return "PUD";
	case SHIFT_P4D:
		return "P4D";
	default:
		return "?";
	}
}

static void print_flags(const struct petmem_walk_level *level, uint64_t entry)
{
	bool page = level->kind == PETMEM_WALK_PAGE;
	size_t i;

	printf("%9s", "");
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (has_bit(entry, flags[i].bit))
			printf(" %s", flags[i].name);
	if (has_bit(entry, BIT_LARGE))
		printf(level->shift == SHIFT_PTE ? " pat" : " large");
	if (has_bit(entry, BIT_SPECIAL))
		printf(page ? " special" : " bit-9");
	if (page && entry >> KEY_SHIFT & KEY_MASK)
		printf(" key-%llu",
		       (unsigned long long)(entry >> KEY_SHIFT & KEY_MASK));
	printf("\n");
}

static const char *size_name(unsigned int shift)
{
	switch (shift) {
	case SHIFT_PTE:
		return "4 KiB";
	case SHIFT_PMD:
		return "2 MiB";
	case SHIFT_PUD:
		return "1 GiB";
	default:
		return "?";
	}
}

static void print_target(const struct petmem_walk_level *level)
{
	switch (level->kind) {
	case PETMEM_WALK_NONE:
		printf("nothing");
		break;
	case PETMEM_WALK_ABSENT:
		printf("not present: the rest of it is the kernel's");
		break;
	case PETMEM_WALK_TABLE:
		printf("a table");
		break;
	case PETMEM_WALK_PAGE:
		printf("a page of %s", size_name(level->shift));
		break;
	case PETMEM_WALK_EMPTY:
		printf("an empty table that all processes share");
		break;
	default:
		printf("a table that is not looked at");
	}
	if (level->refs)
		printf(", %u reference%s", level->refs,
		       level->refs > 1 ? "s" : "");
	printf("\n");
}

static void print_level(const struct petmem_walk *walk, unsigned int i)
{
	const struct petmem_walk_level *level = &walk->level[i];

	printf("%s[%3u]  0x%016llx  ", level_name(walk, i), level->index,
	       level->entry);
	print_target(level);
	if (level->entry && level->kind != PETMEM_WALK_ABSENT)
		print_flags(level, level->entry);
	if (level->user_entry) {
		printf("  user's  0x%016llx  its copy for user mode (page-table isolation)\n",
		       level->user_entry);
		print_flags(level, level->user_entry);
	}
}

static void print_end(const struct petmem_walk *walk)
{
	const struct petmem_walk_level *last = &walk->level[walk->nr - 1];
	uint64_t offset = walk->addr & ((1ULL << last->shift) - 1);
	uint64_t frame =
		last->entry & FRAME_MASK & ~((1ULL << last->shift) - 1);

	if (last->kind == PETMEM_WALK_UNKNOWN)
		printf("No mapping covers the address: Linux may be freeing the tables below.\n");
	else if (last->kind != PETMEM_WALK_PAGE)
		printf("It ends here: an access faults.\n");
	else if (!frame)
		printf("It ends in a page of %s; root may see where.\n",
		       size_name(last->shift));
	else
		printf("It ends at physical address 0x%llx.\n",
		       (unsigned long long)(frame | offset));
}

bool show_walk(int device, unsigned int pid, uint64_t addr)
{
	struct petmem_walk walk = { .addr = addr, .pid = pid };
	const char *whose = "in no mapping";
	unsigned int i;

	if (ioctl(device, PETMEM_IOC_WALK, &walk)) {
		if (errno == EPERM)
			warnx("process %u: only root may look at another process's page tables",
			      pid);
		else
			warn("process %u, address 0x%llx", pid, walk.addr);
		return false;
	}
	if (walk.flags & PETMEM_WALK_IN_MAPPING)
		whose = "Linux's";
	if (walk.flags & PETMEM_WALK_IN_PETMEM)
		whose = "petmem's";
	printf("process %u, address 0x%llx: %s\n", pid, walk.addr, whose);
	printf("CR3       0x%016llx\n", walk.root);
	for (i = 0; i < walk.nr; i++)
		print_level(&walk, i);
	print_end(&walk);
	if (!fflush(stdout))
		return true;
	warn("standard output");
	return false;
}
