/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tap.h - what the test programs share.
 *
 * A test is a function that returns if all is well. Each runs in a process of
 * its own, and must leave as many free pages as it found and no process behind.
 * The output is TAP. The host's driver also reads these comment lines, and holds
 * the kernel's own messages on the console against them:
 *
 *	# pid 12 will die: trap 14 address 0xffc
 *	# pid 12 will die: out of memory
 *	# pid 12 may die: out of memory
 */

#define PAGE 4096
#define MB (1024 * 1024)

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(f) { #f, f }

/* Run the tests named in argv, or all of them. */
void run_tests(const struct test *tests, int n, int argc, char **argv)
	__attribute__((noreturn));

/* End this process and fail the test, if @cond does not hold. Any process may. */
#define require(cond)						\
	do {							\
		if (!(cond))					\
			fail(__FILE__, __LINE__, #cond);	\
	} while (0)

void fail(const char *file, int line, const char *what) __attribute__((noreturn));

/* Pages of physical memory that the kernel could give away now. */
int free_pages(void);

/* Wait until there are @n free pages; give up after two seconds. */
int wait_for_free_pages(int n);

/* Start a child that runs @f(@arg) and exits. */
int spawn(void (*f)(int), int arg);

/* spawn(), then require that this child, the only one, ends. */
void in_child(void (*f)(int), int arg);

/* Wait for @n children; require that there were no more. */
void reap(int n);

/* Run @f(@arg) in a child that must die by @trap; trap 14 at @address. */
void must_die(int trap, uint address, void (*f)(uint), uint arg);

/* Announce that this process will end for lack of memory. */
void will_run_out_of_memory(void);

/* Announce that process @pid perhaps ends or has ended for lack of memory. */
void may_run_out_of_memory(int pid);

/*
 * A gate holds processes back until one opens it. pass() returns in all of them
 * at once when every process that could open it has called open_gate() or ended.
 */
struct gate {
	int fds[2];
};

void make_gate(struct gate *g);
void pass(struct gate *g);
void open_gate(struct gate *g);

/* The pages of the stack and of the guard below it. */
uint stack_page(void);
uint guard_page(void);

/*
 * Write to every page of this process, so that none is shared any more; except
 * to the @pages pages at @except.
 */
void own_memory_except(const char *except, int pages);

/* Grow until exactly @n pages are free in the whole machine. */
void leave_free_pages(int n);
