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
 * A destructor runs after the runtime is gone; it only closes the log.  A second thread that
 * leaves waits until the first one has drained, and closes the log itself: the C library may
 * end the process while the first one still runs handlers and destructors.
 * exit.deadline bounds the drain: when it passes, a watchdog ends the process
 * with the status it was about to have, and the crumb says "not drained".
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
/* Leaves to become the program at path. No deadline can end the process here: a
 * synchronize that an engine cannot time is waited for, as in the middle of a run. */
void taf_leave_exec(const char *call, const char *path);
/* The exec failed: the process lives on. */
void taf_stay(int rc);
/* Another thread leaves: this one stops before it hands more work to the device, until
 * the drain is done and a moment longer. */
void taf_exit_park(void);
/* The destructor's part. */
void taf_exit_close(void);
/* The process became active: what an earlier life left is forgotten. */
void taf_exit_reset(void);
/* A first call of this kind has returned: registers the late handler once a
 * kind. A runtime registers its own teardown in such a call, and handlers run
 * last in, first out, so ours has to come after it. */
void taf_exit_arm(enum taf_kind kind);

#endif
