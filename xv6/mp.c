// SPDX-License-Identifier: GPL-2.0
/*
 * mp.c - which processors are there? The firmware leaves the answer in memory,
 * in a chain of ACPI tables: a pointer at a known place (RSDP) leads to a list
 * of tables (RSDT), and one of them lists the interrupt controllers (MADT),
 * among them each processor's local APIC.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "proc.h"
#include "defs.h"

/* The RSDP is at a multiple of 16 in one of two places. */
struct root_pointer {
	char signature[8];	/* "RSD PTR " */
	uchar checksum;		/* makes the sum of all bytes 0 */
	char oem[6];
	uchar revision;
	uint list;		/* physical address of the RSDT */
};

_Static_assert(sizeof(struct root_pointer) == 20, "ACPI defines this layout");

#define ROOT_POINTER_ALIGN	16

/* All tables start like this. */
struct table {
	char signature[4];
	uint length;		/* bytes, this included */
	uchar revision;
	uchar checksum;
	char oem[26];
	uint words[];		/* RSDT: physical addresses of tables */
};

_Static_assert(sizeof(struct table) == 36, "ACPI defines this layout");

/* After two words of the MADT there are entries like this, of any length. */
struct controller {
	uchar type;
	uchar length;
	uchar processor;
	uchar apic_id;		/* this and the next: if type is LOCAL_APIC */
	uint flags;
};

#define MADT_WORDS	2
#define LOCAL_APIC	0
#define ENABLED		0x1	/* flag: the processor can be used */

#define BIOS_EBDA_SEGMENT	0x40e	/* a word here: segment of the EBDA */
#define EBDA_SIZE		0x400
#define BIOS_ROM		0xe0000
#define BIOS_ROM_SIZE		0x20000

static uchar sum(const void *start, uint n)
{
	const uchar *bytes = start;
	uchar total = 0;

	while (n-- > 0)
		total += bytes[n];
	return total;
}

static const struct root_pointer *search(uint pa, uint n)
{
	const struct root_pointer *root;
	uint end = pa + n;

	for (; pa < end; pa += ROOT_POINTER_ALIGN) {
		root = P2V(pa);
		if (memcmp(root->signature, "RSD PTR ", 8) == 0 &&
		    sum(root, sizeof(*root)) == 0)
			return root;
	}
	return NULL;
}

/* The table at @pa if it is called @signature and can be reached. */
static const struct table *table_at(uint pa, const char *signature)
{
	const struct table *table = P2V(pa);

	if (pa > FIRMWARE_END - sizeof(*table) ||
	    memcmp(table->signature, signature, 4) ||
	    table->length > FIRMWARE_END - pa || sum(table, table->length))
		return NULL;
	return table;
}

static const struct table *find_madt(void)
{
	uint ebda = *(const ushort *)P2V(BIOS_EBDA_SEGMENT) << 4;
	const struct root_pointer *root = search(ebda, EBDA_SIZE);
	const struct table *list, *madt;
	uint i;

	if (!root)
		root = search(BIOS_ROM, BIOS_ROM_SIZE);
	list = root ? table_at(root->list, "RSDT") : NULL;
	if (!list)
		return NULL;
	for (i = 0; i < (list->length - sizeof(*list)) / sizeof(uint); i++) {
		madt = table_at(list->words[i], "APIC");
		if (madt)
			return madt;
	}
	return NULL;
}

static void add_cpu(const struct controller *c)
{
	if (c->type != LOCAL_APIC || !(c->flags & ENABLED))
		return;
	if (c->apic_id != cpus[0].apic_id && ncpu < NCPU)
		cpus[ncpu++].apic_id = c->apic_id;
}

/*
 * Fill in cpus[] and ncpu, the CPU that runs this first. If the tables cannot
 * be found there is only that one. Context: the local APIC can be used.
 */
void mp_init(void)
{
	const struct table *madt = find_madt();
	const char *at, *end;

	cpus[0].apic_id = lapic_id();
	if (!madt)
		return;
	at = (const char *)&madt->words[MADT_WORDS];
	end = (const char *)madt + madt->length;
	while (at < end) {
		const struct controller *c = (const void *)at;

		if (c->length == 0)
			return;
		add_cpu(c);
		at += c->length;
	}
}
