// SPDX-License-Identifier: GPL-2.0
/*
 * seg.c - segments, which this kernel uses as little as the processor allows:
 * all cover the whole address space. One descriptor table serves all CPUs.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "x86.h"
#include "proc.h"
#include "defs.h"

/* Base 0, limit 4 GB, 32-bit; they differ in privilege and code or data. */
#define FLAT_KCODE	0x00cf9a000000ffffull
#define FLAT_KDATA	0x00cf92000000ffffull
#define FLAT_UCODE	0x00cffa000000ffffull
#define FLAT_UDATA	0x00cff2000000ffffull
#define TSS_AVAILABLE	0x0000890000000000ull

static unsigned long long gdt[SEL_TSS(NCPU) / 8] = {
	[SEL_KCODE / 8] = FLAT_KCODE,
	[SEL_KDATA / 8] = FLAT_KDATA,
	[SEL_UCODE / 8] = FLAT_UCODE,
	[SEL_UDATA / 8] = FLAT_UDATA,
};

/*
 * The descriptor of a TSS at @tss:
 *
 *	63     56       48     40             16         0
 *	+--------+------+------+---------------+----------+
 *	| base   | size | type | base          | size - 1 |
 *	| 31..24 | high |      | 23..0         | low      |
 *	+--------+------+------+---------------+----------+
 */
static unsigned long long tss_descriptor(const struct tss *tss)
{
	unsigned long long base = (uint)tss;

	return TSS_AVAILABLE | (base & 0xff000000) << 32 |
	       (base & 0x00ffffff) << 16 | (sizeof(*tss) - 1);
}

/* Set this CPU up as number @cpu. cpu_id() works from here on. */
void seg_init(int cpu)
{
	struct tss *tss = &cpus[cpu].tss;

	tss->ss0 = SEL_KDATA;
	tss->iomap = sizeof(*tss);	/* none: user mode gets no port */
	gdt[SEL_TSS(cpu) / 8] = tss_descriptor(tss);
	lgdt(gdt, sizeof(gdt));
	asm volatile("ljmp %0, $1f\n"
		     "1: movw %w1, %%ds\n"
		     "movw %w1, %%es\n"
		     "movw %w1, %%ss\n"
		     "movw %w2, %%fs\n"
		     "movw %w2, %%gs\n"
		     :
		     : "i"(SEL_KCODE), "r"(SEL_KDATA), "r"(0)
		     : "memory");
	ltr(SEL_TSS(cpu));
}

/* The kernel stack for the next trap from user mode on this CPU. */
void seg_set_kstack(char *top)
{
	this_cpu()->tss.esp0 = (uint)top;
}

/* Which CPU is this? 0 before seg_init(): the first one runs alone then. */
int cpu_id(void)
{
	ushort tr = str();

	return tr ? (tr - SEL_TSS(0)) / 8 : 0;
}

/* Context: interrupts are off, or the process might move to another CPU. */
struct cpu *this_cpu(void)
{
	return &cpus[cpu_id()];
}
