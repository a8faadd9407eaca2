/* SPDX-License-Identifier: MIT */
/* turn.h -- lock.hold = inference: the GPU lock round each computation.
 *
 *   taf_turn_begin    before a decode: takes the lock, or waits for it, or refuses
 *   taf_turn_end      after it: synchronizes the context, then gives the lock back
 *
 * Nobody is told when a generation is over, so the lock cannot be held for one;
 * shim/lockfile.h says how a generation keeps its turn all the same.  The
 * synchronize is what makes it a lock of the device and not of the call.
 *
 * The waits of turns that go round among busy servers leave no crumb; only one
 * that takes longer than that does is a HOLD.
 */
#ifndef TAF_TURN_H
#define TAF_TURN_H

#include "work.h"

/* Where turns are taken. */
bool taf_turn_take(struct taf_work *w, const struct taf_call *c);
void taf_turn_give(struct taf_work *w);

static inline bool taf_turn_is_taken(void)
{
	return taf_rules.lock_hold == TAF_LOCK_HOLD_INFERENCE;
}

/* Under the claim of w. False: refused, and a crumb says so. */
static inline bool taf_turn_begin(struct taf_work *w, const struct taf_call *c)
{
	return !taf_turn_is_taken() || taf_turn_take(w, c);
}

/* w: what was computed on, still claimed; NULL: nothing was. */
static inline void taf_turn_end(struct taf_work *w)
{
	if (taf_turn_is_taken())
		taf_turn_give(w);
}

/* A burst came to rest: no thread computes, whichever took the lock. */
void taf_turn_end_all(void);

#endif
