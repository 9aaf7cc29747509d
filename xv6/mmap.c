// SPDX-License-Identifier: GPL-2.0
/*
 * mmap.c - files as memory: mmap() and munmap().
 *
 * mmap() only notes that some pages of the process show a file. Each page comes
 * when it is used for the first time (give_mapped):
 *
 *	private   A copy of the file's page, for this process alone. From then on it
 *	          is a page like any other: fork() makes it copy-on-write.
 *
 *	shared    The same page for all processes that map this file shared. The first
 *	          one reads it from the file; struct shared_file keeps it for the others.
 *
 *	 process   -> P U   --+
 *	                      +-> page <- shared_file.pages[i]: 3 owners
 *	 relative  -> P U W --+           dirty: the relative has written to it
 *
 * A shared page is mapped read-only until the process writes to it. So the kernel
 * learns of the first write, and notes that the page is dirty. Dirty pages go to the
 * file when a process that may write to them unmaps them: by munmap(), exec() or its
 * end. They stay dirty, because the others can go on writing without a fault.
 *
 * fork() makes all writable pages copy-on-write, and a shared page must never be
 * that. So the parent lets go of its shared pages first (map_hide_shared). Parent and
 * child find the same pages again when they use them.
 *
 * Locks: no lock is held when a page is given, because that reads the file: this is
 * at a fault in user mode, or when a system call prepares a buffer. Unmapping takes
 * transactions, so it is not done in one. A mapping has a pointer to the i-node of its
 * own: the file outlives its descriptors, and its name.
 */
#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "mmu.h"
#include "stat.h"
#include "fcntl.h"
#include "file.h"
#include "proc.h"
#include "vm.h"
#include "mmap.h"
#include "sys.h"
#include "defs.h"

#define FILE_PAGES	((MAXFILE * BSIZE + PGSIZE - 1) / PGSIZE)

struct shared_page {
	void *page;		/* NULL: nobody has used it yet */
	uint bytes;		/* that the file had here, and gets back */
	int dirty;		/* somebody may have written to it */
};

/* The shared pages of a mapped file. They stay until the last mapping goes. */
struct shared_file {
	/* Guarded by lock. */
	struct inode *inode;
	int users;		/* mappings; 0: this entry is free */

	/* Guarded by the lock of the i-node. */
	struct shared_page pages[FILE_PAGES];
};

static struct spinlock lock = SPINLOCK("mmap");

/* Users have a pointer to the i-node too; so there are enough entries. */
static struct shared_file shared_files[NINODE];

/* ---- shared files ---- */

/* The entry of @ip, which the caller has a pointer to, with one more user. */
static struct shared_file *get_shared(struct inode *ip)
{
	struct shared_file *s, *found = NULL;

	spin_lock(&lock);
	for (s = shared_files; s < &shared_files[NINODE]; s++) {
		if (s->users && s->inode == ip) {
			found = s;
			break;
		}
		if (!s->users)
			found = s;
	}
	found->inode = ip;
	found->users++;
	spin_unlock(&lock);
	return found;
}

static void dup_shared(struct shared_file *s)
{
	spin_lock(&lock);
	s->users++;
	spin_unlock(&lock);
}

/* The caller, which has written its changes back, does not use @s any longer. */
static void put_shared(struct shared_file *s)
{
	uint i;

	spin_lock(&lock);
	if (--s->users == 0) {
		for (i = 0; i < FILE_PAGES; i++)
			if (s->pages[i].page)
				kfree(s->pages[i].page);
		memset(s->pages, 0, sizeof(s->pages));
	}
	spin_unlock(&lock);
}

/* ---- mappings ---- */

/* A mapping of @p with pages in [from, to); NULL: nothing is mapped there. */
static struct mapping *find_mapping(struct proc *p, uint from, uint to)
{
	struct mapping *m;

	for (m = p->mappings; m < &p->mappings[NMAP]; m++)
		if (m->start < to && from < m->end)
			return m;
	return NULL;
}

/* Are all @n bytes at @va mapped? */
int map_covers(uint va, uint n)
{
	const struct mapping *m;

	for (;;) {
		m = find_mapping(this_proc(), va, va + 1);
		if (!m)
			return 0;
		if (n <= m->end - va)
			return 1;
		n -= m->end - va;
		va = m->end;
	}
}

/* The lowest mapped address: the break cannot go beyond. */
uint map_floor(void)
{
	struct proc *p = this_proc();
	const struct mapping *m;
	uint lowest = KERNBASE;

	for (m = p->mappings; m < &p->mappings[NMAP]; m++)
		if (m->end && m->start < lowest)
			lowest = m->start;
	return lowest;
}

/* The highest free place for @size bytes above the break; 0: there is none. */
static uint find_place(struct proc *p, uint size)
{
	const uint brk = PAGE_UP(p->brk);
	const struct mapping *m;
	uint end = KERNBASE;

	while (end - brk >= size) {
		m = find_mapping(p, end - size, end);
		if (!m)
			return end - size;
		end = m->start;
	}
	return 0;
}

/* ---- pages ---- */

/* A new page with what @ip has at @offset, then zeros. Context: @ip is locked. */
static void *read_page(struct inode *ip, uint offset, uint *bytes)
{
	void *page = kalloc_zeroed();

	if (page)
		*bytes = inode_read(ip, page, offset, PGSIZE);
	return page;
}

/* Put a copy of the file's page at @va. Context: the i-node is locked. */
static int give_private(pde_t *dir, const struct mapping *m, uint va)
{
	uint bytes;
	void *page = read_page(m->inode, m->offset + (va - m->start), &bytes);

	if (!page)
		return VM_NO_MEMORY;
	if (vm_map(dir, va, page, m->writable) < 0) {
		kfree(page);
		return VM_NO_MEMORY;
	}
	return VM_OK;
}

/*
 * Put the file's shared page at @va. It may be there already, read-only.
 * Context: the i-node is locked.
 */
static int give_shared(pde_t *dir, const struct mapping *m, uint va, int access)
{
	uint offset = m->offset + (va - m->start);
	struct shared_page *shared = &m->shared->pages[offset / PGSIZE];

	if (!shared->page)
		shared->page = read_page(m->inode, offset, &shared->bytes);
	if (!shared->page)
		return VM_NO_MEMORY;
	vm_shrink(dir, va, va + PGSIZE);
	kshare(shared->page);
	if (vm_map(dir, va, shared->page, access == VM_WRITE ? PTE_W : 0) < 0) {
		kfree(shared->page);
		return VM_NO_MEMORY;
	}
	if (access == VM_WRITE)
		shared->dirty = 1;
	return VM_OK;
}

/*
 * Give the calling process the page of @va for @access, if a mapping has it. VM_OK:
 * it is there now. VM_NO_ACCESS: it is not mapped, or not for this, or the file ends
 * before it. VM_NO_MEMORY: there is no page for it. Context: no lock is held.
 */
int give_mapped(uint va, int access)
{
	struct proc *p = this_proc();
	const struct mapping *m = find_mapping(p, va, va + 1);
	uint page = PAGE_DOWN(va);
	int result;

	if (!m || (access == VM_WRITE && !m->writable))
		return VM_NO_ACCESS;
	result = vm_prepare(p->dir, va, 1, access);	/* it may be there */
	if (result != VM_NO_ACCESS)
		return result;
	inode_lock(m->inode);
	if (m->offset + (page - m->start) < m->inode->disk.size)
		result = m->shared ? give_shared(p->dir, m, page, access) :
				     give_private(p->dir, m, page);
	inode_unlock(m->inode);
	return result;
}

/* ---- unmapping ---- */

/*
 * Write the shared page at @offset to the file, if it is dirty. The file had these
 * bytes before, and files do not shrink: so this needs no room on the disk.
 */
static void write_back(const struct mapping *m, uint offset)
{
	const struct shared_page *shared = &m->shared->pages[offset / PGSIZE];

	tx_begin();
	inode_lock(m->inode);
	if (shared->dirty)
		inode_write(m->inode, shared->page, offset, shared->bytes);
	inode_unlock(m->inode);
	tx_end();
}

/* The process does not use @m any longer; all of it is unmapped. */
static void drop_mapping(struct mapping *m)
{
	if (m->shared)
		put_shared(m->shared);
	tx_begin();
	inode_put(m->inode);
	tx_end();
	memset(m, 0, sizeof(*m));
}

/* Unmap [from, to), the start or the end of @m or all of it. Not in a transaction. */
static void unmap(struct proc *p, struct mapping *m, uint from, uint to)
{
	uint offset, end = m->offset + (to - m->start);

	vm_shrink(p->dir, from, to);
	if (m->shared && m->writable)
		for (offset = m->offset + (from - m->start);
		     offset < end && offset < FILE_PAGES * PGSIZE;
		     offset += PGSIZE)
			write_back(m, offset);
	if (from > m->start) {
		m->end = from;
	} else if (to < m->end) {
		m->offset += to - m->start;
		m->start = to;
	} else {
		drop_mapping(m);
	}
}

/* Unmap everything: the program ends. */
void map_drop_all(void)
{
	struct proc *p = this_proc();
	struct mapping *m;

	for (m = p->mappings; m < &p->mappings[NMAP]; m++)
		if (m->end)
			unmap(p, m, m->start, m->end);
}

/* ---- fork ---- */

/* Let the calling process find its shared pages anew, when it next uses them. */
void map_hide_shared(void)
{
	struct proc *p = this_proc();
	const struct mapping *m;

	for (m = p->mappings; m < &p->mappings[NMAP]; m++)
		if (m->shared)
			vm_shrink(p->dir, m->start, m->end);
}

/* Give @child the mappings of the calling process, its parent. */
void map_inherit(struct proc *child)
{
	struct mapping *m;

	memmove(child->mappings, this_proc()->mappings, sizeof(child->mappings));
	for (m = child->mappings; m < &child->mappings[NMAP]; m++) {
		if (m->inode)
			inode_dup(m->inode);
		if (m->shared)
			dup_shared(m->shared);
	}
}

/* ---- the system calls ---- */

/* How many mappings of @p share @ip? There is a limit, for the count of owners. */
static int count_shared(const struct proc *p, const struct inode *ip)
{
	const struct mapping *m;
	int n = 0;

	for (m = p->mappings; m < &p->mappings[NMAP]; m++)
		if (m->shared && m->inode == ip)
			n++;
	return n;
}

/* May @file be mapped like this? */
static int may_map(struct file *file, int prot, int flags)
{
	struct stat st;

	if (!file->readable || file_stat(file, &st) < 0 || st.type != T_FILE)
		return 0;
	if (prot != PROT_READ && prot != (PROT_READ | PROT_WRITE))
		return 0;
	if (flags == MAP_PRIVATE)
		return 1;
	return flags == MAP_SHARED &&
	       (!(prot & PROT_WRITE) || file->writable) &&
	       count_shared(this_proc(), file->inode) < NMAP_SAME;
}

/* Map @size bytes of @file, page-aligned; returns where they are, or -1. */
static int map_file(struct file *file, uint size, int prot, int flags, uint offset)
{
	struct proc *p = this_proc();
	uint start = find_place(p, size);
	struct mapping *m;

	for (m = p->mappings; m < &p->mappings[NMAP]; m++)
		if (!m->end)
			break;
	if (!start || m == &p->mappings[NMAP])
		return -1;
	m->start = start;
	m->end = start + size;
	m->offset = offset;
	m->writable = prot & PROT_WRITE ? PTE_W : 0;
	m->inode = inode_dup(file->inode);
	m->shared = flags == MAP_SHARED ? get_shared(m->inode) : NULL;
	return start;
}

/* The number of bytes in the pages that @len bytes need; 0: not a length. */
static uint map_size(int len)
{
	return (uint)len <= KERNBASE ? PAGE_UP(len) : 0;
}

/* mmap(0, len, prot, flags, fd, offset): the kernel chooses the address. */
int sys_mmap(void)
{
	int addr, len, prot, flags, offset;
	struct file *file;
	uint size;

	if (arg_int(0, &addr) < 0 || arg_int(1, &len) < 0 ||
	    arg_int(2, &prot) < 0 || arg_int(3, &flags) < 0 ||
	    arg_file(4, NULL, &file) < 0 || arg_int(5, &offset) < 0)
		return -1;
	size = map_size(len);
	if (addr != 0 || size == 0 || (uint)offset % PGSIZE ||
	    (uint)offset + size < size || !may_map(file, prot, flags))
		return -1;
	return map_file(file, size, prot, flags, offset);
}

/* munmap(addr, len): the whole of a mapping, its start or its end, but no hole. */
int sys_munmap(void)
{
	struct proc *p = this_proc();
	struct mapping *m;
	int from, len;
	uint size;

	if (arg_int(0, &from) < 0 || arg_int(1, &len) < 0)
		return -1;
	size = map_size(len);
	m = find_mapping(p, from, (uint)from + 1);
	if (!m || size == 0 || (uint)from % PGSIZE ||
	    size > m->end - (uint)from)
		return -1;
	if ((uint)from > m->start && size < m->end - (uint)from)
		return -1;
	unmap(p, m, from, (uint)from + size);
	return 0;
}
