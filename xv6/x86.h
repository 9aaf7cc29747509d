/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86.h - instructions that C has no words for.
 */
#ifndef X86_H
#define X86_H

static inline uchar inb(ushort port)
{
	uchar value;

	asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outb(ushort port, uchar value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline ushort inw(ushort port)
{
	ushort value;

	asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outw(ushort port, ushort value)
{
	asm volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

/* Load the page directory at physical address @pa: this empties the TLB. */
static inline void lcr3(uint pa)
{
	asm volatile("movl %0, %%cr3" : : "r"(pa) : "memory");
}

/* Forget what the TLB of this CPU knows about the page of @va. */
static inline void invlpg(uint va)
{
	asm volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* The address that the last page fault was about. */
static inline uint rcr2(void)
{
	uint va;

	asm volatile("movl %%cr2, %0" : "=r"(va));
	return va;
}

static inline uint read_eflags(void)
{
	uint flags;

	asm volatile("pushfl; popl %0" : "=r"(flags));
	return flags;
}

static inline void irq_disable(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void irq_enable(void)
{
	asm volatile("sti" : : : "memory");
}

/* Sleep until an interrupt comes; interrupts are enabled only meanwhile. */
static inline void wait_for_interrupt(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

/* Sleep; with interrupts off, for ever. */
static inline void halt(void)
{
	asm volatile("hlt");
}

static inline void cpu_relax(void)
{
	asm volatile("pause" : : : "memory");
}

/* What lgdt and lidt want: where a table is and its last byte's index. */
struct table_pointer {
	ushort limit;
	uint base;
} __attribute__((packed));

static inline void lgdt(const void *table, ushort size)
{
	struct table_pointer p = { size - 1, (uint)table };

	asm volatile("lgdt %0" : : "m"(p) : "memory");
}

static inline void lidt(const void *table, ushort size)
{
	struct table_pointer p = { size - 1, (uint)table };

	asm volatile("lidt %0" : : "m"(p) : "memory");
}

static inline void ltr(ushort selector)
{
	asm volatile("ltr %0" : : "r"(selector) : "memory");
}

/* The task register; 0 before ltr(). */
static inline ushort str(void)
{
	ushort selector;

	asm volatile("str %0" : "=r"(selector));
	return selector;
}

#endif
