/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * user.h - everything a user program may call. Include "types.h" first.
 *
 * System calls return -1 on failure; there is no errno. exit() and wait() take
 * no argument: a parent learns only that a child is gone, not how it ended.
 */

struct stat;

/* Processes. fork() gives the child 0 and the parent the child's number. */
int fork(void);
int exit(void) __attribute__((noreturn));
int wait(void);
int kill(int pid);
int getpid(void);
int exec(const char *path, char **argv);
int sleep(int ticks);
int uptime(void);

/* sbrk() moves the end of memory by @bytes and returns where it was. */
char *sbrk(int bytes);

/*
 * mmap() shows @len bytes of a file, from @offset on, in memory; with AFTER=mmap
 * only. @addr is 0, @offset a multiple of the page size, @prot PROT_READ or
 * PROT_READ | PROT_WRITE, @flags MAP_SHARED or MAP_PRIVATE (fcntl.h). Returns the
 * address, or MAP_FAILED. munmap() takes back the whole of a mapping, its start or its
 * end.
 */
void *mmap(void *addr, uint len, int prot, int flags, int fd, uint offset);
int munmap(void *addr, uint len);

/* Files, pipes and devices. */
int open(const char *path, int mode);
int close(int fd);
int read(int fd, void *buf, int n);
int write(int fd, const void *buf, int n);
int dup(int fd);
int pipe(int fds[2]);
int fstat(int fd, struct stat *st);

/* Names. */
int link(const char *old, const char *new);
int unlink(const char *path);
int mkdir(const char *path);
int chdir(const char *path);
int mknod(const char *path, short major, short minor);

/* ulib.c */
int stat(const char *path, struct stat *st);
char *gets(char *buf, int size);
char *strcpy(char *to, const char *from);
int strcmp(const char *a, const char *b);
uint strlen(const char *s);
char *strchr(const char *s, char c);
int atoi(const char *s);
void *memset(void *to, int byte, uint n);
void *memmove(void *to, const void *from, int n);

/* printf.c: %d %u %x %p %s %c %%, no widths */
void printf(int fd, const char *fmt, ...);

/* umalloc.c: memory comes from sbrk() and is never given back to the kernel */
void *malloc(uint bytes);
void free(void *p);
