// SPDX-License-Identifier: GPL-2.0
/*
 * sysfile.c - system calls about files.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "stat.h"
#include "fcntl.h"
#include "file.h"
#include "proc.h"
#include "vm.h"
#include "sys.h"
#include "defs.h"

static const struct device *const devices[NDEV] = {
	[DEV_CONSOLE] = &console_device,
	[DEV_MEMORY] = &memory_device,
};

/* ---- descriptors ---- */

/* Argument @n is a descriptor; *@fd may be left out. */
int arg_file(int n, int *fd, struct file **file)
{
	int number;

	if (arg_int(n, &number) < 0 || number < 0 || number >= NOFILE)
		return -1;
	*file = this_proc()->files[number];
	if (!*file)
		return -1;
	if (fd)
		*fd = number;
	return 0;
}

/* Give @file to the process; returns the lowest free descriptor, or -1. */
static int new_fd(struct file *file)
{
	struct proc *p = this_proc();
	int fd;

	for (fd = 0; fd < NOFILE; fd++) {
		if (!p->files[fd]) {
			p->files[fd] = file;
			return fd;
		}
	}
	return -1;
}

int sys_dup(void)
{
	struct file *file;
	int fd;

	if (arg_file(0, NULL, &file) < 0)
		return -1;
	fd = new_fd(file);
	if (fd >= 0)
		file_dup(file);
	return fd;
}

int sys_close(void)
{
	struct file *file;
	int fd;

	if (arg_file(0, &fd, &file) < 0)
		return -1;
	this_proc()->files[fd] = NULL;
	file_close(file);
	return 0;
}

/*
 * The whole buffer must be the program's. But only what will be written is
 * prepared: a page that stays as it is need not be copied.
 */
int sys_read(void)
{
	struct file *file;
	void *dst;
	int n;

	if (arg_file(0, NULL, &file) < 0 || arg_int(2, &n) < 0 || n < 0 ||
	    arg_range(1, &dst, n) < 0)
		return -1;
	n = file_most(file, n);
	if (user_prepare(dst, n, VM_WRITE) < 0)
		return -1;
	return file_read(file, dst, n);
}

int sys_write(void)
{
	struct file *file;
	void *src;
	int n;

	if (arg_file(0, NULL, &file) < 0 || arg_int(2, &n) < 0 || n < 0 ||
	    arg_buffer(1, &src, n, VM_READ) < 0)
		return -1;
	return file_write(file, src, n);
}

int sys_fstat(void)
{
	struct file *file;
	void *st;

	if (arg_file(0, NULL, &file) < 0 ||
	    arg_buffer(1, &st, sizeof(struct stat), VM_WRITE) < 0)
		return -1;
	return file_stat(file, st);
}

int sys_pipe(void)
{
	struct file *reader, *writer;
	int read_fd, write_fd;
	void *fds;

	if (arg_buffer(0, &fds, 2 * sizeof(int), VM_WRITE) < 0)
		return -1;
	if (pipe_new(&reader, &writer) < 0)
		return -1;
	read_fd = new_fd(reader);
	write_fd = new_fd(writer);
	if (write_fd >= 0) {
		((int *)fds)[0] = read_fd;
		((int *)fds)[1] = write_fd;
		return 0;
	}
	if (read_fd >= 0)
		this_proc()->files[read_fd] = NULL;
	file_close(reader);
	file_close(writer);
	return -1;
}

/* ---- names ---- */

/*
 * The directory that @path's last name belongs in, locked, and that name. NULL
 * if there is none, or it has been removed and just has users left.
 */
static struct inode *lock_parent(const char *path, char *name)
{
	struct inode *dir = path_parent(path, name);

	if (!dir)
		return NULL;
	inode_lock(dir);
	if (dir->disk.type == T_DIR && dir->disk.nlink > 0)
		return dir;
	inode_unlock(dir);
	inode_put(dir);
	return NULL;
}

static void unlock_put(struct inode *ip)
{
	inode_unlock(ip);
	inode_put(ip);
}

/* Fill a new directory. Context: both are locked; a transaction. */
static int add_dots(struct inode *ip, struct inode *parent)
{
	if (dir_add(ip, ".", ip->inum) < 0 ||
	    dir_add(ip, "..", parent->inum) < 0)
		return -1;
	return 0;
}

/*
 * Make a file called @name in @dir, which has none of this name. Returns it,
 * locked, or NULL: then nothing has been made. A directory's own "." does not
 * count as a link, a child's ".." does. Context: @dir is locked; a transaction.
 */
static struct inode *create_in(struct inode *dir, const char *name, short type,
			       short major, short minor)
{
	struct inode *ip = inode_new(type, major, minor);

	if (!ip)
		return NULL;
	if ((type == T_DIR && add_dots(ip, dir) < 0) ||
	    dir_add(dir, name, ip->inum) < 0) {
		unlock_put(ip);		/* has no links: goes away */
		return NULL;
	}
	ip->disk.nlink = 1;
	inode_update(ip);
	if (type == T_DIR) {
		dir->disk.nlink++;
		inode_update(dir);
	}
	return ip;
}

/* The same by path; NULL also if the name is taken. Context: a transaction. */
static struct inode *create(const char *path, short type, short major,
			    short minor)
{
	char name[NAME_SIZE];
	struct inode *dir = lock_parent(path, name), *ip = NULL;

	if (!dir)
		return NULL;
	if (!dir_find(dir, name, NULL))
		ip = create_in(dir, name, type, major, minor);
	unlock_put(dir);
	return ip;
}

/* The file to open, locked, or NULL. Context: a transaction. */
static struct inode *find_to_open(const char *path, int mode)
{
	struct inode *ip = path_find(path);

	if (!ip)
		return mode & O_CREATE ? create(path, T_FILE, 0, 0) : NULL;
	inode_lock(ip);
	if (ip->disk.type == T_DIR && mode != O_RDONLY) {
		unlock_put(ip);
		return NULL;
	}
	return ip;
}

/* Make @file stand for @ip. Context: @ip is locked. */
static int set_inode(struct file *file, struct inode *ip, int mode)
{
	int major = ip->disk.major;

	file->type = FILE_INODE;
	if (ip->disk.type == T_DEV) {
		if (major < 0 || major >= NDEV || !devices[major])
			return -1;
		file->type = FILE_DEVICE;
		file->device = devices[major];
	}
	file->readable = !(mode & O_WRONLY);
	file->writable = mode & (O_WRONLY | O_RDWR);
	return 0;
}

static int open(const char *path, int mode)
{
	struct file *file = file_new();
	struct inode *ip;
	int fd = -1;

	if (!file)
		return -1;
	tx_begin();
	ip = find_to_open(path, mode);
	if (ip) {
		if (set_inode(file, ip, mode) == 0)
			fd = new_fd(file);
		inode_unlock(ip);
		if (fd >= 0)
			file->inode = ip;
		else
			inode_put(ip);
	}
	tx_end();
	if (fd < 0)
		file_close(file);
	return fd;
}

int sys_open(void)
{
	const char *path;
	int mode;

	if (arg_string(0, &path) < 0 || arg_int(1, &mode) < 0)
		return -1;
	return open(path, mode);
}

/* Make a file that is not to be opened; returns 0, or -1. */
static int make(const char *path, short type, short major, short minor)
{
	struct inode *ip;

	tx_begin();
	ip = create(path, type, major, minor);
	if (ip)
		unlock_put(ip);
	tx_end();
	return ip ? 0 : -1;
}

int sys_mkdir(void)
{
	const char *path;

	if (arg_string(0, &path) < 0)
		return -1;
	return make(path, T_DIR, 0, 0);
}

int sys_mknod(void)
{
	const char *path;
	int major, minor;

	if (arg_string(0, &path) < 0 || arg_int(1, &major) < 0 ||
	    arg_int(2, &minor) < 0)
		return -1;
	return make(path, T_DEV, major, minor);
}

/* Add the name @path for @ip. Context: a transaction. */
static int add_link(struct inode *ip, const char *path)
{
	char name[NAME_SIZE];
	struct inode *dir;
	int result = -1;

	inode_lock(ip);
	if (ip->disk.type == T_DIR) {
		inode_unlock(ip);
		return -1;
	}
	inode_unlock(ip);

	dir = lock_parent(path, name);
	if (!dir)
		return -1;
	if (!dir_find(dir, name, NULL))
		result = dir_add(dir, name, ip->inum);
	unlock_put(dir);
	if (result == 0) {
		inode_lock(ip);
		ip->disk.nlink++;
		inode_update(ip);
		inode_unlock(ip);
	}
	return result;
}

int sys_link(void)
{
	const char *old, *new;
	struct inode *ip;
	int result = -1;

	if (arg_string(0, &old) < 0 || arg_string(1, &new) < 0)
		return -1;
	tx_begin();
	ip = path_find(old);
	if (ip) {
		result = add_link(ip, new);
		inode_put(ip);
	}
	tx_end();
	return result;
}

/*
 * Take the entry for @ip at @where out of @dir. Context: @dir is locked; a
 * transaction.
 */
static int remove_from(struct inode *dir, struct inode *ip, uint where)
{
	int is_dir;

	inode_lock(ip);
	is_dir = ip->disk.type == T_DIR;
	if (is_dir && !dir_empty(ip)) {
		inode_unlock(ip);
		return -1;
	}
	dir_remove(dir, where);
	if (is_dir) {			/* its ".." */
		dir->disk.nlink--;
		inode_update(dir);
	}
	ip->disk.nlink--;
	inode_update(ip);
	inode_unlock(ip);
	return 0;
}

/* Context: a transaction. */
static int unlink(const char *path)
{
	char name[NAME_SIZE];
	struct inode *dir = lock_parent(path, name), *ip = NULL;
	uint inum = 0, where;
	int result = -1;

	if (!dir)
		return -1;
	if (!same_name(name, ".") && !same_name(name, ".."))
		inum = dir_find(dir, name, &where);
	if (inum)
		ip = inode_get(inum);
	if (ip) {
		result = remove_from(dir, ip, where);
		inode_put(ip);
	}
	unlock_put(dir);
	return result;
}

int sys_unlink(void)
{
	const char *path;
	int result;

	if (arg_string(0, &path) < 0)
		return -1;
	tx_begin();
	result = unlink(path);
	tx_end();
	return result;
}

int sys_chdir(void)
{
	struct proc *p = this_proc();
	const char *path;
	struct inode *ip, *old = p->cwd;

	if (arg_string(0, &path) < 0)
		return -1;
	tx_begin();
	ip = path_find(path);
	if (ip) {
		inode_lock(ip);
		if (ip->disk.type == T_DIR)
			p->cwd = ip;
		inode_unlock(ip);
		inode_put(p->cwd == ip ? old : ip);
	}
	tx_end();
	return ip && p->cwd == ip ? 0 : -1;
}

/* ---- programs ---- */

int sys_exec(void)
{
	const char *path, *argv[MAXARG];
	int pointers, argc;
	uint string;

	if (arg_string(0, &path) < 0 || arg_int(1, &pointers) < 0)
		return -1;
	for (argc = 0; argc < MAXARG; argc++) {
		if (user_word((uint)pointers + argc * sizeof(string),
			      &string) < 0)
			return -1;
		if (string == 0)
			return exec(path, argv, argc);
		if (user_string(string, &argv[argc]) < 0)
			return -1;
	}
	return -1;
}
