// SPDX-License-Identifier: GPL-2.0
/* maps.c - actions: mappings of the whole region, and around it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "maps.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static void *region_at(uint64_t offset)
{
	return (void *)(PETMEM_REGION_START + offset);
}

void map_region(struct flow *flow, const struct action *action)
{
	uint64_t size = PETMEM_REGION_SIZE;
	uint64_t start = 0;
	int protection = one_in(flow, 2) ? PROT_NONE : draw(flow, 8);
	int flags = MAP_SHARED | (one_in(flow, 2) ? MAP_FIXED : 0);

	if (one_in(flow, 4))
		flags = MAP_PRIVATE | MAP_FIXED;
	if (one_in(flow, 4))
		start = PAGE * draw(flow, 3) - PAGE;
	if (one_in(flow, 4))
		size = length_draw(flow);
	action_count(action,
		     (long)mmap(region_at(start), size, protection, flags,
				program.device, one_in(flow, 8) ? PAGE : 0));
}

void unmap_region(struct flow *flow, const struct action *action)
{
	uint64_t before = one_in(flow, 3) ? GIB : 0;
	uint64_t behind = one_in(flow, 3) ? GIB : 0;
	uint64_t size = PETMEM_REGION_SIZE + before + behind;
	void *start = region_at(-before);

	if (one_in(flow, 3)) {
		action_count(action,
			     (long)mmap(start, size, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS |
						MAP_FIXED | MAP_NORESERVE,
					-1, 0));
	} else {
		action_count(action, munmap(start, size));
	}
	/* Otherwise this program cannot use petmem any more. */
	if (!one_in(flow, 8))
		munmap(start, size);
}

void grow_into_region(struct flow *flow, const struct action *action)
{
	uint64_t end = PETMEM_REGION_SIZE + GIB;
	uint64_t offset = one_in(flow, 2) ? PETMEM_REGION_SIZE : -PAGE;
	char *stack = mmap(region_at(offset), PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN |
				   MAP_FIXED_NOREPLACE,
			   -1, 0);

	action_count(action, stack == MAP_FAILED ? -1 : 0);
	if (stack == MAP_FAILED)
		return;
	stack[0] = 1;
	if (one_in(flow, 2))
		mremap(stack, PAGE, PAGE * (1 + draw(flow, 4)), 0);
	else
		stack[-(long)draw(flow, end - PETMEM_REGION_SIZE)] = 1;
}

void attach_shared_memory(struct flow *flow, const struct action *action)
{
	int id = shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0600);
	void *address = (void *)address_draw(flow);
	void *memory;

	if (id < 0)
		return;
	memory = shmat(id, address, one_in(flow, 2) ? SHM_REMAP : SHM_RND);
	shmctl(id, IPC_RMID, NULL);
	action_count(action, memory == (void *)-1 ? -1 : 0);
	shmdt(one_in(flow, 2) ? memory : address);
}

static void register_faults(struct flow *flow, const struct action *action,
			    int fd)
{
	struct uffdio_register range = {
		.range = { address_draw(flow), length_draw(flow) },
		.mode = draw(flow, 8),
	};

	action_count(action, ioctl(fd, UFFDIO_REGISTER, &range));
}

/* None, one, or some; the kernel refuses those that it does not know. */
static uint64_t features_draw(struct flow *flow)
{
	enum { FEATURES = 18 };
	uint64_t feature = 1ULL << draw(flow, FEATURES);

	switch (draw(flow, 4)) {
	case 0:
		return 0;
	case 1:
		return feature | 1ULL << draw(flow, FEATURES);
	default:
		return feature;
	}
}

/* Copy or make pages in several ways, between a range and scratch memory. */
void user_faults(struct flow *flow, const struct action *action)
{
	struct uffdio_api api = { .api = UFFD_API,
				  .features = features_draw(flow) };
	struct uffdio_copy copy = {
		.dst = address_draw(flow),
		.src = buffer_draw(flow),
		.len = PAGE * draw(flow, 4),
		.mode = draw(flow, 4),
	};
	struct uffdio_zeropage zero = {
		.range = { copy.dst, copy.len },
		.mode = draw(flow, 2),
	};
	int fd = syscall(SYS_userfaultfd,
			 O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	if (fd < 0)
		return;
	if (ioctl(fd, UFFDIO_API, &api) < 0) {
		api.features = 0;
		ioctl(fd, UFFDIO_API, &api);
	}
	register_faults(flow, action, fd);
	ioctl(fd, UFFDIO_COPY, &copy);
	ioctl(fd, UFFDIO_ZEROPAGE, &zero);
	/* Try the rest of its commands, known and not: each begins with a range. */
	for (unsigned int number = 0; number < 0x10; number++) {
		struct uffdio_copy request = copy;

		ioctl(fd,
		      _IOC(draw(flow, 4), UFFDIO, number,
			   8 * (1 + draw(flow, sizeof(request) / 8))),
		      &request);
	}
	close(fd);
}
