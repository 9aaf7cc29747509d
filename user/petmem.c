// SPDX-License-Identifier: GPL-2.0 OR MIT
/* petmem.c - move memory from Linux to the petmem module and back. */

#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "blocks.h"
#include "config.h"
#include "device.h"
#include "donation.h"
#include "draw.h"
#include "interrupt.h"
#include "load.h"
#include "pool.h"

#define PETMEM_TOOL_VERSION "1.0"

#define SYSFS_MEMORY "/sys/devices/system/memory"

#define EXIT_USAGE 2

static const char help[] =
	"Usage: petmem MB [--node K]   take MB megabytes from Linux for petmem, from\n"
	"                              NUMA node K if so told\n"
	"       petmem --config FILE   take what FILE says: petmem.conf(5)\n"
	"       petmem --release [MB]  give unused memory back to Linux\n"
	"       petmem --status        show what petmem holds\n"
	"       petmem --load          load the module, and explain a refusal\n"
	"       petmem pool [--svg FILE | --html FILE]\n"
	"                              draw the machine's memory, and what petmem has of it\n"
	"       petmem --help | --version\n"
	"\n"
	"Memory moves in whole blocks (128 MB on most machines): MB is rounded up.\n"
	"Taking it is all or nothing: it is undone if a signal comes first, or if Linux\n"
	"would have too little left. Giving it back starts at the lowest address, or\n"
	"gives all, and passes over blocks in use. It comes back as movable memory,\n"
	"which can be taken again.\n"
	"\n"
	"Exit status: 0 all of it was done; 1 it was not; 2 wrong usage.\n";

enum action { DONATE, RELEASE, STATUS, LOAD, POOL };

/* What the command line says. */
struct command {
	enum action action;
	struct drawing drawing;
	const char *config; /* a file, or NULL */
	struct request request;
};

__attribute__((noreturn, format(printf, 1, 2))) static void
usage_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vwarnx(format, arguments);
	va_end(arguments);
	fprintf(stderr, "Try: petmem --help\n");
	exit(EXIT_USAGE);
}

/* Digits alone, 1 or more, and few enough that the bytes can be counted. */
static uint64_t parse_megabytes(const char *text)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end)
		usage_error("%s: not a number of megabytes", text);
	if (!value)
		usage_error("%s: at least 1 megabyte", text);
	if (errno || value > UINT64_MAX / MEGABYTE)
		usage_error("%s: no machine has so many megabytes", text);
	return value;
}

static int parse_node(const char *text)
{
	char *end;
	long node;

	errno = 0;
	node = strtol(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || node > INT_MAX)
		usage_error("%s: not the number of a NUMA node", text);
	return node;
}

static void set_action(struct command *command, enum action action)
{
	if (command->action != DONATE || command->config)
		usage_error("one action at a time");
	command->action = action;
}

static void parse_options(struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "node", required_argument, NULL, 'n' },
		{ "release", no_argument, NULL, 'r' },
		{ "status", no_argument, NULL, 's' },
		{ "load", no_argument, NULL, 'l' },
		{ "svg", required_argument, NULL, 'S' },
		{ "html", required_argument, NULL, 'H' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			printf("petmem %s, protocol %d\n", PETMEM_TOOL_VERSION,
			       PETMEM_ABI_VERSION);
			exit(EXIT_SUCCESS);
		case 'c':
			set_action(command, DONATE);
			command->config = optarg;
			break;
		case 'n':
			command->request.node = parse_node(optarg);
			break;
		case 'r':
			set_action(command, RELEASE);
			break;
		case 's':
			set_action(command, STATUS);
			break;
		case 'l':
			set_action(command, LOAD);
			break;
		case 'S':
			command->drawing.svg = optarg;
			break;
		case 'H':
			command->drawing.html = optarg;
			break;
		default:
			fprintf(stderr, "Try: petmem --help\n");
			exit(EXIT_USAGE);
		}
	}
}

/* Everything that the command line says, or the end of the program. */
static struct command parse_command(int argc, char **argv)
{
	struct command command = { .request.node = NODE_ANY };
	bool amount;

	parse_options(&command, argc, argv);
	argv += optind;
	if (*argv && !strcmp(*argv, "pool")) {
		set_action(&command, POOL);
		argv++;
	}
	amount = (command.action == DONATE && !command.config) ||
		 (command.action == RELEASE && *argv);
	if (amount && !*argv)
		usage_error("how many megabytes?");
	if (amount)
		command.request.megabytes = parse_megabytes(*argv++);
	if (*argv)
		usage_error("%s: one argument too many", *argv);
	if (command.request.node != NODE_ANY &&
	    (command.action != DONATE || command.config))
		usage_error("--node goes with an amount to take");
	if ((command.drawing.svg || command.drawing.html) &&
	    command.action != POOL)
		usage_error("--svg and --html go with a picture");
	return command;
}

static bool show_status(int device)
{
	struct petmem_status status;
	struct petmem_block *ranges, *range;
	size_t count;
	int err;

	if (ioctl(device, PETMEM_IOC_STATUS, &status)) {
		warn("%s", PETMEM_DEVICE);
		return false;
	}
	err = device_ranges(device, &ranges, &count);
	if (err) {
		warnx("%s: %s", PETMEM_DEVICE, strerror(-err));
		return false;
	}
	printf("total_pages: %llu\n", status.total_pages);
	printf("free_pages: %llu\n", status.free_pages);
	printf("table_pages: %llu\n", status.table_pages);
	printf("data_pages: %llu\n", status.data_pages);
	printf("processes: %llu\n", status.processes);
	printf("native_processes: %llu\n", status.native_processes);
	printf("block_size: %llu\n", status.block_size);
	for (range = ranges; range < ranges + count; range++)
		printf("block: 0x%llx-0x%llx node %d free %llu of %llu\n",
		       range->start, range->start + range->size, range->node,
		       range->free_pages, range->size / PETMEM_PAGE_SIZE);
	free(ranges);
	if (fflush(stdout)) {
		warn("standard output");
		return false;
	}
	return true;
}

static bool donate_config(int device, const struct blocks *blocks,
			  const char *path)
{
	struct request *requests;
	size_t count;
	bool done;

	if (!config_read(path, &requests, &count))
		return false;
	done = donate(device, blocks, requests, count);
	free(requests);
	return done;
}

static bool draw_pool(int device, const struct blocks *blocks,
		      const struct drawing *drawing)
{
	struct picture *picture = pool_picture(device, blocks);
	bool done = picture && draw(picture, drawing);

	picture_free(picture);
	return done;
}

/* What takes Linux's memory blocks: to move them, or to draw them. */
static bool use_blocks(int device, const struct command *command)
{
	struct blocks blocks;
	bool done;
	int err = blocks_read(&blocks, SYSFS_MEMORY);

	if (err) {
		warnx("%s: %s: has this kernel memory hot-remove (CONFIG_MEMORY_HOTREMOVE)?",
		      SYSFS_MEMORY, strerror(-err));
		return false;
	}
	if (command->action != POOL)
		interrupt_defer();
	if (command->action == POOL)
		done = draw_pool(device, &blocks, &command->drawing);
	else if (command->action == RELEASE)
		done = release(device, &blocks, command->request.megabytes);
	else if (command->config)
		done = donate_config(device, &blocks, command->config);
	else
		done = donate(device, &blocks, &command->request, 1);
	blocks_free(&blocks);
	return done;
}

int main(int argc, char **argv)
{
	struct command command = parse_command(argc, argv);
	bool done;
	int device;

	if (command.action == LOAD)
		return load_module() ? EXIT_SUCCESS : EXIT_FAILURE;
	device = device_open();
	if (device < 0)
		return EXIT_FAILURE;
	if (command.action == STATUS)
		done = show_status(device);
	else
		done = use_blocks(device, &command);
	close(device);

	/* What was not done because of a signal ends by that signal. */
	if (!done && interrupt_signal()) {
		fflush(stdout);
		interrupt_obey();
	}
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
