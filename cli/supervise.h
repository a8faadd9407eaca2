/* SPDX-License-Identifier: MIT */
/* supervise.h -- being the parent of a guest without being noticed.
 *
 * Every signal is blocked from taf_signals_block on and taken by sigtimedwait,
 * one after the other, so there are no handlers and no races:
 *
 *   a process sent it to us (si_code <= 0)     the guest gets the same
 *   the terminal or the kernel made it         the guest has got its own
 *   the guest itself, or we, sent it           dropped
 *   SIGCHLD                                    the guest is asked after
 *   SIGCONT after we had stopped               the guest goes on if it is still stopped
 *
 * When the guest stops, so do we, by the same signal, for the shell that
 * watches us.  When it ends, so do we (taf_end_like).  Nobody ends the guest:
 * if we are killed it lives on.  Its children are not waited for.
 *
 * The guest begins with the mask, the dispositions and the interval timers
 * that we were started with.
 */
#ifndef TAF_SUPERVISE_H
#define TAF_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

struct taf_end {
	int signal; /* 0: it ended by itself */
	int status; /* exit status, when signal is 0 */
	bool has_core;
};

struct taf_guest {
	int32_t pid;
	/* In the child, everything put back: becomes the guest, or returns an exit status. */
	int (*start)(void *arg);
	/* In the parent, look_ms after the start: how many ms until the next look, -1: none. */
	int (*look)(void *arg);
	int look_ms; /* -1: never */
	void *arg;
	/* Set when somebody told us to end: TERM, INT or QUIT, or the terminal's HUP. */
	bool was_told;
};

/* To be called first of all in main. */
void taf_signals_save(void);
/* From here on signals wait for taf_supervise or taf_signals_restore. */
void taf_signals_block(void);
/* As they were at taf_signals_save. */
void taf_signals_restore(void);

/* Forks, starts, waits. 0, or -errno when there could be no child. */
int taf_supervise(struct taf_guest *guest, struct taf_end *end);
/* Between two guests: ms without one. False at once when somebody told us to end. */
bool taf_supervise_pause(int64_t ms);
/* Ends this process as the guest ended. */
_Noreturn void taf_end_like(const struct taf_end *end);

#endif
