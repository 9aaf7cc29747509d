/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * interrupt.h - signals and time limits in work that must not stop half-way.
 *
 * interrupt_defer() blocks the signals that ask a program to end (SIGHUP, SIGINT,
 * SIGQUIT, SIGTERM), unless they are ignored. The work asks now and then whether
 * one came, leaves everything in order, and ends by it. The signals end system
 * calls, with EINTR, only between interrupt_allow() and interrupt_forbid().
 */
#ifndef PETMEM_INTERRUPT_H
#define PETMEM_INTERRUPT_H

void interrupt_defer(void);

/* Let a signal, or the time limit, end the next system calls with EINTR. */
void interrupt_allow(unsigned int seconds);
void interrupt_forbid(void);

/* The signal that asked the program to end; 0 if none did. */
int interrupt_signal(void);

/* End the program by that signal, as if it had not been deferred. */
void interrupt_obey(void);

#endif /* PETMEM_INTERRUPT_H */
