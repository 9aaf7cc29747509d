// SPDX-License-Identifier: GPL-2.0
/*
 * heap.c - a program that knows nothing of petmem, and looks where its heap is. petmem-run
 * runs it, with the name of a case on the command line. Ends with 0 when all is well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <err.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The same as in petmem.h, which such a program does not include. */
#define REGION_START 0x100000000000UL
#define REGION_END (REGION_START + (1UL << 39))

void *__libc_malloc(size_t size);

#define THREADS 4
#define ROUNDS 4000
#define SLOTS 200
#define MB (1UL << 20)

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

/* The program's own open files have the numbers that they have without petmem. */
static void files(void)
{
	check_value(dup(0) == 3, "the first free descriptor is not 3");
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
	check_value(dlmopen(LM_ID_BASE, "plugin.so", RTLD_NOW | RTLD_DEEPBIND) ==
			    plugin,
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
	{ "places", places },	  { "threads", threads },
	{ "forks", forks },	  { "closes", closes },
	{ "files", files },	  { "gives-back", gives_back },
	{ "outgrows", outgrows }, { "foreign", foreign },
	{ "plugins", plugins },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (argc == 2 && !strcmp(argv[1], cases[i].name)) {
			cases[i].run();
			return 0;
		}
	errx(2, "no such case");
}
