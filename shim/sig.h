/* SPDX-License-Identifier: MIT */
/* sig.h -- signals that end the process, while the device is busy.
 *
 * For each signal that exit.signals names and the program leaves at its
 * default action, our handler is installed at the first submit.  It only notes
 * the signal and wakes a helper thread, which drains under exit.deadline, puts
 * the default action back and raises the signal again: the parent sees the
 * death it would have seen.
 *
 * The program's view never changes: the kernel's own table is asked, and where
 * it holds our handler the answer is what the program last set.  A handler of
 * its own is given to the kernel untouched.  A fork child that receives such a
 * signal dies of it at once.
 *
 * Forensics of crashes will come in by the same door (taf_sig_action).
 */
#ifndef TAF_SIG_H
#define TAF_SIG_H

#include <signal.h>

typedef int taf_sigaction_fn(int signo, const struct sigaction *act, struct sigaction *old);

/* sigaction as the program means it; real is the C library's. */
int taf_sig_action(int signo, const struct sigaction *act, struct sigaction *old,
		   taf_sigaction_fn *real);
/* The same for signal and its kin, through real. */
typedef void taf_handler_fn(int signo);
taf_handler_fn *taf_sig_signal(int signo, taf_handler_fn *fn,
			       taf_handler_fn *(*real)(int, taf_handler_fn *));
/* The program raises signo: where that ends it and exit.signals names it, it is
 * drained first and this does not return. */
void taf_sig_raise(int signo);
/* SIGBUS inside the ring: see sig.c. At activation. */
void taf_sig_guard_ring(void);
/* Takes the signals of exit.signals; at most once in a process, at the first submit. */
void taf_sig_arm(void);

#endif
