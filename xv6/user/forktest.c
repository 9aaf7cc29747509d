// SPDX-License-Identifier: GPL-2.0
/* forktest - fork until there is no room; nothing may be lost by that. */
#include "types.h"
#include "param.h"
#include "user.h"
#include "tap.h"

#define FAR_TOO_MANY 1000
#define OTHERS 6	/* processes that may exist besides: init, sh, runner, test... */

/* How many children there can be at once. All have ended when this returns. */
static int fork_until_full(void)
{
	struct gate g;
	int n, pid;

	make_gate(&g);
	for (n = 0; n < FAR_TOO_MANY; n++) {
		pid = fork();
		if (pid == 0) {
			pass(&g);
			exit();
		}
		if (pid < 0)
			break;
	}
	open_gate(&g);
	close(g.fds[0]);
	reap(n);
	return n;
}

static void fork_fails_in_the_end(void)
{
	int n = fork_until_full();

	printf(1, "# %d children\n", n);
	require(n < FAR_TOO_MANY);
	require(n <= NPROC && n >= NPROC - OTHERS);
}

static void room_comes_back(void)
{
	int first = fork_until_full();
	int i;

	for (i = 0; i < 5; i++)
		require(fork_until_full() == first);
}

static void nothing_to_wait_for(void)
{
	require(wait() == -1);
}

/* Numbers are not used again soon, and each child is waited for exactly once. */
static void numbers_differ(void)
{
	int pids[20];
	int i, j;

	for (i = 0; i < 20; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			exit();
		require(pids[i] > 0 && pids[i] != getpid());
		for (j = 0; j < i; j++)
			require(pids[i] != pids[j]);
	}
	for (i = 0; i < 20; i++) {
		int gone = wait();

		for (j = 0; j < 20 && pids[j] != gone; j++)
			;
		require(j < 20);
		pids[j] = 0;
	}
	require(wait() == -1);
}

static const struct test tests[] = {
	TEST(fork_fails_in_the_end),
	TEST(room_comes_back),
	TEST(nothing_to_wait_for),
	TEST(numbers_differ),
};

int main(int argc, char *argv[])
{
	run_tests(tests, sizeof(tests) / sizeof(tests[0]), argc, argv);
}
