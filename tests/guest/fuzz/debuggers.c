// SPDX-License-Identifier: GPL-2.0
/* debuggers.c - actions: petmem memory as others see it, by ptrace and /proc. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "debuggers.h"

#define CHILD_STEPS 16

static pid_t child_with_steps(struct flow *flow)
{
	pid_t child = flow_fork(flow);

	if (child == 0) {
		flow_run(flow, mix(flow->seed, flow->step), CHILD_STEPS);
		_exit(0);
	}
	return child;
}

static int open_of(pid_t process, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", process, name);
	return open(path, flags | O_CLOEXEC);
}

/* Use a process's memory by /proc and process_vm_*, at an address that it shares. */
static void use_memory_of(struct flow *flow, pid_t process)
{
	char buffer[2 * PAGE];
	uint64_t address = address_draw(flow);
	size_t size = 1 + draw(flow, sizeof(buffer));
	struct iovec local = { buffer, size };
	struct iovec remote = { (void *)address, size };
	int memory = open_of(process, "mem", O_RDWR);

	if (memory >= 0 && pread(memory, buffer, size, address) > 0)
		(void)!pwrite(memory, buffer, size, address);
	if (memory >= 0)
		close(memory);
	if (process_vm_readv(process, &local, 1, &remote, 1, 0) > 0)
		process_vm_writev(process, &local, 1, &remote, 1, 0);
}

/* Get its registers, into memory that the kernel may not be able to write. */
static void get_registers(struct flow *flow, pid_t process)
{
	struct iovec set = { (void *)buffer_draw(flow), PAGE };

	syscall(SYS_ptrace, PTRACE_GETREGSET, process, NT_PRSTATUS, &set);
	syscall(SYS_ptrace, PTRACE_GETREGSET, process, NT_PRSTATUS,
		place_draw(flow, &set, sizeof(set)));
}

static void debug_stopped(struct flow *flow, pid_t child)
{
	enum { TIMES = 8 };

	for (int i = 0; i < TIMES; i++) {
		uint64_t address = address_draw(flow);
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, child, address, NULL);
		if (one_in(flow, 2))
			ptrace(PTRACE_POKEDATA, child, address, word);
		use_memory_of(flow, child);
	}
	get_registers(flow, child);
}

void debug_child(struct flow *flow, const struct action *action)
{
	pid_t child = child_with_steps(flow);
	bool kills = one_in(flow, 2);
	int status;

	if (child < 0)
		return;
	action_count(action, ptrace(PTRACE_ATTACH, child, NULL, NULL));
	if (waitpid(child, &status, __WALL) == child && WIFSTOPPED(status)) {
		debug_stopped(flow, child);
		if (kills)
			kill(child, SIGKILL);
		ptrace(PTRACE_DETACH, child, NULL, NULL);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, __WALL);
}

static const char *const names[] = { "maps",	  "smaps",    "smaps_rollup",
				     "numa_maps", "pagemap",  "status",
				     "statm",	  "map_files" };

/* Read some of a file; of pagemap, perhaps the entries of an address. */
static void read_some(struct flow *flow, int file, uint64_t address)
{
	enum { READS_MAX = 16 };
	char buffer[PAGE];

	lseek(file, address / PAGE * sizeof(uint64_t) * draw(flow, 2),
	      SEEK_SET);
	for (int i = 0; i < READS_MAX; i++)
		if (read(file, buffer, sizeof(buffer)) <= 0)
			break;
}

void watch_child_die(struct flow *flow, const struct action *action)
{
	const char *name = names[draw(flow, COUNT_OF(names))];
	pid_t child = child_with_steps(flow);
	int file = open_of(child, name, O_RDONLY);

	action_count(action, file);
	if (child < 0)
		return;
	if (one_in(flow, 2))
		kill(child, SIGKILL);
	if (file >= 0) {
		read_some(flow, file, address_draw(flow));
		close(file);
	}
	use_memory_of(flow, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

void read_proc(struct flow *flow, const struct action *action)
{
	const char *name = names[draw(flow, COUNT_OF(names))];
	pid_t process = process_draw(flow);
	int file = open_of(process, name, O_RDONLY);

	action_count(action, file);
	if (file < 0)
		return;
	read_some(flow, file, address_draw(flow));
	close(file);
	use_memory_of(flow, process);
}

/*
 * The child has no petmem memory itself: its own tables must not keep alive those of the
 * process that it looks at.
 */
void keep_reading(struct flow *flow, const struct action *action)
{
	enum { TIMES = 40 };
	const char *name = names[draw(flow, COUNT_OF(names))];
	uint64_t address = address_draw(flow);
	pid_t process = getpid();
	pid_t child = flow_fork(flow);

	action_count(action, child);
	if (child != 0)
		return;
	munmap((void *)PETMEM_REGION_START, PETMEM_REGION_SIZE);
	for (int i = 0; i < TIMES; i++) {
		int file = open_of(process, name, O_RDONLY);

		if (file < 0)
			break;
		read_some(flow, file, address);
		close(file);
	}
	_exit(0);
}

/* struct pm_scan_arg, PAGEMAP_SCAN: Linux 6.7. */
#define SCAN_WORDS 12
#define SCAN _IOWR('f', 16, uint64_t[SCAN_WORDS])

void scan_pages(struct flow *flow, const struct action *action)
{
	enum { FLAGS = 8, CATEGORIES = 512 };
	uint64_t start = address_draw(flow);
	uint64_t scan[SCAN_WORDS] = {
		sizeof(scan),
		draw(flow, FLAGS),
		start,
		start + length_draw(flow),
		0,
		buffer_draw(flow),
		draw(flow, FLAGS),
		draw(flow, FLAGS),
		draw(flow, CATEGORIES),
		draw(flow, CATEGORIES),
		draw(flow, CATEGORIES),
		draw(flow, CATEGORIES),
	};
	int file = open_of(process_draw(flow), "pagemap", O_RDONLY);

	if (file < 0)
		return;
	action_count(action,
		     ioctl(file, SCAN, place_draw(flow, scan, sizeof(scan))));
	close(file);
}

void clear_references(struct flow *flow, const struct action *action)
{
	char what = '1' + draw(flow, 5);
	int file = open_of(process_draw(flow), "clear_refs", O_WRONLY);

	if (file < 0)
		return;
	action_count(action, write(file, &what, sizeof(what)));
	close(file);
}
