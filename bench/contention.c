// SPDX-License-Identifier: GPL-2.0
/*
 * contention.c - how often a thread has to wait for a lock in petmem's code while threads
 * touch fresh memory, by the counts of a kernel with CONFIG_LOCK_STAT
 * (Documentation/locking/lockstat.rst).
 */
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "threads.h"

#define LOCK_STAT "/proc/lock_stat"

/* By all threads together. On two real processors, a fault of eight may take 20 ms. */
#define FAULTS 2048
#define LARGE_FAULTS 512 /* 1 GiB */

#define LINE_SIZE 512

static void reset_counts(void)
{
	FILE *file = fopen(LOCK_STAT, "w");

	if (!file || fputs("0", file) < 0 || fclose(file))
		err(EXIT_FAILURE, LOCK_STAT);
}

/* The last number in a line before @place. */
static unsigned long number_before(const char *place, const char *line)
{
	while (place > line && !isdigit((unsigned char)place[-1]))
		place--;
	while (place > line && isdigit((unsigned char)place[-1]))
		place--;
	return strtoul(place, NULL, 10);
}

/*
 * Add up how often code of petmem's waited. For each class of locks there are lines for
 * the places that waited, then for the places that held the lock. A line of dashes comes
 * before either, and one of dots after both. A line for a place is
 *
 *   CLASS COUNT [<ADDRESS>] FUNCTION+OFFSET/SIZE [MODULE]
 */
static unsigned long count_waits(void)
{
	FILE *file = fopen(LOCK_STAT, "r");
	unsigned long waits = 0;
	unsigned int part = 0;
	char line[LINE_SIZE];

	if (!file)
		err(EXIT_FAILURE, LOCK_STAT);
	while (fgets(line, sizeof(line), file)) {
		char *place = strstr(line, "[<");

		if (strstr(line, "....")) {
			part = 0;
		} else if (strstr(line, " ---")) {
			part++;
		} else if (part == 1 && place && strstr(place, "[petmem]")) {
			waits += number_before(place, line);
		}
	}
	fclose(file);
	return waits;
}

static void measure_waits(const char *row, const struct peer *peer, bool turns)
{
	size_t faults = peer->traits & PEER_LARGE ? LARGE_FAULTS : FAULTS;

	reset_counts();
	touch_together(peer, faults * page_size(peer), turns);
	report(row, peer, MOST_THREADS, count_waits() * 1000.0 / faults);
}

void run_contention(const struct peer *peer)
{
	measure_waits("contention-own", peer, false);
	measure_waits("contention-turns", peer, true);
}
