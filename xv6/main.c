// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the order in which the kernel comes to life.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "x86.h"
#include "multiboot.h"
#include "proc.h"
#include "vm.h"
#include "bio.h"
#include "defs.h"

extern char ap_begin[], ap_end[];	/* entryother.S */

char *ap_stack;			/* for the CPU that is just being started */
static int ap_running;		/* it has left ap_stack and AP_START alone */

/* A further CPU comes here from entryother.S, on a stack of its own. */
void ap_main(int cpu)
{
	seg_init(cpu);
	vm_use(NULL);
	trap_init_cpu();
	lapic_init();
	cpus[cpu].running = 1;
	__atomic_store_n(&ap_running, 1, __ATOMIC_RELEASE);
	schedule();
}

/* Start the other CPUs, one after the other. */
static void start_others(void)
{
	int cpu;

	memmove(P2V(AP_START), ap_begin, ap_end - ap_begin);
	for (cpu = 1; cpu < ncpu; cpu++) {
		char *stack = kalloc();
		uint *top = (uint *)(stack + PGSIZE);

		if (!stack)
			panic("no memory for the stack of cpu %d", cpu);
		*--top = cpu;	/* ap_main()'s argument */
		ap_stack = (char *)top;
		ap_running = 0;
		lapic_start_cpu(cpus[cpu].apic_id, AP_START);
		while (!__atomic_load_n(&ap_running, __ATOMIC_ACQUIRE))
			cpu_relax();
	}
}

/*
 * The first CPU comes here from entry.S. @magic and @info_pa are what the
 * loader left in eax and ebx.
 */
void kmain(uint magic, uint info_pa)
{
	seg_init(0);
	uart_init();
	if (magic != MB_LOADER_MAGIC)
		panic("not started by a Multiboot loader");
	kalloc_init(P2V(info_pa));
	vm_init();
	trap_init();
	trap_init_cpu();
	lapic_init();
	mp_init();
	cpus[0].running = 1;
	ioapic_init();
	uart_enable_input();
	bio_init();
	proc_init();
	kprintf("xv6: %d CPU%s, %d pages of %d bytes free\n", ncpu,
		ncpu == 1 ? "" : "s", kpages_left(), PGSIZE);
	start_others();
	schedule();
}
