// SPDX-License-Identifier: GPL-2.0
/*
 * dir.c - names: directories, and paths through them.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "stat.h"
#include "proc.h"
#include "file.h"
#include "defs.h"

/* Names are equal if their first DIRSIZ characters are. */
int same_name(const char *a, const char *b)
{
	return strncmp(a, b, DIRSIZ) == 0;
}

/*
 * Look for the entry with @name, or for a free entry if @name is NULL. Returns
 * its offset, and a copy in *@found; or the directory's end, and *@found is
 * free. Context: @dir is locked.
 */
static uint search(struct inode *dir, const char *name, struct dirent *found)
{
	struct dirent entries[BSIZE / sizeof(struct dirent)], *entry;
	uint offset = 0, n;

	for (;;) {
		n = inode_read(dir, entries, offset, sizeof(entries));
		if (n == 0) {
			memset(found, 0, sizeof(*found));
			return offset;
		}
		for (entry = entries; n >= sizeof(*entry); entry++) {
			if (name ? entry->inum && same_name(entry->name, name) :
				   !entry->inum) {
				*found = *entry;
				return offset;
			}
			offset += sizeof(*entry);
			n -= sizeof(*entry);
		}
	}
}

/*
 * Look for @name; returns its i-node number, or 0. If @where is not NULL it
 * gets the entry's offset. Context: @dir is locked.
 */
uint dir_find(struct inode *dir, const char *name, uint *where)
{
	struct dirent entry;
	uint offset = search(dir, name, &entry);

	if (where)
		*where = offset;
	return entry.inum;
}

/*
 * Add an entry; returns 0, or -1 if the disk or the directory is full. The
 * caller has made sure that the name is new. Context: @dir is locked; a
 * transaction.
 */
int dir_add(struct inode *dir, const char *name, uint inum)
{
	struct dirent entry;
	uint offset = search(dir, NULL, &entry), i;

	memset(&entry, 0, sizeof(entry));
	entry.inum = inum;
	for (i = 0; i < DIRSIZ && name[i]; i++)
		entry.name[i] = name[i];
	if (inode_write(dir, &entry, offset, sizeof(entry)) != sizeof(entry))
		return -1;
	return 0;
}

/* Free the entry at @offset. Context: @dir is locked; a transaction. */
void dir_remove(struct inode *dir, uint offset)
{
	struct dirent entry;

	memset(&entry, 0, sizeof(entry));
	inode_write(dir, &entry, offset, sizeof(entry));
}

/* Is there nothing but "." and ".."? Context: @dir is locked. */
int dir_empty(struct inode *dir)
{
	struct dirent entry;
	uint offset;

	for (offset = 2 * sizeof(entry); offset < dir->disk.size;
	     offset += sizeof(entry)) {
		inode_read(dir, &entry, offset, sizeof(entry));
		if (entry.inum)
			return 0;
	}
	return 1;
}

/*
 * Take the first name off @path: it goes into @name, NAME_SIZE bytes, cut at
 * DIRSIZ characters and ended by a zero. Returns the rest without slashes in
 * front; NULL if there was no name.
 *
 *	"/a//bc/d" -> "a", "bc/d"      "d/" -> "d", ""      "//" -> NULL
 */
static const char *next_name(const char *path, char *name)
{
	uint n = 0;

	while (*path == '/')
		path++;
	if (!*path)
		return NULL;
	for (; *path && *path != '/'; path++)
		if (n < DIRSIZ)
			name[n++] = *path;
	name[n] = 0;
	while (*path == '/')
		path++;
	return path;
}

/*
 * The file called @name in @dir, whose pointer goes back; NULL: none. A directory
 * that has been removed and just has users left leads nowhere: what its ".." names
 * may be gone too, and its i-node free.
 */
static struct inode *step(struct inode *dir, const char *name)
{
	struct inode *next = NULL;
	uint inum;

	inode_lock(dir);
	if (dir->disk.type == T_DIR && dir->disk.nlink > 0) {
		inum = dir_find(dir, name, NULL);
		if (inum)
			next = inode_get(inum);
	}
	inode_unlock(dir);
	inode_put(dir);
	return next;
}

static struct inode *start_of(const char *path)
{
	if (*path == '/')
		return inode_get(ROOTINO);
	return inode_dup(this_proc()->cwd);
}

/* The file that @path leads to, or NULL. Context: a transaction. */
struct inode *path_find(const char *path)
{
	struct inode *ip = start_of(path);
	char name[NAME_SIZE];

	while (ip && (path = next_name(path, name)))
		ip = step(ip, name);
	return ip;
}

/*
 * The directory that the last name of @path is or would be in, and that name,
 * NAME_SIZE bytes; NULL if there is no such directory, or no name. Context: a
 * transaction.
 */
struct inode *path_parent(const char *path, char *name)
{
	struct inode *ip = start_of(path);

	path = next_name(path, name);
	while (ip && path && *path) {
		ip = step(ip, name);
		path = next_name(path, name);
	}
	if (ip && !path) {
		inode_put(ip);
		return NULL;
	}
	return ip;
}
