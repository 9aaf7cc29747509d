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
#include "draw.h"
#include "interrupt.h"
#include "load.h"
#include "map_picture.h"
#include "pool_picture.h"
#include "status.h"
#include "top.h"
#include "transfer.h"
#include "walk.h"

#define SYSFS_MEMORY "/sys/devices/system/memory"

#define EXIT_USAGE 2

static const char help[] =
	"Usage: petmem donate MB [--node K]\n"
	"                              take MB megabytes from Linux for petmem, from\n"
	"                              NUMA node K if given; or just: petmem MB\n"
	"       petmem donate --config FILE\n"
	"                              take what FILE says: petmem.conf(5)\n"
	"       petmem release [MB]    give unused memory back to Linux\n"
	"       petmem status [--json]\n"
	"                              show what petmem holds, and whose it is\n"
	"       petmem load            load the module, and explain a refusal\n"
	"       petmem pool [--svg FILE | --html FILE]\n"
	"                              draw the machine's memory, and what petmem has of it\n"
	"       petmem map PID [--svg FILE | --html FILE]\n"
	"                              draw what a process has allocated, and what is mapped\n"
	"       petmem walk PID ADDRESS\n"
	"                              show the path of an address (in hexadecimal) through\n"
	"                              the page tables\n"
	"       petmem top [--once]    show pool and processes once a second, until q\n"
	"       petmem --help | --version\n"
	"\n"
	"Memory moves in whole blocks (128 MB on most machines): MB is rounded up.\n"
	"Taking it is all or nothing: it is undone if a signal comes first, or if Linux\n"
	"would have too little left. Release starts at the lowest address and skips\n"
	"blocks in use; without MB it gives everything back. The memory comes back as\n"
	"movable, so that it can be taken again. A terminal shows the progress.\n"
	"\n"
	"--release, --status and --load are the same as the words.\n"
	"\n"
	"Exit status: 0 all of it was done; 1 it was not; 2 wrong usage.\n";

enum action { DONATE, RELEASE, STATUS, LOAD, POOL, MAP, WALK, TOP };

/* The command line, parsed. */
struct command {
	enum action action;
	struct drawing drawing;
	bool json;
	bool once;
	unsigned int pid;
	uint64_t addr;
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

/* Only digits, at least 1, and few enough that the bytes fit in 64 bits. */
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
		usage_error("%s: more megabytes than any machine has", text);
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

static unsigned int parse_pid(const char *text)
{
	char *end;
	unsigned long pid;

	errno = 0;
	pid = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || !pid ||
	    pid > INT_MAX)
		usage_error("%s: not the number of a process", text);
	return pid;
}

/* In hexadecimal, as in /proc/PID/maps, with or without 0x. */
static uint64_t parse_address(const char *text)
{
	unsigned long long addr;
	char *end;

	errno = 0;
	addr = strtoull(text, &end, 16);
	if (!isxdigit((unsigned char)*text) || *end || errno)
		usage_error("%s: not an address", text);
	return addr;
}

static void set_action(struct command *command, enum action action)
{
	/* --config says what to donate, and may come with that word. */
	if (command->action != DONATE || (command->config && action != DONATE))
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
		{ "json", no_argument, NULL, 'j' },
		{ "once", no_argument, NULL, 'o' },
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
			printf("petmem %s, protocol %d\n", PETMEM_VERSION,
			       PETMEM_ABI_VERSION);
			exit(EXIT_SUCCESS);
		case 'c':
			if (command->config)
				usage_error("one file at a time");
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
		case 'j':
			command->json = true;
			break;
		case 'o':
			command->once = true;
			break;
		default:
			fprintf(stderr, "Try: petmem --help\n");
			exit(EXIT_USAGE);
		}
	}
}

/* Parse the word for the action, and its arguments. Returns the arguments left. */
static char **parse_word(struct command *command, char **argv)
{
	static const struct {
		const char *name;
		enum action action;
		const char *missing; /* error without a process, or NULL */
	} words[] = {
		{ "donate", DONATE, NULL },
		{ "release", RELEASE, NULL },
		{ "status", STATUS, NULL },
		{ "load", LOAD, NULL },
		{ "pool", POOL, NULL },
		{ "map", MAP, "map which process?" },
		{ "walk", WALK, "walk for which process?" },
		{ "top", TOP, NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!*argv || strcmp(*argv, words[i].name))
			continue;
		set_action(command, words[i].action);
		argv++;
		if (words[i].missing && !*argv)
			usage_error("%s", words[i].missing);
		if (words[i].missing)
			command->pid = parse_pid(*argv++);
		if (command->action == WALK && !*argv)
			usage_error("walk to which address?");
		if (command->action == WALK)
			command->addr = parse_address(*argv++);
		break;
	}
	return argv;
}

/* Parse the command line. Ends the program if it is wrong, or only asks for help. */
static struct command parse_command(int argc, char **argv)
{
	struct command command = { .request.node = NODE_ANY };
	bool amount;

	parse_options(&command, argc, argv);
	argv += optind;
	argv = parse_word(&command, argv);
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
	    command.action != POOL && command.action != MAP)
		usage_error("--svg and --html go with a picture");
	if (command.json && command.action != STATUS)
		usage_error("--json goes with status");
	if (command.once && command.action != TOP)
		usage_error("--once goes with top");
	return command;
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

static bool draw_map(int device, const struct command *command)
{
	struct picture *picture = map_picture(device, command->pid);
	bool done = picture && draw(picture, &command->drawing);

	picture_free(picture);
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

/* Do an action that needs Linux's memory blocks: move them, or draw them. */
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

static bool run(int device, const struct command *command)
{
	switch (command->action) {
	case STATUS:
		return show_status(device, command->json);
	case MAP:
		return draw_map(device, command);
	case WALK:
		return show_walk(device, command->pid, command->addr);
	case TOP:
		return show_top(device, command->once);
	default:
		return use_blocks(device, command);
	}
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
	done = run(device, &command);
	close(device);

	/* If a signal came before it was done, end by that signal. */
	if (!done && interrupt_signal()) {
		fflush(stdout);
		interrupt_obey();
	}
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
