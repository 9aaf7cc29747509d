/* SPDX-License-Identifier: GPL-2.0 */
/*
 * defs.h - the functions that kernel files offer each other. Each one's
 * contract is with its definition. Locks, address spaces, the disk and system
 * calls have headers of their own.
 */
#ifndef DEFS_H
#define DEFS_H

#define NULL	((void *)0)

struct file;
struct inode;
struct pipe;
struct stat;
struct superblock;
struct buf;
struct spinlock;
struct trapframe;
struct multiboot_info;

/* console.c */
void console_input(char c);

/* dir.c */
int same_name(const char *a, const char *b);
uint dir_find(struct inode *dir, const char *name, uint *where);
int dir_add(struct inode *dir, const char *name, uint inum);
void dir_remove(struct inode *dir, uint offset);
int dir_empty(struct inode *dir);
struct inode *path_find(const char *path);
struct inode *path_parent(const char *path, char *name);

/* exec.c */
int exec(const char *path, const char *const argv[], int argc);

/* file.c */
struct file *file_new(void);
struct file *file_dup(struct file *f);
void file_close(struct file *f);
int file_stat(struct file *f, struct stat *st);
uint file_most(struct file *f, uint n);
int file_read(struct file *f, char *dst, int n);
int file_write(struct file *f, const char *src, int n);

/* fs.c */
void fs_init(void);
void fs_clean(void);
struct inode *inode_get(uint inum);
struct inode *inode_new(short type, short major, short minor);
struct inode *inode_dup(struct inode *ip);
void inode_put(struct inode *ip);
void inode_lock(struct inode *ip);
void inode_unlock(struct inode *ip);
void inode_update(struct inode *ip);
void inode_stat(const struct inode *ip, struct stat *st);
uint inode_read(struct inode *ip, void *dst, uint offset, uint n);
uint inode_write(struct inode *ip, const void *src, uint offset, uint n);

/* ioapic.c */
void ioapic_init(void);
void ioapic_enable(int irq);

/* kalloc.c */
void kalloc_init(const struct multiboot_info *info);
void *kalloc(void);
void *kalloc_zeroed(void);
void kshare(void *page);
void kfree(void *page);
int kowned_alone(void *page);
uint kpages_left(void);

/* kprintf.c */
void kprintf(const char *format, ...);
void panic(const char *format, ...) __attribute__((noreturn));
void stop_cpu(void) __attribute__((noreturn));

/* lapic.c */
void lapic_init(void);
uchar lapic_id(void);
void lapic_eoi(void);
void lapic_start_cpu(uchar apic_id, uint pa);
void lapic_stop_others(void);

/* log.c */
void log_init(const struct superblock *super);
int tx_running(void);
void tx_begin(void);
void tx_write(struct buf *b);
void tx_end(void);

/* main.c */
void kmain(uint magic, uint info_pa);
void ap_main(int cpu);

/* mp.c */
void mp_init(void);

/* pipe.c */
int pipe_new(struct file **reader, struct file **writer);
void pipe_close(struct pipe *pipe, int write_side);
int pipe_read(struct pipe *pipe, char *dst, int n);
int pipe_write(struct pipe *pipe, const char *src, int n);

/* proc.c */
void proc_init(void);
void proc_list(void);
void schedule(void) __attribute__((noreturn));
void yield(void);
void sleep_on(const void *what, struct spinlock *lock);
void wake_all(const void *what);
int fork(void);
void exit(void) __attribute__((noreturn));
int wait(void);
int kill(int pid);
void kill_foreground(void);
void kill_self(void);
int out_of_memory(void);
int killed(void);
int move_break(int n);
int give_promised(uint va, int access);

/* seg.c */
void seg_init(int cpu);
void seg_set_kstack(char *top);

/* string.c */
void *memset(void *dst, int byte, uint n);
void *memmove(void *dst, const void *src, uint n);
void *memcpy(void *dst, const void *src, uint n);
int memcmp(const void *a, const void *b, uint n);
void page_fill(void *page, uint word);
void page_copy(void *dst, const void *src);
uint strlen(const char *s);
int strncmp(const char *a, const char *b, uint n);
char *strlcpy(char *dst, const char *src, uint size);

/* swtch.S */
void switch_stack(uint **save, uint *load);

/* syscall.c */
void syscall(void);

/* trap.c */
void trap_init(void);
void trap_init_cpu(void);
void trap(struct trapframe *tf);
uint uptime(void);
int sleep_ticks(uint n);

/* trapasm.S */
void trap_leave(struct trapframe *tf) __attribute__((noreturn));

/* uart.c */
void uart_init(void);
void uart_enable_input(void);
void uart_begin(void);
void uart_end(void);
void uart_put(char c);
void uart_new_line(void);
void uart_interrupt(void);

#endif
