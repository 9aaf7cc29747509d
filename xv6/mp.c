// SPDX-License-Identifier: GPL-2.0
/*
 * mp.c - which processors are there? The firmware leaves the answer in memory,
 * in the tables of the MultiProcessor Specification (version 1.4).
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "proc.h"
#include "defs.h"

/* The pointer to the table: at a multiple of 16 in one of three places. */
struct mp_pointer {
	char signature[4];	/* "_MP_" */
	uint table;		/* physical address; 0: there is none */
	uchar length;		/* in units of 16 bytes */
	uchar revision;
	uchar checksum;		/* makes the sum of all bytes 0 */
	uchar features[5];
};

struct mp_table {
	char signature[4];	/* "PCMP" */
	ushort length;		/* bytes, entries included */
	uchar revision;
	uchar checksum;
	char names[20];
	uint oem_table;
	ushort oem_length;
	ushort entries;		/* how many follow */
	uint lapic;
	ushort more_length;
	uchar more_checksum;
	uchar reserved;
};

struct mp_processor {
	uchar type;		/* MP_PROCESSOR */
	uchar apic_id;
	uchar version;
	uchar flags;
	uint signature;
	uint features;
	uint reserved[2];
};

#define MP_PROCESSOR		0	/* type; others are 8 bytes long */
#define MP_OTHER_SIZE		8
#define MP_ENABLED		0x1	/* flag: can be used */
#define MP_BOOT			0x2	/* flag: is the one that runs already */

#define BIOS_EBDA_SEGMENT	0x40e	/* a word here: segment of the EBDA */
#define BIOS_BASE_KB		0x413	/* a word here: KB of base memory */
#define BIOS_ROM		0xf0000
#define BIOS_ROM_SIZE		0x10000
#define KB			1024

static uchar sum(const void *start, uint n)
{
	const uchar *bytes = start;
	uchar total = 0;

	while (n-- > 0)
		total += bytes[n];
	return total;
}

static const struct mp_pointer *search(uint pa, uint n)
{
	const struct mp_pointer *p = P2V(pa), *end = P2V(pa + n);

	for (; p + 1 <= end; p++)
		if (memcmp(p->signature, "_MP_", 4) == 0 &&
		    sum(p, sizeof(*p)) == 0)
			return p;
	return NULL;
}

static const struct mp_table *find_table(void)
{
	uint ebda = *(const ushort *)P2V(BIOS_EBDA_SEGMENT) << 4;
	uint base_end = *(const ushort *)P2V(BIOS_BASE_KB) * KB;
	const struct mp_pointer *p = search(ebda, KB);
	const struct mp_table *table;

	if (!p)
		p = search(base_end - KB, KB);
	if (!p)
		p = search(BIOS_ROM, BIOS_ROM_SIZE);
	if (!p || p->table == 0 || p->table >= PHYSTOP - sizeof(*table))
		return NULL;
	table = P2V(p->table);
	if (memcmp(table->signature, "PCMP", 4) || sum(table, table->length))
		return NULL;
	return table;
}

/*
 * Fill in cpus[] and ncpu, the one that runs this first. Without a table there
 * is only that one. Context: the local APIC can be used.
 */
void mp_init(void)
{
	const struct mp_table *table = find_table();
	const uchar *entry = (const uchar *)(table + 1);
	int i;

	cpus[0].apic_id = lapic_id();
	for (i = 0; table && i < table->entries; i++) {
		const struct mp_processor *cpu = (const void *)entry;

		if (cpu->type != MP_PROCESSOR) {
			entry += MP_OTHER_SIZE;
			continue;
		}
		entry += sizeof(*cpu);
		if ((cpu->flags & (MP_ENABLED | MP_BOOT)) == MP_ENABLED &&
		    ncpu < NCPU)
			cpus[ncpu++].apic_id = cpu->apic_id;
	}
}
