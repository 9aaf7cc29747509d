// SPDX-License-Identifier: GPL-2.0
/*
 * heap.c - a program that knows nothing of petmem, and looks where its heap is. petmem-run
 * runs it, with the name of a case on the command line. Ends with 0 when all is well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The same as in petmem.h, which such a program does not include. */
#define REGION_START 0x510000000000UL
#define REGION_END (REGION_START + (1UL << 39))

void *__libc_malloc(size_t size);

int mallctl(const char *name, void *old, size_t *old_size, void *new,
	    size_t new_size) __attribute__((weak));

#define THREADS 4
#define ARENAS 8
#define ROUNDS 4000
#define SLOTS 200
#define MB (1UL << 20)
/* More than the pool of the tests has. */
#define SPARSE 60
#define MOVES_ON 8000

static void check(const void *pointer, size_t size)
{
	uintptr_t address = (uintptr_t)pointer;

	if (address < REGION_START || address + size > REGION_END)
		errx(1, "%zu bytes at %p are not petmem's", size, pointer);
}

static void check_value(int ok, const char *what)
{
	if (!ok)
		errx(1, "%s", what);
}

/*
 * Check that nothing else could be a heap: only the stack, and the zeros right behind the
 * data of libraries, are memory without a file.
 */
static void check_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, inode, file_end = 0, ordinary = 0;
	char line[512], name[256];
	int fields;

	check_value(maps != NULL, "/proc/self/maps");
	while (fgets(line, sizeof(line), maps)) {
		fields = sscanf(line, "%lx-%lx %*s %*s %*s %lu %255s", &start,
				&end, &inode, name);
		if (fields == 4 && strcmp(name, "[heap]"))
			file_end = end;
		else if (start != file_end &&
			 (start < REGION_START || start >= REGION_END))
			ordinary += end - start;
	}
	fclose(maps);
	if (ordinary > MB)
		errx(1, "%lu bytes of ordinary memory look like a heap",
		     ordinary);
}

/* What the C library does in the corners; its own functions answer the same. */
static void alignments(void)
{
	size_t odd[] = { 0, 1, 3, 24, 48, 1000, 4097 };
	void *pointer;
	size_t i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		pointer = memalign(odd[i], 100);
		check(pointer, 100);
		check_value((uintptr_t)pointer % (odd[i] > 48 ? 1024 : 8) == 0,
			    "memalign() does not round up");
		free(pointer);
	}
	errno = 0;
	check_value(!memalign(SIZE_MAX, 1) && errno == EINVAL, "memalign()");
	check_value(posix_memalign(&pointer, 48, 1) == EINVAL,
		    "posix_memalign()");
	pointer = aligned_alloc(48, 100);
#if __GLIBC_PREREQ(2, 38)
	check_value(!pointer, "aligned_alloc()");
#else
	check(pointer, 100);
#endif
	free(pointer);
	check_value(!realloc(malloc(1), 0), "realloc() to nothing");
	pointer = malloc(0);
	check(pointer, 0);
	free(pointer);
}

/* Every way to get memory, and every size class. */
static void places(void)
{
	void *pointer;
	size_t size;

	for (size = 1; size <= 8 * MB; size += size / 8 + 1) {
		pointer = malloc(size);
		check(pointer, size);
		memset(pointer, 1, size);
		pointer = realloc(pointer, size + size / 2);
		check(pointer, size + size / 2);
		check_value(((char *)pointer)[0] == 1 &&
				    ((char *)pointer)[size - 1] == 1,
			    "realloc() lost the contents");
		free(pointer);
		pointer = calloc(1, size);
		check(pointer, size);
		check_value(!((char *)pointer)[0] &&
				    !((char *)pointer)[size - 1],
			    "calloc() does not clear");
		free(pointer);
	}
	for (size = 16; size <= 64 * MB; size *= 2) {
		pointer = aligned_alloc(size, size);
		check(pointer, size);
		check_value((uintptr_t)pointer % size == 0, "not aligned");
		free(pointer);
		check_value(!posix_memalign(&pointer, size, 1),
			    "posix_memalign()");
		check(pointer, 1);
		free(pointer);
	}
	alignments();
	pointer = strdup("text");
	check(pointer, 5);
	free(pointer);
	pointer = valloc(1);
	check(pointer, 1);
	free(pointer);
	pointer = pvalloc(1);
	check(pointer, malloc_usable_size(pointer));
	free(pointer);
	check_maps();
}

/* Objects come and go, and each keeps its contents. */
static void *churn(void *argument)
{
	unsigned int seed = (uintptr_t)argument;
	unsigned char *slot[SLOTS] = { NULL };
	size_t size[SLOTS] = { 0 };
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		k = rand_r(&seed) % SLOTS;
		if (slot[k]) {
			check_value(slot[k][0] == k % 251 &&
					    slot[k][size[k] - 1] == k % 251,
				    "an object changed");
			free(slot[k]);
		}
		size[k] = 1 + rand_r(&seed) % (1 << (rand_r(&seed) % 17));
		slot[k] = malloc(size[k]);
		check(slot[k], size[k]);
		memset(slot[k], k % 251, size[k]);
	}
	for (k = 0; k < SLOTS; k++)
		free(slot[k]);
	return NULL;
}

static void threads(void)
{
	pthread_t thread[THREADS];
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		check_value(!pthread_create(&thread[i], NULL, churn,
					    (void *)(i + 1)),
			    "pthread_create()");
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static pthread_barrier_t all_have_memory;

/* Returns the number of the thread's arena. */
static void *use_arena(void *unused)
{
	unsigned int arena;
	size_t size = sizeof(arena);

	churn((void *)11UL);
	check_value(!mallctl("thread.arena", &arena, &size, NULL, 0),
		    "thread.arena");
	pthread_barrier_wait(&all_have_memory);
	(void)unused;
	return (void *)(uintptr_t)arena;
}

/* As many arenas as jemalloc makes by itself: the threads do not wait for each other. */
static void arenas(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int count, expected = processors > 1 ? 4 * processors : 1;
	unsigned int i, users, most = 0;
	size_t size = sizeof(count);
	pthread_t thread[ARENAS];
	void *arena[ARENAS];

	check_value(!mallctl("opt.narenas", &count, &size, NULL, 0) &&
			    count == expected,
		    "opt.narenas");
	pthread_barrier_init(&all_have_memory, NULL, ARENAS);
	for (i = 0; i < ARENAS; i++)
		check_value(!pthread_create(&thread[i], NULL, use_arena, NULL),
			    "pthread_create()");
	for (i = 0; i < ARENAS; i++)
		pthread_join(thread[i], &arena[i]);
	for (i = 0; i < ARENAS; i++) {
		users = 0;
		for (size = 0; size < ARENAS; size++)
			users += arena[size] == arena[i];
		most = users > most ? users : most;
	}
	/* The main thread has one of them. */
	check_value(most <= (ARENAS + expected) / expected,
		    "the threads are not spread");
}

/* A child of a program with threads has the heap as it was, and one of its own. */
static void forks(void)
{
	pthread_t thread;
	char *text = strdup("before");
	int status, i;
	pid_t child;

	for (i = 0; i < THREADS; i++) {
		check_value(!pthread_create(&thread, NULL, churn, (void *)7UL),
			    "pthread_create()");
		child = fork();
		if (!child) {
			check_value(!strcmp(text, "before"),
				    "the child's heap");
			strcpy(text, "child");
			churn((void *)9UL);
			_exit(0);
		}
		waitpid(child, &status, 0);
		check_value(!status, "the child failed");
		check_value(!strcmp(text, "before"), "the child wrote here");
		pthread_join(thread, NULL);
	}
}

/* Close all descriptors, as daemons do. */
static void closes(void)
{
	closefrom(3);
	churn((void *)3UL);
}

/* Where the addresses lie that the heap has reserved for bad times. */
#define SPARE_START (REGION_END - (67UL << 30))
#define NOBODY 65534

/* Grow by 40 MB and shrink again, more often than the pool has room for. */
static void grow(int asks_module)
{
	char *memory[40];
	int round, i;

	for (round = 0; round < 12; round++) {
		for (i = 0; i < 40; i++) {
			memory[i] = malloc(MB + i * 10000UL);
			check_value(memory[i] != NULL, "no memory");
			check(memory[i], MB);
			memset(memory[i], 1, MB);
			check_value(!asks_module ||
					    (uintptr_t)memory[i] < SPARE_START,
				    "the module was not asked");
		}
		for (i = 0; i < 40; i++)
			free(memory[i]);
	}
	memory[0] = calloc(MB, 1);
	for (i = 0; i < (int)MB; i++)
		check_value(!memory[0][i], "calloc() does not clear");
	free(memory[0]);
}

static void be_nobody(void)
{
	check_value(!setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY),
		    "setuid()");
}

/* Daemons close what they do not know, and give up the right to open it again. */
static void user(void)
{
	int fd;

	closefrom(3);
	check_value(!close_range(3, ~0U, 0), "close_range()");
	for (fd = 3; fd < 1024; fd++)
		close(fd);
	be_nobody();
	grow(1);
}

static void root(void)
{
	check_value(!chroot("/var/empty") && !chdir("/"), "chroot()");
	user();
}

static void no_files(void)
{
	struct rlimit none = { 0, 0 };

	check_value(!setrlimit(RLIMIT_NOFILE, &none), "setrlimit()");
	user();
}

/* Other files get the descriptor's number. */
static void other_file(void)
{
	int fd;

	for (fd = 512; fd < 520; fd++)
		check_value(dup2(0, fd) == fd, "dup2()");
	for (fd = 520; fd < 530; fd++)
		check_value(dup3(0, fd, 0) == fd, "dup3()");
	for (fd = 512; fd < 530; fd++)
		check_value(!close(fd), "close()");
	be_nobody();
	grow(1);
}

/* A child that has its parent's memory, but descriptors of its own. */
static void vforks(void)
{
	pid_t child = vfork();

	if (!child) {
		dup2(0, 512);
		dup2(0, 513);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	be_nobody();
	grow(1);
}

/* The library does not see it. */
static void raw_close(void)
{
	check_value(!syscall(SYS_close_range, 3, ~0U, 0), "close_range()");
	be_nobody();
}

static void loses(void)
{
	raw_close();
	grow(0);
}

/* More addresses than are reserved: with PETMEM_FALLBACK=1 it gets ordinary memory. */
static void falls_back(void)
{
	char *memory = NULL;
	int i;

	raw_close();
	for (i = 0; i < 130; i++) {
		memory = malloc(512 * MB);
		if (!memory)
			exit(3);
	}
	check_value((uintptr_t)memory >= REGION_END &&
			    (uintptr_t)memory < REGION_END + (1UL << 39),
		    "it is not ordinary memory");
	memset(memory, 1, MB);
	free(memory);
}

/* No ioctl() and no new file; nothing else is forbidden. */
static struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static struct sock_fprog filter_program = { sizeof(filter) / sizeof(filter[0]),
					    filter };

/* A filter that is refused changes nothing. */
static void refused_filter(void)
{
	check_value(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) &&
			    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
				    NULL) < 0,
		    "no filter");
	grow(1);
	check_value(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl()");
}

static void filter_by_prctl(void)
{
	refused_filter();
	check_value(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
			   &filter_program),
		    "the filter");
	grow(0);
}

static void filter_by_syscall(void)
{
	refused_filter();
	check_value(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
			     &filter_program),
		    "the filter");
	grow(0);
}

/* The program's own open files have the numbers that they have without petmem. */
static void files(void)
{
	check_value(dup(0) == 3 && dup(0) == 4,
		    "the first free descriptors are not 3 and 4");
}

/* Memory of the C library's own allocator, which plugins and the C library may use. */
static void foreign(void)
{
	char *pointer = __libc_malloc(100);
	uintptr_t address = (uintptr_t)pointer;

	check_value(address < REGION_START || address >= REGION_END,
		    "it is not foreign");
	check_value(malloc_usable_size(pointer) >= 100, "its size");
	strcpy(pointer, "text");
	pointer = realloc(pointer, MB);
	check_value(!strcmp(pointer, "text"), "realloc() lost the contents");
	free(pointer);
	free(__libc_malloc(MB));
}

/* The program's RUNPATH, which dlopen() looks up by its caller, leads to the plugin. */
static void plugins(void)
{
	void *plugin = dlopen("plugin.so", RTLD_NOW | RTLD_DEEPBIND);
	void (*take)(char *text);
	char *(*make)(void);
	int (*both)(void);

	if (!plugin)
		errx(1, "%s", dlerror());
	*(void **)&make = dlsym(plugin, "plugin_make");
	*(void **)&take = dlsym(plugin, "plugin_take");
	*(void **)&both = dlsym(plugin, "plugin_both");
	check_value(both(), "within the plugin");
	free(make());
	take(strdup("text"));
	check_value(dlmopen(LM_ID_BASE, "plugin.so",
			    RTLD_NOW | RTLD_DEEPBIND) == plugin,
		    "dlmopen()");
}

/* Memory that was freed goes back to the pool while the program runs on. */
static void gives_back(void)
{
	char *pointer = malloc(64 * MB);

	memset(pointer, 1, 64 * MB);
	check(pointer, 64 * MB);
	puts("full");
	fflush(stdout);
	getchar();
	check_value(pointer[MB] == 1, "the contents changed");
	free(pointer);
	/* jemalloc looks at the clock only when it is called. */
	sleep(2);
	churn((void *)5UL);
	puts("free");
	fflush(stdout);
	getchar();
}

/* Large objects of which little is used: with 2 MiB pages they would fill any pool. */
static void sparse(void)
{
	char *memory[SPARSE];
	size_t i, k;

	for (i = 0; i < SPARSE; i++) {
		memory[i] = malloc(8 * MB);
		check(memory[i], 8 * MB);
		for (k = 0; k < 8 * MB; k += 2 * MB)
			memory[i][k] = i + 1;
	}
	for (i = 0; i < SPARSE; i++)
		for (k = 0; k < 8 * MB; k += 2 * MB)
			check_value(memory[i][k] == (char)(i + 1),
				    "the contents changed");
	/* There are more pages left than the pieces between large ones. */
	memory[0] = malloc(8 * MB);
	memset(memory[0], 1, 8 * MB);
	check(memory[0], 8 * MB);
}

/* With PETMEM_FALLBACK=1 it is ordinary memory that is touched when the pool is empty. */
static void moves_on(void)
{
	size_t count = 0, size, i, outside = 0;
	char **list = malloc(MOVES_ON * sizeof(*list));

	for (i = 0; i < MOVES_ON; i++) {
		size = i % 8 ? 1 + i * 7919 % 20000 : 256UL * 1024;
		list[i] = malloc(size);
		check_value(list[i] != NULL, "no memory");
		memset(list[i], i % 251, size);
		count += size;
		outside += (uintptr_t)list[i] >= REGION_END;
	}
	check_value(outside && outside < MOVES_ON, "the places");
	for (i = 0; i < MOVES_ON; i++) {
		check_value(list[i][0] == (char)(i % 251),
			    "the contents changed");
		free(list[i]);
	}
	/* The pool has memory again. */
	for (i = 0; i < 64; i++) {
		list[i] = malloc(MB);
		memset(list[i], 1, MB);
	}
	check(list[63], MB);
}

/* All is allocated before any of it is touched. */
static void touches_late(void)
{
	char *memory[36];
	size_t i;

	for (i = 0; i < 36; i++) {
		memory[i] = malloc(10 * MB);
		check_value(memory[i] != NULL, "no memory");
	}
	for (i = 0; i < 36; i++)
		memset(memory[i], 1, 10 * MB);
	check_value((uintptr_t)memory[35] >= REGION_END, "the place");
}

/* When it has ordinary memory, another program takes all that is left of the pool. */
static void stands(void)
{
	char *memory;
	int i;

	do {
		memory = malloc(1000);
		memset(memory, 1, 1000);
	} while ((uintptr_t)memory < REGION_END);
	puts("short");
	fflush(stdout);
	getchar();
	for (i = 1; i < 100000; i++)
		memset(malloc(1 + i % 1000), 1, 1 + i % 1000);
}

/* More than any pool of the tests holds. */
static void outgrows(void)
{
	for (;;)
		memset(malloc(MB), 1, MB);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "places", places },
	{ "threads", threads },
	{ "forks", forks },
	{ "closes", closes },
	{ "files", files },
	{ "gives-back", gives_back },
	{ "outgrows", outgrows },
	{ "sparse", sparse },
	{ "moves-on", moves_on },
	{ "touches-late", touches_late },
	{ "stands", stands },
	{ "foreign", foreign },
	{ "plugins", plugins },
	{ "arenas", arenas },
	{ "user", user },
	{ "root", root },
	{ "no-files", no_files },
	{ "other-file", other_file },
	{ "vforks", vforks },
	{ "loses", loses },
	{ "falls-back", falls_back },
	{ "filter-by-prctl", filter_by_prctl },
	{ "filter-by-syscall", filter_by_syscall },
};

/* A program is started under a filter that forbids one call. */
static void run_filtered(const char *number, char **command)
{
	/* A program cannot be started without openat(). */
	filter[1].k = filter[2].k = strtoul(number, NULL, 0);
	check_value(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
			    !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
				   &filter_program),
		    "the filter");
	execvp(command[0], command);
	err(1, "%s", command[0]);
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc > 3 && !strcmp(argv[1], "filtered"))
		run_filtered(argv[2], argv + 3);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (argc == 2 && !strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	errx(2, "no such case");
}
