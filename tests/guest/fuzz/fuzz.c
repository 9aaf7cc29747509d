// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz.c - random hostile programs against /dev/petmem. See usage().
 *
 * Prints TAP: a result for each group of programs, and one for the code that they reached.
 */
#define _GNU_SOURCE
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kcov.h"
#include "action.h"
#include "result.h"
#include "runner.h"

#define GROUP_SECONDS 10
#define THREADS_TRACED 24

/* Programs have to reach these functions, where KCOV can tell. */
static const char *const main_functions[] = {
	"petmem_alloc_vspace",	   "petmem_free_vspace",
	"petmem_query_vspace",	   "petmem_handle_pagefault",
	"petmem_populate_vspace",  "petmem_pgtables_make_private",
	"petmem_pgtables_unmap",   "petmem_tlb_shootdown",
	"petmem_reservation_mmap", "petmem_process_reserve",
	"petmem_cow_fork",	   "petmem_cow_break",
	"petmem_alloc_page",	   "petmem_give_page",
	"petmem_inspect_process",  "petmem_inspect_walk",
	"petmem_inspect_span",
};

static uint64_t seed = 1;
static unsigned int seconds = 60;
static unsigned int workers;
static uint64_t program_seed;
static unsigned int times = 1;

static _Noreturn void usage(void)
{
	fputs("Usage: fuzz [--seed N] [--seconds S] [--workers N]\n"
	      "       fuzz --program SEED [--steps FIRST-LAST] [--only \"ACTION...\"]\n"
	      "            [--times N] [--verbose]\n"
	      "\n"
	      "Run random programs as an ordinary user, in groups of 10 seconds; with\n"
	      "--program the one program of a seed, or some of its first flow's steps.\n"
	      "In the second half of the time nearly all of the pool is taken.\n",
	      stderr);
	exit(EXIT_FAILURE);
}

static void parse_steps(const char *text)
{
	if (sscanf(text, "%u-%u", &choice.first, &choice.last) < 2)
		usage();
}

static _Noreturn void run_after_exec(const char *text)
{
	uint64_t flow_seed;

	if (sscanf(text, "%" SCNx64 ",%" SCNx64, &program_seed, &flow_seed) < 2)
		exit(EXIT_FAILURE);
	program_run_after_exec(program_seed, flow_seed);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, NULL, 'r' },	{ "seconds", 1, NULL, 's' },
		{ "workers", 1, NULL, 'w' },	{ "program", 1, NULL, 'p' },
		{ "steps", 1, NULL, 'n' },	{ "only", 1, NULL, 'o' },
		{ "times", 1, NULL, 't' },	{ "verbose", 0, NULL, 'v' },
		{ "after-exec", 1, NULL, 'x' }, { NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 's':
			seconds = strtoul(optarg, NULL, 0);
			break;
		case 'w':
			workers = strtoul(optarg, NULL, 0);
			break;
		case 'p':
			program_seed = strtoull(optarg, NULL, 0);
			break;
		case 'n':
			parse_steps(optarg);
			break;
		case 'o':
			choice.only = optarg;
			break;
		case 't':
			times = strtoul(optarg, NULL, 0);
			break;
		case 'v':
			choice.verbose = true;
			break;
		case 'x':
			run_after_exec(optarg);
		default:
			usage();
		}
	}
	if (optind < argc)
		usage();
}

static bool reached_main_functions(void)
{
	bool all = true;

	for (size_t i = 0; i < COUNT_OF(main_functions); i++) {
		if (kcov_reached(main_functions[i]))
			continue;
		printf("# not reached: %s\n", main_functions[i]);
		all = false;
	}
	return all;
}

/* The last result: the code that was reached. */
static bool judge_coverage(unsigned int number, bool traced)
{
	size_t places = kcov_finish();
	bool passed = !traced || reached_main_functions();

	kcov_print(stdout);
	printf("# %zu places of the module reached\n", places);
	printf("%s %u - the main functions are reached%s\n",
	       passed ? "ok" : "not ok", number,
	       traced ? "" : " # SKIP this kernel has no KCOV");
	return passed;
}

static bool run_groups(void)
{
	unsigned int groups =
		seconds > GROUP_SECONDS ? seconds / GROUP_SECONDS : 1;
	bool traced = kcov_init(THREADS_TRACED);
	bool all = true;
	pid_t hog = 0;

	printf("1..%u\n", groups + 1);
	for (unsigned int i = 0; i < groups; i++) {
		uint64_t programs = result->programs;
		uint64_t steps = result->steps;
		bool passed;

		if (i == groups / 2 && groups > 1)
			hog = start_hog();
		passed = run_group(seed + i, seconds / groups, workers);
		printf("%s %u - seed %" PRIu64 ": %" PRIu64
		       " programs, %" PRIu64 " steps%s\n",
		       passed ? "ok" : "not ok", i + 1, seed + i,
		       result->programs - programs, result->steps - steps,
		       hog ? ", hardly any memory" : "");
		fflush(stdout);
		all = passed && all;
	}
	if (hog)
		stop_hog(hog);
	actions_print();
	return judge_coverage(groups + 1, traced) && all;
}

static bool run_one_program(void)
{
	bool all = true;

	printf("1..%u\n", times);
	for (unsigned int i = 0; i < times; i++) {
		bool passed = run_alone(program_seed);

		printf("%s %u - program %#" PRIx64 "\n",
		       passed ? "ok" : "not ok", i + 1, program_seed);
		fflush(stdout);
		all = passed && all;
	}
	return all;
}

int main(int argc, char **argv)
{
	bool passed;

	parse(argc, argv);
	if (!workers)
		workers = sysconf(_SC_NPROCESSORS_ONLN);
	runner_init();
	passed = program_seed ? run_one_program() : run_groups();
	return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
