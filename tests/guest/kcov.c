// SPDX-License-Identifier: GPL-2.0
/* kcov.c - the code of petmem.ko that the threads of a test have run. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcov.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kcov.h"

#define DEVICE "/sys/kernel/debug/kcov"
#define MODULE "/sys/module/petmem"

/*
 * Words in a buffer. The first counts the words in use behind it. They are few, because
 * a fork copies the mappings of all buffers.
 */
#define BUFFER_WORDS ((size_t)1 << 13)
#define BUFFERS_MAX 64
#define OFFSETS_PER_LINE 16

struct buffer {
	int fd;
	uint64_t *words;
};

static struct buffer buffers[BUFFERS_MAX];
static unsigned int buffer_count;
static __thread struct buffer *mine;

static uint64_t text_start;
static size_t text_size;
static unsigned char *reached; /* one for each byte of the text; shared */

/* The number in a file of one line, 0 if there is none. */
static uint64_t number_in(const char *path, int base)
{
	char text[32] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return strtoull(text, NULL, base);
}

static bool open_buffer(struct buffer *buffer)
{
	size_t size = BUFFER_WORDS * sizeof(uint64_t);

	buffer->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (buffer->fd < 0)
		return false;
	if (ioctl(buffer->fd, KCOV_INIT_TRACE, BUFFER_WORDS) == 0) {
		buffer->words = mmap(NULL, size, PROT_READ | PROT_WRITE,
				     MAP_SHARED, buffer->fd, 0);
		if (buffer->words != MAP_FAILED)
			return true;
	}
	close(buffer->fd);
	return false;
}

bool kcov_init(unsigned int threads)
{
	text_start = number_in(MODULE "/sections/.text", 16);
	text_size = number_in(MODULE "/coresize", 10);
	if (!text_start || !text_size)
		return false;
	reached = mmap(NULL, text_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reached == MAP_FAILED)
		return false;
	while (buffer_count < threads && buffer_count < BUFFERS_MAX &&
	       open_buffer(&buffers[buffer_count]))
		buffer_count++;
	return buffer_count > 0;
}

/* Empty a buffer into the set. */
static void empty(struct buffer *buffer)
{
	uint64_t count = __atomic_load_n(&buffer->words[0], __ATOMIC_RELAXED);

	for (uint64_t i = 1; i <= count && i < BUFFER_WORDS; i++) {
		uint64_t offset = buffer->words[i] - text_start;

		if (offset < text_size)
			reached[offset] = 1;
	}
	__atomic_store_n(&buffer->words[0], 0, __ATOMIC_RELAXED);
}

void kcov_enter(void)
{
	mine = NULL;
	/* The kernel refuses a buffer that a living thread has. */
	for (unsigned int i = 0; i < buffer_count; i++) {
		if (ioctl(buffers[i].fd, KCOV_ENABLE, KCOV_TRACE_PC) == 0) {
			mine = &buffers[i];
			empty(mine); /* what its last owner left */
			return;
		}
	}
}

void kcov_collect(void)
{
	if (mine)
		empty(mine);
}

size_t kcov_finish(void)
{
	size_t places = 0;

	for (unsigned int i = 0; i < buffer_count; i++)
		empty(&buffers[i]);
	for (size_t offset = 0; buffer_count && offset < text_size; offset++)
		places += reached[offset];
	return places;
}

/* Is there a place in the set between two addresses? */
static bool reached_between(uint64_t start, uint64_t end)
{
	for (uint64_t address = start; address < end; address++)
		if (address - text_start < text_size &&
		    reached[address - text_start])
			return true;
	return false;
}

/*
 * Find a function of the module: it starts at its symbol, and ends at the next one
 * behind that.
 */
static bool find_function(const char *function, uint64_t *start, uint64_t *end)
{
	char line[256], name[128], module[64], type;
	uint64_t address;
	bool is_text;

	*start = 0;
	*end = text_start + text_size;
	for (int pass = 0; pass < 2; pass++) {
		FILE *file = fopen("/proc/kallsyms", "r");

		while (file && fgets(line, sizeof(line), file)) {
			if (sscanf(line, "%" SCNx64 " %c %127s [%63[^]]",
				   &address, &type, name, module) != 4 ||
			    strcmp(module, "petmem") != 0)
				continue;
			is_text = type == 't' || type == 'T';
			if (pass == 0 && is_text && strcmp(name, function) == 0)
				*start = address;
			if (pass == 1 && address > *start && address < *end)
				*end = address;
		}
		if (file)
			fclose(file);
	}
	return *start;
}

bool kcov_reached(const char *function)
{
	uint64_t start, end;

	return buffer_count && find_function(function, &start, &end) &&
	       reached_between(start, end);
}

void kcov_print(FILE *stream)
{
	unsigned int printed = 0;

	for (size_t offset = 0; buffer_count && offset < text_size; offset++) {
		if (!reached[offset])
			continue;
		fprintf(stream, "%s %zx",
			printed % OFFSETS_PER_LINE ? "" : "kcov:", offset);
		if (++printed % OFFSETS_PER_LINE == 0)
			fputc('\n', stream);
	}
	if (printed % OFFSETS_PER_LINE)
		fputc('\n', stream);
}
