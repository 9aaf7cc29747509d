/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sys.h - the system calls (sysproc.c, sysfile.c, mmap.c) and how they get at their
 * arguments (syscall.c; arg_file is in sysfile.c).
 */
#ifndef SYS_H
#define SYS_H

struct file;

int arg_int(int n, int *value);
int arg_range(int n, void **buffer, uint size);
int arg_buffer(int n, void **buffer, uint size, int access);
int arg_string(int n, const char **string);
int user_prepare(void *buffer, uint n, int access);
int user_word(uint va, uint *word);
int user_string(uint va, const char **string);

int arg_file(int n, int *fd, struct file **file);

int sys_fork(void);
int sys_exit(void);
int sys_wait(void);
int sys_pipe(void);
int sys_read(void);
int sys_kill(void);
int sys_exec(void);
int sys_fstat(void);
int sys_chdir(void);
int sys_dup(void);
int sys_getpid(void);
int sys_sbrk(void);
int sys_sleep(void);
int sys_uptime(void);
int sys_open(void);
int sys_write(void);
int sys_mknod(void);
int sys_unlink(void);
int sys_link(void);
int sys_mkdir(void);
int sys_close(void);
int sys_mmap(void);
int sys_munmap(void);

#endif
