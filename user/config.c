// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * config.c - the file that says what to donate: petmem.conf(5).
 *
 *	donate AMOUNT [node K]
 *	donate COUNT blocks [node K]
 */

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

/* A line has at most five words: a sixth shows that there are too many. */
#define MAX_WORDS 6

/* No machine has more, and the sum of a few does not overflow. */
#define MAX_MEGABYTES (1ULL << 40)
#define MAX_BLOCKS (1ULL << 32)

#define MB_PER_GB 1024

static const char usage[] =
	"expected `donate AMOUNT [node K]' or `donate COUNT blocks [node K]'";

/* Parse the digits at the beginning of text; *end is what follows them. */
static bool parse_number(const char *text, uint64_t limit, uint64_t *value,
			 char **end)
{
	errno = 0;
	*value = strtoull(text, end, 10);
	return isdigit((unsigned char)*text) && !errno && *value <= limit;
}

static bool parse_amount(const char *text, uint64_t *megabytes)
{
	char *unit;

	if (!parse_number(text, MAX_MEGABYTES / MB_PER_GB, megabytes, &unit))
		return false;
	if (!strcmp(unit, "G"))
		*megabytes *= MB_PER_GB;
	else if (*unit && strcmp(unit, "M"))
		return false;
	return *megabytes;
}

static bool parse_count(const char *text, uint64_t *count)
{
	char *end;

	return parse_number(text, MAX_BLOCKS, count, &end) && *count && !*end;
}

static bool parse_node(const char *text, int *node)
{
	uint64_t value;
	char *end;

	if (!parse_number(text, INT_MAX, &value, &end) || *end)
		return false;
	*node = value;
	return true;
}

static bool is_blocks(const char *word)
{
	return !strcmp(word, "blocks") || !strcmp(word, "block");
}

/* Returns NULL, or a message that says what is wrong. */
static const char *parse_words(char **words, size_t count,
			       struct request *request)
{
	size_t next = 2;

	*request = (struct request){ .node = NODE_ANY };
	if (count < 2 || strcmp(words[0], "donate"))
		return usage;
	if (count > 2 && is_blocks(words[2])) {
		if (!parse_count(words[1], &request->blocks))
			return "not a number of blocks";
		next = 3;
	} else if (!parse_amount(words[1], &request->megabytes)) {
		return "not an amount of memory, as 512M or 2G";
	}
	if (count == next)
		return NULL;
	if (count != next + 2 || strcmp(words[next], "node"))
		return usage;
	if (!parse_node(words[next + 1], &request->node))
		return "not the number of a NUMA node";
	return NULL;
}

static size_t split(char *line, char *words[MAX_WORDS])
{
	static const char space[] = " \t\r\n";
	size_t count = 0;
	char *rest;

	line[strcspn(line, "#")] = '\0';
	words[0] = strtok_r(line, space, &rest);
	while (words[count] && ++count < MAX_WORDS)
		words[count] = strtok_r(NULL, space, &rest);
	return count;
}

static bool add(struct request **requests, size_t *count,
		const struct request *request)
{
	struct request *longer;

	longer = realloc(*requests, (*count + 1) * sizeof(*longer));
	if (!longer) {
		warn("configuration");
		return false;
	}
	*requests = longer;
	longer[(*count)++] = *request;
	return true;
}

static bool read_lines(FILE *file, const char *path, struct request **requests,
		       size_t *count)
{
	char *words[MAX_WORDS];
	struct request request;
	const char *wrong = NULL;
	unsigned int number = 0;
	size_t found, room = 0;
	char *line = NULL;
	bool good = true;

	while (good && getline(&line, &room, file) >= 0) {
		number++;
		found = split(line, words);
		if (!found)
			continue;
		wrong = parse_words(words, found, &request);
		if (wrong)
			warnx("%s:%u: %s", path, number, wrong);
		good = !wrong && add(requests, count, &request);
	}
	free(line);
	if (good && ferror(file)) {
		warn("%s", path);
		good = false;
	}
	return good;
}

bool config_read(const char *path, struct request **requests, size_t *count)
{
	FILE *file = fopen(path, "re");
	bool good;

	*requests = NULL;
	*count = 0;
	if (!file) {
		warn("%s", path);
		return false;
	}
	good = read_lines(file, path, requests, count);
	fclose(file);
	if (!good)
		free(*requests);
	return good;
}
