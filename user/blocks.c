// SPDX-License-Identifier: GPL-2.0 OR MIT
/* blocks.c - Linux's memory blocks, as sysfs shows them. */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocks.h"

/* Longer than any value in the files that are read here. */
#define VALUE_SIZE 64

static int attribute_path(char path[PATH_MAX], const struct blocks *blocks,
			  uint64_t number, const char *attribute)
{
	int length = snprintf(path, PATH_MAX, "%s/memory%llu/%s", blocks->root,
			      (unsigned long long)number, attribute);

	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Read the first word of a file. */
static int read_word(const char *path, char value[VALUE_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;
	int err;

	if (fd < 0)
		return -errno;
	length = read(fd, value, VALUE_SIZE - 1);
	err = length < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	value[length] = '\0';
	value[strcspn(value, " \n")] = '\0';
	return 0;
}

static int read_attribute(const struct blocks *blocks, uint64_t number,
			  const char *attribute, char value[VALUE_SIZE])
{
	char path[PATH_MAX];
	int err = attribute_path(path, blocks, number, attribute);

	return err ? err : read_word(path, value);
}

static int write_state(const struct blocks *blocks, uint64_t number,
		       const char *state)
{
	char path[PATH_MAX];
	int err = attribute_path(path, blocks, number, "state");
	int fd;

	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* The kernel takes a state whole or not at all. */
	if (write(fd, state, strlen(state)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int read_online(const struct blocks *blocks, uint64_t number,
		       bool *online)
{
	char value[VALUE_SIZE];
	int err = read_attribute(blocks, number, "state", value);

	if (err)
		return err;
	*online = !strcmp(value, "online");
	return 0;
}

static enum block_zone read_zone(const struct blocks *blocks, uint64_t number)
{
	char value[VALUE_SIZE];

	if (read_attribute(blocks, number, "valid_zones", value))
		return BLOCK_ZONE_UNKNOWN;
	if (!strcmp(value, "none"))
		return BLOCK_ZONE_NONE;
	if (!strcmp(value, "Movable"))
		return BLOCK_ZONE_MOVABLE;
	return BLOCK_ZONE_KERNEL;
}

/* A block has a link called node<number> to each node that it lies in. */
static int read_node(const struct blocks *blocks, uint64_t number)
{
	int node = BLOCK_NODE_UNKNOWN;
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	if (attribute_path(path, blocks, number, ""))
		return node;
	dir = opendir(path);
	if (!dir)
		return node;
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "node%d", &node) == 1)
			break;
	closedir(dir);
	return node;
}

static int read_size(struct blocks *blocks)
{
	char path[PATH_MAX];
	char value[VALUE_SIZE];
	char *end;
	int err;

	if (snprintf(path, sizeof(path), "%s/block_size_bytes", blocks->root) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	err = read_word(path, value);
	if (err)
		return err;
	errno = 0;
	blocks->size = strtoull(value, &end, 16);
	if (errno || end == value || *end || blocks->size < BLOCK_SIZE_MIN ||
	    blocks->size & (blocks->size - 1))
		return -EINVAL;
	return 0;
}

/* True if name is memory<number>, and the address of that block fits in 64 bits. */
static bool parse_name(const struct blocks *blocks, const char *name,
		       uint64_t *number)
{
	static const char prefix[] = "memory";
	char *end;

	if (strncmp(name, prefix, strlen(prefix)))
		return false;
	name += strlen(prefix);
	if (!isdigit((unsigned char)*name))
		return false;
	errno = 0;
	*number = strtoull(name, &end, 10);
	return !errno && !*end && *number < UINT64_MAX / blocks->size;
}

static int add_block(struct blocks *blocks, uint64_t number)
{
	struct block block = { .number = number };
	struct block *list;
	int err = read_online(blocks, number, &block.online);

	/* Unplugged since its name was read. */
	if (err == -ENOENT || err == -ENODEV)
		return 0;
	if (err)
		return err;
	block.zone = read_zone(blocks, number);
	block.node = read_node(blocks, number);

	list = realloc(blocks->list, (blocks->count + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	blocks->list = list;
	blocks->list[blocks->count++] = block;
	return 0;
}

static int read_list(struct blocks *blocks)
{
	DIR *dir = opendir(blocks->root);
	struct dirent *entry;
	uint64_t number;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir)))
		if (parse_name(blocks, entry->d_name, &number))
			err = add_block(blocks, number);
	closedir(dir);
	return err;
}

int blocks_read(struct blocks *blocks, const char *root)
{
	int err;

	*blocks = (struct blocks){ .root = root };
	err = read_size(blocks);
	if (!err)
		err = read_list(blocks);
	if (err)
		blocks_free(blocks);
	return err;
}

void blocks_free(struct blocks *blocks)
{
	free(blocks->list);
	blocks->list = NULL;
	blocks->count = 0;
}

int blocks_offline(const struct blocks *blocks, uint64_t number)
{
	return write_state(blocks, number, "offline");
}

int blocks_online(const struct blocks *blocks, uint64_t number,
		  enum block_zone zone)
{
	const char *state = "online";
	bool online;
	int err;

	if (zone == BLOCK_ZONE_MOVABLE)
		state = "online_movable";
	else if (zone == BLOCK_ZONE_KERNEL)
		state = "online_kernel";
	err = write_state(blocks, number, state);

	/* The kernel also says EINVAL if somebody else was faster. */
	if (err == -EINVAL && !read_online(blocks, number, &online) && online)
		return 0;
	return err;
}
