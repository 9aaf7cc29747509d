// SPDX-License-Identifier: GPL-2.0
/*
 * exec.c - replace a process's program. The new address space is made next to
 * the old one; only when nothing can go wrong any more the old one goes.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "elf.h"
#include "file.h"
#include "proc.h"
#include "vm.h"
#include "mmap.h"
#include "defs.h"

/* A program on its way into memory. */
struct image {
	pde_t *dir;
	uint end;	/* of the user memory so far */
	uint entry;	/* first instruction */
	uint sp;	/* first stack pointer */
};

/* Read @n bytes of @ip into address space @dir at @va, page-aligned. */
static int read_into(pde_t *dir, uint va, struct inode *ip, uint offset, uint n)
{
	uint done, part;

	for (done = 0; done < n; done += part) {
		part = n - done < PGSIZE ? n - done : PGSIZE;
		if (inode_read(ip, vm_page(dir, va + done), offset + done,
			       part) != part)
			return -1;
	}
	return 0;
}

/*
 * Add a segment. It must start on a page of its own, which is neither page 0
 * nor the kernel's, and come after the ones before.
 */
static int load_segment(struct image *image, struct inode *ip,
			const struct elf_segment *segment)
{
	uint start = segment->vaddr, end = start + segment->memsz;

	if (start < USERBASE || start < image->end || start % PGSIZE)
		return -1;
	if (end < start || end > KERNBASE - PGSIZE ||
	    segment->filesz > segment->memsz)
		return -1;
	if (vm_grow(image->dir, start, PAGE_UP(end),
		    segment->flags & PF_W ? PTE_W : 0) < 0)
		return -1;
	image->end = PAGE_UP(end);
	return read_into(image->dir, start, ip, segment->offset,
			 segment->filesz);
}

/* Context: @ip is locked. */
static int load_program(struct image *image, struct inode *ip)
{
	struct elf_header elf;
	struct elf_segment segment;
	uint i, at;

	if (inode_read(ip, &elf, 0, sizeof(elf)) != sizeof(elf) ||
	    elf.magic != ELF_MAGIC || elf.phentsize != sizeof(segment))
		return -1;
	for (i = 0; i < elf.phnum; i++) {
		at = elf.phoff + i * sizeof(segment);
		if (inode_read(ip, &segment, at, sizeof(segment)) !=
		    sizeof(segment))
			return -1;
		if (segment.type == PT_LOAD &&
		    load_segment(image, ip, &segment) < 0)
			return -1;
	}
	image->entry = elf.entry;
	return 0;
}

/* Find the file and load it. */
static int load_path(struct image *image, const char *path)
{
	struct inode *ip;
	int result;

	tx_begin();
	ip = path_find(path);
	if (!ip) {
		tx_end();
		return -1;
	}
	inode_lock(ip);
	result = load_program(image, ip);
	inode_unlock(ip);
	inode_put(ip);
	tx_end();
	return result;
}

/*
 * Write what main(argc, argv) finds on its stack to @page, which will be at
 * user address @va:
 *
 *	va + PGSIZE +----------------------------+
 *	            | the strings                |
 *	            | argv[0] .. argv[argc], = 0 |
 *	            | argv                       |
 *	            | argc                       |
 *	         sp | return address: nowhere    |
 *	            +----------------------------+
 *
 * Returns the first stack pointer, or 0 if it does not fit.
 */
static uint fill_stack(char *page, uint va, const char *const argv[], int argc)
{
	const uint words = 3 + argc + 1;
	uint at = PGSIZE, size, *word;
	uint strings[MAXARG];
	int i;

	for (i = 0; i < argc; i++) {
		size = strlen(argv[i]) + 1;
		if (size > at)
			return 0;
		at -= size;
		memmove(page + at, argv[i], size);
		strings[i] = va + at;
	}
	at -= at % sizeof(uint);
	if (words * sizeof(uint) > at)
		return 0;
	at -= words * sizeof(uint);

	word = (uint *)(page + at);
	word[0] = ~0u;
	word[1] = argc;
	word[2] = va + at + 3 * sizeof(uint);
	for (i = 0; i < argc; i++)
		word[3 + i] = strings[i];
	word[3 + argc] = 0;
	return va + at;
}

/* Add the stack, one page, and below it a guard page where nothing is. */
static int add_stack(struct image *image, const char *const argv[], int argc)
{
	uint va = image->end + PGSIZE;
	char *page = kalloc_zeroed();

	if (!page)
		return -1;
	image->sp = fill_stack(page, va, argv, argc);
	if (!image->sp || va > KERNBASE - PGSIZE ||
	    vm_map(image->dir, va, page, PTE_W) < 0) {
		kfree(page);
		return -1;
	}
	image->end = va + PGSIZE;
	return 0;
}

/* The last part of @path, for messages. */
static const char *last_part(const char *path)
{
	const char *last = path;

	for (; *path; path++)
		if (*path == '/')
			last = path + 1;
	return last;
}

/* Make @image the calling process's program. */
static void become(const struct image *image, const char *path)
{
	struct proc *p = this_proc();
	pde_t *old = p->dir;

	strlcpy(p->name, last_part(path), sizeof(p->name));
	map_drop_all();
	memset(p->tf, 0, sizeof(*p->tf));
	p->tf->cs = SEL_UCODE;
	p->tf->ds = p->tf->es = p->tf->ss = SEL_UDATA;
	p->tf->eflags = EFLAGS_FIXED | EFLAGS_IF;
	p->tf->eip = image->entry;
	p->tf->esp = image->sp;
	p->heap_start = p->brk = image->end;
	p->dir = image->dir;
	vm_use(p->dir);
	if (old)
		vm_destroy(old);
}

/*
 * Run the program in @path with @argc arguments, less than MAXARG. Returns 0,
 * and the process continues in the new program; or -1 and nothing has changed.
 */
int exec(const char *path, const char *const argv[], int argc)
{
	struct image image = { .dir = vm_create(), .end = USERBASE };

	if (!image.dir)
		return -1;
	if (load_path(&image, path) < 0 || add_stack(&image, argv, argc) < 0) {
		vm_destroy(image.dir);
		return -1;
	}
	become(&image, path);
	return 0;
}
