/* SPDX-License-Identifier: MIT */
/* held.h -- what `run` shows while its guest waits because a rule says so.
 *
 * The guest itself stays silent: what it prints is its own.  A wait of HELD_MS is
 * told by a line (waiting.h) with program, rule, numbers and the time left, and once
 * more when it is over; shorter ones are not.  On a terminal one line stands for all
 * that wait.
 */
#ifndef TAF_HELD_H
#define TAF_HELD_H

#include "waiting.h"
#include "watcher.h"

struct taf_held {
	/* Waits that were told of. */
	struct {
		struct taf_watch_hold hold;
		struct taf_waiting waiting;
		bool is_there; /* at the latest look */
	} told[TAF_HOLDS_MAX];
	size_t n;
};

/* After each look of the watcher. */
void taf_held_show(struct taf_held *h, const struct taf_watcher *w);
/* The guest is gone: takes the line off a terminal. */
void taf_held_clear(struct taf_held *h);

#endif
