/* SPDX-License-Identifier: MIT */
/* lock_wait.h -- a start that waited for the GPU lock, or was refused it, as the log tells.
 *
 * `run` leaves it in a session of its own (run_lock.h), a program that waits when it first
 * uses a device in its own: a HOLD by lock.on_conflict, and a REFUSE by lock.* behind it where
 * the wait was in vain. */
#ifndef TAF_LOCK_WAIT_H
#define TAF_LOCK_WAIT_H

#include "jsonout.h"
#include "sessions.h"

enum taf_lock_fate {
	TAF_LOCK_WAITS, /* still */
	TAF_LOCK_GOT, /* it: the program was started, or went on */
	TAF_LOCK_REFUSED,
	TAF_LOCK_LEFT, /* it ended while it waited */
};

struct taf_lock_wait {
	enum taf_lock_fate fate;
	int32_t pid;
	uint64_t utc_us, ms; /* since when, how long so far or in all */
	char run[24], program[512], rule[48];
	char whom[400]; /* "holder.sh one (pid 12, web, for 3.2s)"; "": unknown */
};

/* The latest of a trail that is loaded. False: it has none. */
bool taf_lock_wait_read(const struct taf_trail *t, const struct taf_world *now,
			struct taf_lock_wait *out);
/* "waited 3.2s for the GPU lock, held by NAME, then went on". */
void taf_lock_wait_text(const struct taf_lock_wait *l, char *buf, size_t room);
/* The same for programs; l NULL: null. */
void taf_lock_wait_json(struct taf_json *j, const char *key, const struct taf_lock_wait *l);
const char *taf_lock_fate_name(enum taf_lock_fate fate); /* "waits" "got" "refused" "left" */

#endif
