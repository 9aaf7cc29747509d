/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * interrupt.h - signals and time limits in work that must not stop half-way.
 *
 * After interrupt_defer() the signals that ask a program to end (SIGHUP,
 * SIGINT, SIGQUIT, SIGTERM; those that were not ignored) wait. The work asks
 * now and then whether one came, leaves everything in order, and ends by it.
 * Only between interrupt_allow() and interrupt_forbid() do they end a system
 * call, with EINTR.
 */
#ifndef PETMEM_INTERRUPT_H
#define PETMEM_INTERRUPT_H

void interrupt_defer(void);

/* Let a signal, or the time limit, end the next system calls with EINTR. */
void interrupt_allow(unsigned int seconds);
void interrupt_forbid(void);

/* The signal that asked the program to end; 0 if none did. */
int interrupt_signal(void);

/* End the program by that signal, as if it had never waited. */
void interrupt_obey(void);

#endif /* PETMEM_INTERRUPT_H */
