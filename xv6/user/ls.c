// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ls [NAME...] : name, type, i-node number and size; of what is in a directory. */
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "fs.h"
#include "user.h"

#define PATH_SIZE 128

static char path[PATH_SIZE];

/* @name cut or padded with spaces to DIRSIZ characters. */
static void pad_name(char to[DIRSIZ + 1], const char *name)
{
	int n = strlen(name);

	if (n > DIRSIZ)
		n = DIRSIZ;
	memset(to, ' ', DIRSIZ);
	memmove(to, name, n);
	to[DIRSIZ] = 0;
}

static void show(const char *name, const struct stat *st)
{
	char padded[DIRSIZ + 1];

	pad_name(padded, name);
	printf(1, "%s %d %d %d\n", padded, st->type, st->ino, st->size);
}

static const char *last_part(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash ? last_part(slash + 1) : name;
}

static void show_entry(char *slot, const struct dirent *d)
{
	struct stat st;

	memmove(slot, d->name, DIRSIZ);
	slot[DIRSIZ] = 0;
	if (stat(path, &st) < 0)
		printf(2, "ls: cannot stat %s\n", path);
	else
		show(slot, &st);
}

static void show_directory(int fd, const char *name)
{
	struct dirent d;
	uint n = strlen(name);

	if (n + 1 + DIRSIZ + 1 > PATH_SIZE) {
		printf(2, "ls: name too long: %s\n", name);
		return;
	}
	strcpy(path, name);
	path[n++] = '/';
	while (read(fd, &d, sizeof(d)) == sizeof(d))
		if (d.inum)
			show_entry(path + n, &d);
}

static void list(const char *name)
{
	struct stat st;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0)
		printf(2, "ls: cannot open %s\n", name);
	else if (st.type == T_DIR)
		show_directory(fd, name);
	else
		show(last_part(name), &st);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char *argv[])
{
	int i;

	if (argc < 2)
		list(".");
	for (i = 1; i < argc; i++)
		list(argv[i]);
	exit();
}
