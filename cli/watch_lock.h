/* SPDX-License-Identifier: MIT */
/* watch_lock.h -- what `taffrail watch` tells of starts that wait for the GPU lock: once that
 * one waits, and once how that ended. */
#ifndef TAF_WATCH_LOCK_H
#define TAF_WATCH_LOCK_H

#include "lock_past.h"
#include "watcher.h"

#define TAF_LOCK_TOLD_MAX 32

struct taf_watch_lock {
	struct {
		int32_t pid;
		uint64_t utc_us;
		enum taf_lock_fate fate;
	} told[TAF_LOCK_TOLD_MAX]; /* the newest last */
	size_t n;
	bool has_looked; /* what was over before that is no news */
	size_t n_waiting; /* at the latest look */
};

void taf_watch_lock_look(struct taf_watch_lock *l, const struct taf_watcher *w);

#endif
