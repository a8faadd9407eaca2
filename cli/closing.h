/* SPDX-License-Identifier: MIT */
/* closing.h -- what `run` leaves behind when its guest has ended.
 *
 * Only when a session of this run exists, that is, when some process of the
 * guest became active:
 *
 *   a session of our own, role "run": a start record and one EXIT record that
 *   says how the process pid_of_guest ended, which nobody else can know
 *
 *   one line on stderr, if the policy acted or a process died
 *
 * For any other guest it reads one directory and does nothing, unless the start was held
 * up: then the session of that (run_lock.h) is ended.
 */
#ifndef TAF_CLOSING_H
#define TAF_CLOSING_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "own.h"
#include "supervise.h"

struct taf_closing {
	char crumbs[PATH_MAX];
	char run[17];
	const char *program; /* what was executed */
	const char *label, *journal; /* or NULL */
	int32_t guest;
};

/* How the guest ended, in words: "was killed by SIGKILL", "exited 7". Returns buf. */
const char *taf_end_word(char *buf, size_t room, const struct taf_end *end);
/* Whether some process of the run has left a session so far. */
bool taf_closing_was_active(const struct taf_closing *c);
/* The session of ours. */
struct taf_own taf_closing_own(const struct taf_closing *c);
/* Its record of how c->guest ended. */
void taf_closing_end(const struct taf_closing *c, const struct taf_end *end);
/* The last of it, and the line on stderr. False: nothing of the run was ever active. */
bool taf_close_run(const struct taf_closing *c, const struct taf_end *end);

#endif
