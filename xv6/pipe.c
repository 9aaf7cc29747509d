// SPDX-License-Identifier: GPL-2.0
/*
 * pipe.c - pipes: a ring of bytes with one side that writes and one that reads.
 *
 * The user's memory is read and written with a spin lock held. That is right
 * because syscall.c has prepared it: it cannot fault.
 */
#include "types.h"
#include "param.h"
#include "mmu.h"
#include "file.h"
#include "proc.h"
#include "defs.h"

/* Fits into a page. */
struct pipe {
	struct spinlock lock;
	int read_open, write_open;	/* is the side open? */
	uint taken, put;		/* bytes so far; they wrap around as one */
	char ring[PIPESIZE];
};

_Static_assert(sizeof(struct pipe) <= PGSIZE, "a pipe is one page");
_Static_assert((PIPESIZE & (PIPESIZE - 1)) == 0, "positions may wrap around");

/* Make a pipe and its two files; returns 0, or -1. */
int pipe_new(struct file **reader, struct file **writer)
{
	struct pipe *pipe = kalloc_zeroed();

	if (!pipe)
		return -1;
	*reader = file_new();
	if (!*reader)
		goto err_free_pipe;
	*writer = file_new();
	if (!*writer)
		goto err_close_reader;

	spin_init(&pipe->lock, "pipe");
	pipe->read_open = pipe->write_open = 1;
	(*reader)->type = (*writer)->type = FILE_PIPE;
	(*reader)->pipe = (*writer)->pipe = pipe;
	(*reader)->readable = (*writer)->writable = 1;
	return 0;

err_close_reader:
	file_close(*reader);
err_free_pipe:
	kfree(pipe);
	return -1;
}

/* One side is not used any longer. The last one frees the pipe. */
void pipe_close(struct pipe *pipe, int write_side)
{
	int last;

	spin_lock(&pipe->lock);
	if (write_side)
		pipe->write_open = 0;
	else
		pipe->read_open = 0;
	last = !pipe->read_open && !pipe->write_open;
	wake_all(pipe);
	spin_unlock(&pipe->lock);
	if (last)
		kfree(pipe);
}

/* Wait for something to change. -1 if the process has been killed. */
static int wait_for_change(struct pipe *pipe)
{
	if (killed())
		return -1;
	sleep_on(pipe, &pipe->lock);
	return 0;
}

/* Write all @n bytes, waiting for room; -1 if nobody will read them. */
int pipe_write(struct pipe *pipe, const char *src, int n)
{
	int done = 0;

	spin_lock(&pipe->lock);
	while (done < n) {
		if (!pipe->read_open)
			goto err_unlock;
		if (pipe->put - pipe->taken < PIPESIZE) {
			pipe->ring[pipe->put++ % PIPESIZE] = src[done++];
			continue;
		}
		wake_all(pipe);
		if (wait_for_change(pipe) < 0)
			goto err_unlock;
	}
	wake_all(pipe);
	spin_unlock(&pipe->lock);
	return done;

err_unlock:
	spin_unlock(&pipe->lock);
	return -1;
}

/* Read what is there, waiting for the first byte; 0: nobody will write. */
int pipe_read(struct pipe *pipe, char *dst, int n)
{
	int done;

	spin_lock(&pipe->lock);
	while (pipe->put == pipe->taken && pipe->write_open) {
		if (wait_for_change(pipe) < 0) {
			spin_unlock(&pipe->lock);
			return -1;
		}
	}
	for (done = 0; done < n && pipe->taken != pipe->put; done++)
		dst[done] = pipe->ring[pipe->taken++ % PIPESIZE];
	wake_all(pipe);
	spin_unlock(&pipe->lock);
	return done;
}
