// SPDX-License-Identifier: GPL-2.0
/*
 * model.c - many processes and threads at random, each against a model of its memory.
 *
 * The model of a process has the place of each of its allocations, the pages that it
 * has touched there, and the value of each word in those. All models are in a
 * mapping that the processes share. They live in rounds: after each round every
 * process has stopped or is dead, and the pages in use have to be just those that
 * the models need.
 *
 * With 2 MiB pages (PETMEM_LARGE_PAGES=1) the model does not say which pages are large:
 * that depends on what the pool has when a page is touched. The pages that the models need
 * are then a lower bound, and the others have to be parts of 2 MiB pages, or have been.
 *
 *	MODEL_SEED=N ./model       another run
 *	MODEL_SECONDS=N ./model    a longer one
 *
 * A seed repeats what each thread does, but not how the threads are interleaved.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

enum {
	PROCESSES = 8, /* alive at most */
	FOUNDERS = 4, /* alive at least when a round begins */
	THREADS = 3, /* of a process at most */
	GENERATIONS = 20, /* each is deeper in its ancestors' stack */
	RANGES = 24, /* allocations of a process at most */
	SAMPLES = 64, /* pages of an allocation that are used at most */
	STRIPES = 8, /* parts of a page that are written one by one */
	LEVELS = 4, /* pages, and three levels of tables */
	LEVEL_BITS = 9,
	LARGE = 512, /* pages of a 2 MiB page */
	STEPS = 60, /* of a thread in a round */
	ROUNDS = 8, /* without MODEL_SECONDS */
};

#define STRIPE_SIZE (PAGE / STRIPES)
#define REGION_PAGES ((uint64_t)PETMEM_REGION_SIZE / PAGE)
#define NOWHERE UINT64_MAX
/* Keeps the random numbers of one seed apart from those of the next. */
#define SERIALS 1000003

/* The argument that makes this program look at memory after exec. */
static const char after_exec[] = "after-exec";

/* ---- The model ---- */

/*
 * Events of all processes are numbered, from 1 onwards. Two relatives share a page, or a
 * table, if the last event in it was the same.
 */
struct page {
	/* The last event in the page, and in each table above it; 0: never touched. */
	uint64_t event[LEVELS];
	uint64_t stamp[STRIPES]; /* the event that filled each; 0: zeros */
};

struct range {
	uint64_t start; /* in pages of the region */
	uint64_t pages; /* 0: there is no such range */
	struct page page[SAMPLES];
};

enum ending { NONE, LEAVES, FREES_ALL, IS_KILLED, CRASHES, EXECS, ENDINGS };

struct process {
	atomic_bool taken;
	atomic_int ending; /* enum ending: how it is about to end */
	pid_t pid;
	uint64_t serial;
	int generation;
	struct range range[RANGES];
};

struct world {
	atomic_ullong events;
	atomic_ullong serials;
	atomic_int alive; /* processes, from birth to burial */
	pid_t coordinator;
	struct process process[PROCESSES];
};

static struct world *world;
static uint64_t seed = 1;
static bool large_pages;

static uint64_t new_event(void)
{
	return atomic_fetch_add(&world->events, 1) + 1;
}

static size_t sample_count(const struct range *range)
{
	return range->pages < SAMPLES ? range->pages : SAMPLES;
}

/* The samples are spread evenly; the first and the last page are among them. */
static uint64_t sample_number(const struct range *range, size_t sample)
{
	if (sample == 0)
		return range->start;
	return range->start +
	       sample * (range->pages - 1) / (sample_count(range) - 1);
}

static char *address_of(uint64_t number)
{
	return REGION + number * PAGE;
}

/* The range that overlaps some pages, or NULL. */
static const struct range *overlap(const struct process *process,
				   uint64_t start, uint64_t pages)
{
	for (size_t i = 0; i < RANGES; i++) {
		const struct range *range = &process->range[i];

		if (range->pages && start < range->start + range->pages &&
		    range->start < start + pages)
			return range;
	}
	return NULL;
}

static bool is_touched(const struct page *page)
{
	return page->event[0];
}

/* A page was mapped or written: now the process is its only owner, and of its tables. */
static uint64_t touch(struct page *page)
{
	uint64_t event = new_event();

	for (size_t level = 0; level < LEVELS; level++)
		page->event[level] = event;
	return event;
}

/* The first place for this many pages, or NOWHERE. */
static uint64_t first_place(const struct process *process, uint64_t pages,
			    uint64_t align)
{
	const struct range *range;
	uint64_t start = 0;

	while (start + pages <= REGION_PAGES) {
		range = overlap(process, start, pages);
		if (!range)
			return start;
		start = range->start + range->pages;
		start = (start + align - 1) / align * align;
	}
	return NOWHERE;
}

/* The place that first fit has to choose: where 2 MiB pages fit, if there is one. */
static uint64_t first_fit(const struct process *process, uint64_t pages,
			  uint64_t align)
{
	uint64_t start = NOWHERE;

	if (large_pages && pages >= LARGE)
		start = first_place(process, pages,
				    align > LARGE ? align : LARGE);
	return start != NOWHERE ? start : first_place(process, pages, align);
}

/* ---- Pages of the pool that the models need ---- */

/* A page of the pool: data at level 0, tables above. Equal ones are one page. */
struct frame {
	unsigned int level;
	uint64_t place; /* the part of the region that it covers */
	uint64_t event;
};

#define FRAMES_MAX ((size_t)PROCESSES * RANGES * SAMPLES * LEVELS)

static int compare(const void *first, const void *second)
{
	const struct frame *a = first, *b = second;

	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return (a->event > b->event) - (a->event < b->event);
}

static uint64_t place_of(uint64_t number, unsigned int level)
{
	return number >> (level * LEVEL_BITS);
}

static size_t add_page(struct frame *frames, uint64_t number,
		       const struct page *page)
{
	for (unsigned int level = 0; level < LEVELS; level++)
		frames[level] = (struct frame){ level, place_of(number, level),
						page->event[level] };
	return LEVELS;
}

/* The frames that a process reaches. Returns their number. */
static size_t frames_of(const struct process *process, struct frame *frames)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < RANGES; i++) {
		const struct range *range = &process->range[i];

		for (size_t j = 0; j < sample_count(range); j++)
			if (is_touched(&range->page[j]))
				count += add_page(frames + count,
						  sample_number(range, j),
						  &range->page[j]);
	}
	qsort(frames, count, sizeof(*frames), compare);
	/* Keep the last one of each place: the newest event. */
	for (size_t i = 0; i < count; i++)
		if (i + 1 == count || frames[i].level != frames[i + 1].level ||
		    frames[i].place != frames[i + 1].place)
			frames[kept++] = frames[i];
	return kept;
}

static void check_pool(const struct petmem_status *before)
{
	static struct frame frames[FRAMES_MAX];
	struct petmem_status now = pool_status();
	uint64_t pages[LEVELS] = { 0 }, tables;
	size_t count = 0;

	for (size_t i = 0; i < PROCESSES; i++)
		count += frames_of(&world->process[i], frames + count);
	qsort(frames, count, sizeof(*frames), compare);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || compare(&frames[i - 1], &frames[i]) != 0)
			pages[frames[i].level]++;
	tables = pages[1] + pages[2] + pages[3];
	if (!large_pages && (now.data_pages != before->data_pages + pages[0] ||
			     now.table_pages != before->table_pages + tables))
		printf("# data %llu, to be %llu; tables %llu, to be %llu\n",
		       now.data_pages, before->data_pages + pages[0],
		       now.table_pages, before->table_pages + tables);
	CHECK(now.data_pages >= before->data_pages + pages[0]);
	CHECK(large_pages || now.data_pages == before->data_pages + pages[0]);
	CHECK(large_pages || now.table_pages == before->table_pages + tables);
	CHECK(now.data_pages >= LARGE * now.large_pages);
	CHECK(now.total_pages ==
	      now.free_pages + now.table_pages + now.data_pages);
	CHECK(now.processes == before->processes + atomic_load(&world->alive));
}

/* ---- A process ---- */

static struct process *self;
static int device;

/*
 * A step holds `steps` for reading, so that none is under way during a fork. The
 * order of locks: steps, range, map.
 */
static pthread_rwlock_t steps;
static pthread_mutex_t range_lock[RANGES];
/* Guards the places of the ranges, in the model and in the module. */
static pthread_mutex_t map_lock;

static void make_locks(void)
{
	pthread_rwlockattr_t attributes;

	CHECK(pthread_rwlockattr_init(&attributes) == 0);
	CHECK(pthread_rwlockattr_setkind_np(
		      &attributes,
		      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) == 0);
	CHECK(pthread_rwlock_init(&steps, &attributes) == 0);
	for (size_t i = 0; i < RANGES; i++)
		CHECK(pthread_mutex_init(&range_lock[i], NULL) == 0);
	CHECK(pthread_mutex_init(&map_lock, NULL) == 0);
}

/*
 * Most are small, some span tables, and the region limits a few. With 2 MiB pages the
 * pool is the limit, because one touch takes so much more.
 */
static uint64_t random_pages(uint64_t *state)
{
	if (large_pages)
		return 1 + random_below(state, random_below(state, 6)
						       ? 40
						       : 3 * LARGE);
	switch (random_below(state, 12)) {
	case 0:
		return 1 + random_below(state, REGION_PAGES / 2);
	case 1:
	case 2:
		return 1 + random_below(state, 5000);
	default:
		return 1 + random_below(state, 40);
	}
}

static void allocate(struct range *range, uint64_t *state)
{
	uint64_t pages = random_pages(state);
	uint64_t align = 1;
	size_t size = pages * PAGE - random_below(state, PAGE);
	uint64_t start;
	char *memory;

	if (random_below(state, 4) == 0)
		align <<= random_below(state, 2 * LEVEL_BITS + 1);
	pthread_mutex_lock(&map_lock);
	start = first_fit(self, pages, align);
	memory = pet_aligned_alloc(align * PAGE, size);
	if (start == NOWHERE) {
		CHECK(memory == NULL && errno == ENOMEM);
	} else {
		CHECK(memory == address_of(start));
		memset(range->page, 0, sizeof(range->page));
		range->start = start;
		range->pages = pages;
	}
	pthread_mutex_unlock(&map_lock);
}

static void check_page(const struct range *range, size_t sample)
{
	const struct page *page = &range->page[sample];
	const char *memory = address_of(sample_number(range, sample));

	for (size_t i = 0; i < STRIPES; i++, memory += STRIPE_SIZE)
		if (page->stamp[i])
			CHECK(holds(memory, STRIPE_SIZE, page->stamp[i]));
		else
			CHECK(is_zero(memory, STRIPE_SIZE));
}

static void write_page(struct range *range, size_t sample, size_t first,
		       size_t last)
{
	struct page *page = &range->page[sample];
	char *memory = address_of(sample_number(range, sample));
	uint64_t event;

	event = touch(page);
	for (size_t i = first; i <= last; i++) {
		page->stamp[i] = event;
		fill(memory + i * STRIPE_SIZE, STRIPE_SIZE, page->stamp[i]);
	}
}

/* Read, write in part, or write fully some pages that follow each other. */
static void use(struct range *range, uint64_t *state)
{
	size_t sample = random_below(state, sample_count(range));
	size_t end = sample + 1 + random_below(state, 16);
	size_t stripe;

	for (; sample < end && sample < sample_count(range); sample++) {
		switch (random_below(state, 3)) {
		case 0:
			if (!is_touched(&range->page[sample]))
				touch(&range->page[sample]);
			break;
		case 1:
			stripe = random_below(state, STRIPES);
			write_page(range, sample, stripe, stripe);
			break;
		case 2:
			write_page(range, sample, 0, STRIPES - 1);
			break;
		}
		check_page(range, sample);
	}
}

/* The process is now the only owner of a table: tell all pages below it. */
static void own_table(unsigned int level, uint64_t place, uint64_t event)
{
	for (size_t i = 0; i < RANGES; i++) {
		struct range *range = &self->range[i];

		for (size_t j = 0; j < sample_count(range); j++)
			if (place_of(sample_number(range, j), level) == place)
				range->page[j].event[level] = event;
	}
}

static bool has_touched(const struct range *range, unsigned int level,
			uint64_t place)
{
	for (size_t i = 0; i < sample_count(range); i++)
		if (is_touched(&range->page[i]) &&
		    place_of(sample_number(range, i), level) == place)
			return true;
	return false;
}

/*
 * A free unshares the tables at each end of the range that it covers only in part, if
 * they map something of the range.
 */
static void own_tables(const struct range *range, uint64_t number)
{
	uint64_t event = new_event();

	for (unsigned int level = LEVELS - 1; level > 0; level--) {
		uint64_t place = place_of(number, level);
		uint64_t first = place << (level * LEVEL_BITS);
		uint64_t end = (place + 1) << (level * LEVEL_BITS);

		if ((range->start <= first &&
		     end <= range->start + range->pages) ||
		    !has_touched(range, level, place))
			break;
		own_table(level, place, event);
	}
}

static void release(struct range *range)
{
	char *memory = address_of(range->start);

	for (size_t i = 0; i < sample_count(range); i++)
		if (is_touched(&range->page[i]))
			check_page(range, i);
	pthread_mutex_lock(&map_lock);
	pet_free(memory);
	CHECK(faults(memory, READ));
	own_tables(range, range->start);
	own_tables(range, range->start + range->pages - 1);
	range->pages = 0;
	pthread_mutex_unlock(&map_lock);
}

/* Compare the module's answer for a page in a range; behind the range, expect a fault. */
static void ask(const struct range *range, uint64_t *state)
{
	uint64_t end = range->start + range->pages;
	struct petmem_query query = {
		.addr = (uintptr_t)address_of(
			range->start + random_below(state, range->pages)),
	};

	pthread_mutex_lock(&map_lock);
	CHECK(ioctl(device, PETMEM_IOC_QUERY, &query) == 0);
	CHECK(query.addr == (uintptr_t)address_of(range->start));
	CHECK(query.size == range->pages * PAGE);
	if (end < REGION_PAGES && !overlap(self, end, 1))
		CHECK(faults(address_of(end), WRITE));
	pthread_mutex_unlock(&map_lock);
}

static void work_on(struct range *range, uint64_t *state)
{
	if (!range->pages) {
		allocate(range, state);
		return;
	}
	switch (random_below(state, 10)) {
	case 0:
	case 1:
		release(range);
		break;
	case 2:
		ask(range, state);
		break;
	default:
		use(range, state);
		break;
	}
}

/* ---- Its end ---- */

/* End the process while its other threads go on. Only one thread does it. */
static void end(enum ending ending)
{
	int none = NONE;

	if (!atomic_compare_exchange_strong(&self->ending, &none, ending))
		return;
	switch (ending) {
	case IS_KILLED:
		kill(getpid(), SIGKILL);
		break;
	case CRASHES:
		pthread_mutex_lock(&map_lock);
		*(volatile char *)address_of(first_fit(self, 1, 1)) = 1;
		break;
	case EXECS:
		execl("/proc/self/exe", "model", after_exec, NULL);
		break;
	case FREES_ALL:
		for (size_t i = 0; i < RANGES; i++) {
			pthread_mutex_lock(&range_lock[i]);
			if (self->range[i].pages)
				release(&self->range[i]);
		}
		_exit(EXIT_SUCCESS);
	default:
		_exit(EXIT_SUCCESS);
	}
	CHECK(!"the end");
}

static int look_after_exec(void)
{
	connect_petmem();
	CHECK(faults(REGION, READ));
	CHECK(must_malloc(PAGE) == REGION && is_zero(REGION, PAGE));
	return EXIT_SUCCESS;
}

static bool ended_as_it_said(const struct process *process, int status)
{
	switch (atomic_load(&process->ending)) {
	case NONE:
		return false;
	case IS_KILLED:
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	case CRASHES:
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
	default:
		return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
	}
}

/* ---- Its birth ---- */

static _Noreturn void live(void);

/* A model for a child; NULL if there are as many as there may be. */
static struct process *new_process(const struct process *parent)
{
	for (size_t i = 0; i < PROCESSES; i++) {
		struct process *process = &world->process[i];

		if (atomic_exchange(&process->taken, true))
			continue;
		if (parent)
			memcpy(process->range, parent->range,
			       sizeof(process->range));
		process->serial = atomic_fetch_add(&world->serials, 1);
		process->generation = parent ? parent->generation + 1 : 0;
		atomic_fetch_add(&world->alive, 1);
		return process;
	}
	return NULL;
}

static _Noreturn void be(struct process *process)
{
	self = process;
	self->pid = getpid();
	make_locks();
	live();
}

/*
 * The coordinator has to be the parent of all, so that it can wait for all. So a process
 * in between forks the child, and ends at once.
 */
static void give_birth(void)
{
	struct process *child;
	pid_t between;

	if (self->generation == GENERATIONS)
		return;
	child = new_process(self);
	if (!child)
		return;
	between = fork();
	CHECK(between >= 0);
	if (between > 0) {
		CHECK(waitpid(between, NULL, 0) == between);
		return;
	}
	between = fork();
	CHECK(between >= 0);
	if (between > 0)
		_exit(EXIT_SUCCESS);
	while (getppid() != world->coordinator)
		sched_yield();
	be(child);
}

/* ---- Its life ---- */

static uint64_t rounds_lived;

static void step(uint64_t *state)
{
	size_t i = random_below(state, RANGES);

	if (random_below(state, UINT64_C(4) * STEPS) == 0) {
		pthread_rwlock_wrlock(&steps);
		give_birth();
		pthread_rwlock_unlock(&steps);
	}
	pthread_rwlock_rdlock(&steps);
	if (random_below(state, UINT64_C(16) * STEPS) == 0)
		end(1 + random_below(state, ENDINGS - 1));
	pthread_mutex_lock(&range_lock[i]);
	work_on(&self->range[i], state);
	pthread_mutex_unlock(&range_lock[i]);
	pthread_rwlock_unlock(&steps);
}

static void *run_thread(void *argument)
{
	uint64_t state = seed * SERIALS + self->serial;

	state = (state << 32) + rounds_lived * THREADS + (size_t)argument;
	for (int i = 0; i < STEPS; i++)
		step(&state);
	return NULL;
}

static _Noreturn void live(void)
{
	size_t threads = self->serial % THREADS;
	pthread_t thread[THREADS];

	for (;; rounds_lived++) {
		for (size_t i = 0; i < threads; i++)
			CHECK(pthread_create(&thread[i], NULL, run_thread,
					     (void *)i) == 0);
		run_thread((void *)threads);
		for (size_t i = 0; i < threads; i++)
			CHECK(pthread_join(thread[i], NULL) == 0);
		raise(SIGSTOP);
	}
}

/* ---- The coordinator ---- */

static void found(void)
{
	struct process *process = new_process(NULL);
	pid_t child;

	CHECK(process != NULL);
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		be(process);
}

static struct process *process_of(pid_t pid)
{
	for (size_t i = 0; i < PROCESSES; i++)
		if (world->process[i].pid == pid)
			return &world->process[i];
	return NULL;
}

static void bury(struct process *process)
{
	process->pid = 0;
	memset(process->range, 0, sizeof(process->range));
	atomic_store(&process->ending, NONE);
	atomic_store(&process->taken, false);
	atomic_fetch_sub(&world->alive, 1);
}

/* Wait until every process has stopped, and bury those that ended. */
static void wait_until_quiet(void)
{
	int stopped = 0;

	while (stopped < atomic_load(&world->alive)) {
		int status;
		pid_t pid = waitpid(-1, &status, WUNTRACED);
		struct process *process = process_of(pid);

		CHECK(pid > 0);
		if (!process) {
			/* The process between a parent and its child. */
			CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		} else if (WIFSTOPPED(status)) {
			stopped++;
		} else {
			CHECK(ended_as_it_said(process, status));
			bury(process);
		}
	}
}

static void go_on(void)
{
	while (atomic_load(&world->alive) < FOUNDERS)
		found();
	for (size_t i = 0; i < PROCESSES; i++)
		if (world->process[i].pid)
			CHECK(kill(world->process[i].pid, SIGCONT) == 0);
}

static void coordinate(void *argument)
{
	const char *seconds = getenv("MODEL_SECONDS");
	time_t end = seconds ? time(NULL) + atol(seconds) : 0;
	struct petmem_status before;
	unsigned int lived = 0;

	(void)argument;
	CHECK(setpgid(0, 0) == 0);
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	world->coordinator = getpid();
	connect_petmem();
	device = open_device();
	before = pool_status();
	while (end ? time(NULL) < end : lived < rounds(ROUNDS)) {
		go_on();
		wait_until_quiet();
		check_pool(&before);
		lived++;
	}
	printf("# seed %llu, %u rounds, %llu processes, %llu pages touched or written\n",
	       (unsigned long long)seed, lived, atomic_load(&world->serials),
	       atomic_load(&world->events));
}

static void at_random(void)
{
	const char *number = getenv("MODEL_SEED");
	pid_t coordinator;
	int status;

	if (number)
		seed = strtoull(number, NULL, 0);
	printf("# seed %llu\n", (unsigned long long)seed);
	world = shared_memory(sizeof(*world));
	/* Stopped processes have to go before the pages are counted. */
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	coordinator = spawn(coordinate, NULL);
	status = status_of(coordinator);
	kill(-coordinator, SIGKILL);
	while (wait(NULL) > 0)
		;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

static const struct guest_case cases[] = {
	{ "processes and threads at random, against models", at_random },
};

int main(int argc, char **argv)
{
	const char *wanted;

	if (argc > 1 && strcmp(argv[1], after_exec) == 0)
		return look_after_exec();
	wanted = getenv("PETMEM_LARGE_PAGES");
	large_pages = wanted && strcmp(wanted, "1") == 0;
	return run_cases(cases, COUNT_OF(cases));
}
