/* SPDX-License-Identifier: MIT */
/* lock_past.h -- the latest starts that waited for the GPU lock or were refused it, out of
 * the log of this state directory: what the queue of the lock forgets. */
#ifndef TAF_LOCK_PAST_H
#define TAF_LOCK_PAST_H

#include "lock_wait.h"

#define TAF_LOCK_PAST_MAX 8

struct taf_lock_past {
	struct taf_lock_wait of[TAF_LOCK_PAST_MAX]; /* the newest first */
	size_t n;
};

/* Of the last day, in the folder of the log. Without one there are none. is_run: those of
 * `run` alone, whose sessions are short. */
void taf_lock_past_find(struct taf_lock_past *p, const char *crumbs, bool is_run);
/* The one that waits by that process of that run, or NULL. */
const struct taf_lock_wait *taf_lock_past_of(const struct taf_lock_past *p, int32_t pid,
					     const char *run);

#endif
