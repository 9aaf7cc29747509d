/* SPDX-License-Identifier: GPL-2.0 */
/*
 * peers.h - the peers that do the same work side by side: kinds of Linux memory, pagers
 * in user space, and petmem in its variants. Each is one entry of the table in peers.c.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#define PAGE_SIZE ((size_t)4096)
#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)
#define LARGE_PAGE (2 * MIB)

#define MOST_SETTINGS 4

/* What is special about a peer. */
enum peer_traits {
	PEER_EAGER = 1 << 0, /* get() maps the pages: no first touch */
	PEER_LARGE = 1 << 1, /* only for whole, aligned 2 MiB */
	PEER_FORK = 1 << 2, /* worth a look in fork() */
	PEER_POOL = 1 << 3, /* takes its pages from petmem's pool */
	PEER_RANGES = 1 << 4, /* worth a look with many ranges */
	PEER_THREADS = 1 << 5, /* worth a look with threads that work at once */
	PEER_QUICK = 1 << 6, /* part of a quick run */
	PEER_GIANT = 1 << 7, /* worth a look at 1 GiB */
};

/*
 * Each measurement is a process of its own, which calls set_up() once. Memory that
 * get() returns reads as zeros. get() ends the process if there is no memory.
 */
struct peer {
	const char *name;
	/* A word or two for the table. The first is "petmem" if the pool has the pages. */
	const char *label;
	unsigned int traits;
	/* NAME=VALUE for the harness's environment. */
	const char *settings[MOST_SETTINGS];
	/* Returns false if this peer is not available. */
	bool (*set_up)(void);
	void *(*get)(size_t size);
	void (*put)(void *memory, size_t size);
	/* Let the peer finish its work in the background, or NULL. */
	void (*settle)(void);
};

extern const struct peer peers[];
extern const size_t nr_peers;

/* The two pagers of pagers.c. */
bool uffd_set_up(void);
void *uffd_get(size_t size);
bool segv_set_up(void);
void *segv_get(size_t size);

/* munmap(). */
void unmap(void *memory, size_t size);

/* Turn transparent huge pages off for this process. */
bool use_small_pages(void);

#endif /* BENCH_PEERS_H */
