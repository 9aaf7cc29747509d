// SPDX-License-Identifier: GPL-2.0
/*
 * machines.c - petmem's memory in a virtual machine (KVM).
 *
 * This needs a kernel with KVM: tests/check has vm/run load it. Linux before 6.13 does not
 * give such memory to a virtual machine. Newer ones do, and petmem has to take it away
 * again when it is shared, copied or freed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

/* The machine's addresses of its code and of petmem's page. */
#define CODE_AT 0x1000
#define PAGE_AT 0x2000

/* mov [PAGE_AT], al; mov al, [PAGE_AT]; hlt; and again */
static const unsigned char code[] = {
	0xa2,	      PAGE_AT & 0xff, PAGE_AT >> 8, 0xa0, PAGE_AT & 0xff,
	PAGE_AT >> 8, 0xf4,	      0xeb,	    0xf7,
};

struct machine {
	int vm;
	int cpu;
	struct kvm_run *run;
};

static void give(const struct machine *machine, uint32_t slot, uint64_t at,
		 void *memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = at,
		.memory_size = PAGE,
		.userspace_addr = (uintptr_t)memory,
	};

	CHECK(ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0);
}

static int kvm;

static void need_kvm(void)
{
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		skip_case("the kernel makes no virtual machines");
}

static struct machine new_machine(void *page)
{
	struct kvm_sregs sregs;
	struct machine machine;
	void *memory;

	machine.vm = ioctl(kvm, KVM_CREATE_VM, 0);
	CHECK(machine.vm >= 0);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	memcpy(memory, code, sizeof(code));
	give(&machine, 0, CODE_AT, memory);
	give(&machine, 1, PAGE_AT, page);

	machine.cpu = ioctl(machine.vm, KVM_CREATE_VCPU, 0);
	CHECK(machine.cpu >= 0);
	machine.run = mmap(NULL, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
			   PROT_READ | PROT_WRITE, MAP_SHARED, machine.cpu, 0);
	CHECK(machine.run != MAP_FAILED);
	CHECK(ioctl(machine.cpu, KVM_GET_SREGS, &sregs) == 0);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	sregs.ds.base = 0;
	sregs.ds.selector = 0;
	CHECK(ioctl(machine.cpu, KVM_SET_SREGS, &sregs) == 0);
	return machine;
}

/* Let the machine write @value to the page. Returns what it reads then, or -1. */
static int write_and_read(const struct machine *machine, unsigned char value)
{
	struct kvm_regs regs = { .rip = CODE_AT, .rax = value, .rflags = 2 };

	CHECK(ioctl(machine->cpu, KVM_SET_REGS, &regs) == 0);
	if (ioctl(machine->cpu, KVM_RUN, 0) ||
	    machine->run->exit_reason != KVM_EXIT_HLT)
		return -1;
	CHECK(ioctl(machine->cpu, KVM_GET_REGS, &regs) == 0);
	return regs.rax & 0xff;
}

/* Does Linux let the machine have the page? */
static bool has(const struct machine *machine, const char *page)
{
	bool has = write_and_read(machine, 1) == 1;

	CHECK(page[0] == (has ? 1 : 0));
	return has;
}

struct sharing {
	struct gate looks;
	struct gate looked;
	char *page;
	int expected;
};

static void look_later(void *argument)
{
	struct sharing *sharing = argument;

	await(&sharing->looks);
	CHECK(sharing->page[0] == sharing->expected);
	pass(&sharing->looked);
}

/*
 * The child's contents stay as they were, whatever the machine may still do: while the
 * page is shared, and after the parent has got a copy.
 */
static void keeps_from_child(struct machine machine, char *page)
{
	struct sharing sharing = { new_gate(), new_gate(), page, page[0] };
	pid_t child = spawn(look_later, &sharing);

	if (write_and_read(&machine, 2) == 2)
		CHECK(page[0] == 2);
	page[0] = 3;
	CHECK(write_and_read(&machine, 4) != 4 || page[0] == 4);
	pass(&sharing.looks);
	await(&sharing.looked);
	join(child);
}

static char *new_page(void)
{
	char *page;

	need_kvm();
	connect_petmem();
	page = must_malloc(PAGE);
	page[0] = 0;
	return page;
}

static void made_before_fork(void)
{
	char *page = new_page();
	struct machine machine = new_machine(page);

	if (!has(&machine, page))
		return;
	keeps_from_child(machine, page);
}

static void child_of_machine(void *argument)
{
	char *page = argument;
	char old = page[0];
	struct machine machine = new_machine(page);

	(void)write_and_read(&machine, 5);
	page[0] = 6;
	CHECK(write_and_read(&machine, 7) != 7 || page[0] == 7);
	CHECK(old == 1);
}

static void made_after_fork(void)
{
	char *page = new_page();

	page[0] = 1;
	join(spawn(child_of_machine, page));
	CHECK(page[0] == 1);
}

static void gone_after_free(void)
{
	char *page = new_page();
	struct machine machine = new_machine(page);

	(void)has(&machine, page);
	pet_free(page);
	CHECK(write_and_read(&machine, 8) == -1);
}

/* ---- munmap() in the middle of a copy ---- */

static int device;
static char *shared;

/* The number of pages that are copied, one after the other. */
enum { COPIES = 16 };

/* Make the requests of a SIGSEGV handler, until there is no region. */
static void *write_faults(void *argument)
{
	struct petmem_fault fault = {
		.error_code = PETMEM_FAULT_PRESENT | PETMEM_FAULT_WRITE |
			      PETMEM_FAULT_USER,
	};

	for (size_t i = 0; i < COPIES; i++) {
		fault.addr = (uintptr_t)shared + i * PAGE;
		if (ioctl(device, PETMEM_IOC_FAULT, &fault) != 0)
			CHECK(errno == EFAULT);
	}
	return argument;
}

/* Write the last page first: the others then share no table. */
static void unmap_beside_copies(uint64_t *random)
{
	enum { COPYING_MAX_US = 4000 };
	pthread_t thread;
	pid_t child;

	shared = must_malloc((COPIES + 1) * PAGE);
	for (size_t i = 0; i <= COPIES; i++)
		shared[i * PAGE] = 1;
	child = spawn(wait_to_be_killed, NULL);
	shared[COPIES * PAGE] = 2;
	CHECK(pthread_create(&thread, NULL, write_faults, NULL) == 0);
	usleep(random_below(random, COPYING_MAX_US));
	CHECK(munmap(REGION, PETMEM_REGION_SIZE) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	kill(child, SIGKILL);
	status_of(child);
}

/* A machine without memory is notified of copies, too. */
static void unmapped_while_told(void)
{
	uint64_t random = 4711;

	need_kvm();
	CHECK(ioctl(kvm, KVM_CREATE_VM, 0) >= 0);
	connect_petmem();
	device = open_device();
	for (unsigned int i = 0; i < rounds(300); i++)
		unmap_beside_copies(&random);
}

static const struct guest_case cases[] = {
	{ "a virtual machine from before a fork does not write to the child's memory",
	  made_before_fork },
	{ "nor does one from after the fork", made_after_fork },
	{ "a page that was freed is taken from the virtual machine",
	  gone_after_free },
	{ "the region is unmapped while a virtual machine is told of a copy",
	  unmapped_while_told },
};

int main(void)
{
	return run_cases(cases, COUNT_OF(cases));
}
