// SPDX-License-Identifier: GPL-2.0
/*
 * pairs.c - each operation against each other one. See usage().
 *
 * A case runs one operation against all those behind it in a random order, so that
 * each pair has its turn once. A pair runs twice: as two threads of one process, and
 * as two relatives by fork. Each time a new process is made for it, which shares all
 * memory with the case's first one. Both sides repeat their operation until each has done
 * it as often as the table says, or for PAIR_MS. Then all processes must end well, and
 * the pool's counts must be as before.
 *
 * The kernel's log names each pair before it begins, so that a dead guest shows it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "operation.h"

#define MS 1000000L
#define OPERATIONS_MAX 64
/* The longest run of a pair: a slow or busy machine does fewer rounds. */
#define PAIR_MS 200
/* The limit for the end of a pair: much longer than any should take. */
#define PAIR_LIMIT_MS 120000
#define POLL_MS 1

#define ORDINARY_USER 1000

/* In a small pool, an operation that takes everything gets only a few pages. */
#define FAMILY_LIMIT "/sys/module/petmem/parameters/max_family_pages"
#define FEW_PAGES 128
#define MANY_PAGES (GIB / PAGE)

enum relation { THREADS, RELATIVES, RELATIONS };

/* The meeting place of the two sides, in shared memory. */
struct meeting {
	atomic_uint arrived;
	atomic_int process[SIDES];
	atomic_int thread[SIDES];
	atomic_bool done[SIDES];
	atomic_uint shared[SIDES]; /* a side with its children */
};

/* The progress of all cases, in shared memory. */
struct progress {
	size_t next; /* operation, in the order */
	uint32_t scenario;
};

struct scenario {
	const struct operation *operation[SIDES];
	enum relation relation;
	uint64_t seed;
};

int device;

static uint64_t seed;
static unsigned int seconds;
static const char *only;

static const struct operation *order[OPERATIONS_MAX];
static size_t order_count;

static struct progress *progress;
static struct meeting *meeting;
static struct scenario scenario;
static int log_file;

static _Noreturn void usage(void)
{
	fputs("Usage: pairs [--seed N] [--seconds S] [--only \"NAME...\"]\n"
	      "\n"
	      "Run each operation against each other one, in an order that the seed gives.\n"
	      "--seconds repeats this for S seconds. --only chooses operations.\n",
	      stderr);
	exit(EXIT_FAILURE);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / MS;
}

uint64_t draw(struct side *side, uint64_t limit)
{
	return random_below(&side->random, limit);
}

/* ---- One side ---- */

static void do_nothing(int signal)
{
	(void)signal;
}

static struct side new_side(unsigned int number)
{
	unsigned int flags =
		scenario.operation[0]->flags | scenario.operation[1]->flags;

	return (struct side){
		.number = number,
		.random = scenario.seed + number,
		.lenient = flags & (DESTROYS | EMPTIES),
		.shared = &meeting->shared[number],
	};
}

/* Wait for the other side, and get its ids. */
static void meet(struct side *side)
{
	unsigned int other = !side->number;

	atomic_store(&meeting->process[side->number], getpid());
	atomic_store(&meeting->thread[side->number], syscall(SYS_gettid));
	atomic_fetch_add(&meeting->arrived, 1);
	while (atomic_load(&meeting->arrived) < SIDES)
		sched_yield();
	side->process = atomic_load(&meeting->process[other]);
	side->thread = atomic_load(&meeting->thread[other]);
}

/* A failed relative never says that it is done. */
static bool other_is_dead(const struct side *side)
{
	siginfo_t info = { .si_pid = 0 };

	return side->number == 0 && scenario.relation == RELATIVES &&
	       waitid(P_PID, side->process, &info,
		      WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid != 0;
}

static void run_side(unsigned int number)
{
	const struct operation *operation = scenario.operation[number];
	unsigned int left = rounds(operation->rounds);
	struct side side = new_side(number);
	uint64_t end;

	meet(&side);
	end = now_ms() + rounds(PAIR_MS);
	while (left || !atomic_load(&meeting->done[!number])) {
		operation->run(&side);
		if (left && (!--left || now_ms() >= end)) {
			left = 0;
			atomic_store(&meeting->done[number], true);
		}
		if (!left && other_is_dead(&side))
			break;
	}
}

static void *run_second(void *unused)
{
	(void)unused;
	run_side(1);
	return NULL;
}

static void be_relative(void *unused)
{
	run_second(unused);
}

/* ---- One scenario ---- */

static void become_ordinary(void)
{
	CHECK(setgid(ORDINARY_USER) == 0 && setuid(ORDINARY_USER) == 0);
	/* Otherwise root owns its files in /proc. */
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
}

static void catch_signals(void)
{
	struct sigaction action = {
		.sa_handler = do_nothing,
		.sa_flags = SA_RESTART,
	};

	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
}

static void run_scenario(void *unused)
{
	unsigned int flags =
		scenario.operation[0]->flags | scenario.operation[1]->flags;
	pthread_t thread;
	pid_t relative;

	(void)unused;
	catch_signals();
	if (!(flags & NEEDS_ROOT) && scenario.seed % 2)
		become_ordinary();
	if (scenario.relation == THREADS) {
		CHECK(pthread_create(&thread, NULL, run_second, NULL) == 0);
		run_side(0);
		CHECK(pthread_join(thread, NULL) == 0);
	} else {
		relative = spawn(be_relative, NULL);
		run_side(0);
		CHECK(end_of(relative) == 0);
	}
}

static const char *name_of(enum relation relation)
{
	return relation == THREADS ? "threads" : "relatives";
}

static void announce(void)
{
	char text[128];
	int length = snprintf(text, sizeof(text), "<6>pairs: %u: %s, %s, %s\n",
			      scene.scenario, scenario.operation[0]->name,
			      scenario.operation[1]->name,
			      name_of(scenario.relation));

	(void)!write(log_file, text, length);
}

static bool ends_well(pid_t child)
{
	uint64_t end = now_ms() + PAIR_LIMIT_MS;
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (now_ms() > end) {
			printf("# it does not end\n");
			/* Log the blocked tasks. */
			write_file("/proc/sysrq-trigger", "w");
			return false;
		}
		nanosleep(&(struct timespec){ 0, POLL_MS * MS }, NULL);
	}
	if (status) {
		printf("# ended with %#x\n", status);
		return false;
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	return true;
}

static bool is_balanced(const struct petmem_status *before)
{
	struct petmem_status now = pool_status();

	if (now.total_pages == before->total_pages &&
	    now.free_pages == before->free_pages &&
	    now.table_pages == before->table_pages &&
	    now.processes == before->processes)
		return true;
	printf("# free %" PRIu64 "->%" PRIu64 ", tables %" PRIu64 "->%" PRIu64
	       ", processes %" PRIu64 "->%" PRIu64 "\n",
	       (uint64_t)before->free_pages, (uint64_t)now.free_pages,
	       (uint64_t)before->table_pages, (uint64_t)now.table_pages,
	       (uint64_t)before->processes, (uint64_t)now.processes);
	return false;
}

static void limit_family(void)
{
	struct petmem_status status = pool_status();
	uint64_t used = status.total_pages - status.free_pages;
	char text[32];

	if (status.free_pages > MANY_PAGES)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, used + FEW_PAGES);
	CHECK(write_file(FAMILY_LIMIT, text) == 0);
}

static void run_pair(const struct operation *first,
		     const struct operation *second, enum relation relation)
{
	bool empties = (first->flags | second->flags) & EMPTIES;
	struct petmem_status before = pool_status();
	bool passed;

	scene.scenario = progress->scenario++;
	scenario = (struct scenario){
		.operation = { first, second },
		.relation = relation,
		.seed = (seed << 32) + scene.scenario,
	};
	memset(meeting, 0, sizeof(*meeting));
	announce();
	if (empties)
		limit_family();
	passed = ends_well(spawn(run_scenario, NULL));
	if (empties)
		CHECK(write_file(FAMILY_LIMIT, "0") == 0);
	passed = passed && is_balanced(&before);
	if (!passed)
		printf("# %s against %s, %s, scenario %u\n", first->name,
		       second->name, name_of(relation), scene.scenario);
	CHECK(passed);
}

/* ---- One case: an operation against others ---- */

static void run_case_of_pairs(void)
{
	size_t own = progress->next++;
	uint64_t begin = now_ms();
	uint64_t end = begin + seconds * 1000ULL / order_count;
	/* With --seconds an operation meets as many others as there is time for. */
	size_t others = seconds ? order_count : order_count - own;

	device = open_device();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	scene_make();
	do {
		for (size_t i = 0; i < others; i++) {
			for (int r = 0; r < RELATIONS; r++)
				run_pair(order[own],
					 order[(own + i) % order_count], r);
			if (seconds && now_ms() > end)
				break;
		}
	} while (now_ms() < end);
	printf("# %s: %" PRIu64 " ms\n", order[own]->name, now_ms() - begin);
}

/* ---- All ---- */

static bool is_wanted(const char *name)
{
	size_t length = strlen(name);

	for (const char *at = only; (at = strstr(at, name)); at += length)
		if ((at == only || at[-1] == ' ') &&
		    (at[length] == 0 || at[length] == ' '))
			return true;
	return false;
}

static void choose_order(void)
{
	uint64_t random = seed;

	for (size_t i = 0; i < operations_count; i++)
		if (!only || is_wanted(operations[i].name))
			order[order_count++] = &operations[i];
	for (size_t i = order_count; i > 1; i--) {
		size_t other = random_below(&random, i);
		const struct operation *moved = order[i - 1];

		order[i - 1] = order[other];
		order[other] = moved;
	}
	if (!order_count)
		usage();
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, NULL, 'r' }, { "seconds", 1, NULL, 's' },
		{ "only", 1, NULL, 'o' }, { "nothing", 0, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	seed = time(NULL);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 's':
			seconds = strtoul(optarg, NULL, 0);
			break;
		case 'o':
			only = optarg;
			break;
		case 'n': /* for run_exec() */
			exit(EXIT_SUCCESS);
		default:
			usage();
		}
	}
	if (optind < argc)
		usage();
}

int main(int argc, char **argv)
{
	struct guest_case cases[OPERATIONS_MAX];

	parse(argc, argv);
	choose_order();
	for (size_t i = 0; i < order_count; i++)
		cases[i] = (struct guest_case){ order[i]->name,
						run_case_of_pairs };
	progress = shared_memory(sizeof(*progress));
	progress->scenario = 1;
	meeting = shared_memory(sizeof(*meeting));
	CHECK(write_file("/proc/sys/kernel/printk_devkmsg", "on\n") == 0);
	log_file = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	CHECK(log_file >= 0);
	printf("# seed %" PRIu64 "\n", seed);
	return run_cases(cases, order_count);
}
