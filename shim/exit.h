/* SPDX-License-Identifier: MIT */
/* exit.h -- leaving: drain once, before the runtime tears itself down.
 *
 * Every way out that a preload can see ends in taf_leave, and the first one
 * does the work:
 *
 *   main returned (hooks: __libc_start_main)  exit  quick_exit  exec
 *   late on_exit, registered after the first load, allocation and submit
 *   _exit  _Exit  exit_group by syscall()     the log is closed at once as well
 *   SIGTERM and others named by exit.signals  shim/sig.c
 *
 * Two handlers that are registered before main run behind all others and all destructors. A
 * second thread that leaves waits until the first one has drained; then the C library decides:
 * glibc before 2.41 lets both of them run what handlers are left, later ones let the first one
 * go on.  Whichever is first in one of our two handlers ends the process: it closes the log, with
 * its status, and another thread that finds the other one waits there.  Without them (we were
 * opened after the start, as a layer) a destructor closes the log.
 *
 * exit.deadline bounds the drain: when it passes, a watchdog ends the process
 * with the status it was about to have, and the crumb says "not drained".  A handler of a
 * signal that leaves once more in the midst of the drain gives it up: its status is the one, and
 * what the program does at its end has as long again.
 */
#ifndef TAF_EXIT_H
#define TAF_EXIT_H

#include <stdbool.h>

#include "../policy/event.h"

/* Leaves by route with status. is_last: nothing of this process runs after it. */
void taf_leave(const char *route, int status, bool is_last);
/* Leaves because of a signal whose default action follows; the deadline ends the
 * process by that signal. */
void taf_leave_signal(const char *name, int signo);
/* The program ends by a signal of its own: waits for one of exit.signals that was taken before. */
void taf_leave_to_signal(void);
/* Leaves to become the program at path. No deadline can end the process here: a
 * synchronize that an engine cannot time is waited for, as in the middle of a run. */
void taf_leave_exec(const char *call, const char *path);
/* The exec failed: the process lives on. */
void taf_stay(int rc);
/* The destructor's part. */
void taf_exit_destructor(void);
/* Before the loader registers its destructors, so that ours run behind them. */
void taf_exit_see_end(void);
/* The process became active: what an earlier life left is forgotten. */
void taf_exit_reset(void);
/* A first call of this kind has returned: registers the late handler once a
 * kind. A runtime registers its own teardown in such a call, and handlers run
 * last in, first out, so ours has to come after it. */
void taf_exit_arm(enum taf_kind kind);

#endif
