/* SPDX-License-Identifier: MIT */
/* owner.h -- work of engines whose streams belong to threads (MLX).
 *
 * Each thread that computes has one struct taf_work, whose handle is its number.
 * From MLX 0.31.2 on a synchronize by any other thread waits for nothing, so
 * nobody else ever makes one:
 *
 *   boundary of its own thread     drained there (act.h)
 *   another thread leaves          the owner drains at its next call and says so;
 *                                  the leaver waits for that, at most the deadline.
 *                                  Of a thread that stands still and has waited for its
 *                                  work only what outlives a process is given back
 *   the thread is gone             so is what it had in flight
 */
#ifndef TAF_OWNER_H
#define TAF_OWNER_H

#include "work.h"

/* The work of this thread; NULL: none, and taf_owner_work makes one (NULL: no room). */
struct taf_work *taf_owner_mine(void);
struct taf_work *taf_owner_work(const struct taf_call *c);
bool taf_owner_is_me(const struct taf_work *w);
/* What new generations are named by. */
void taf_owner_set_model(struct taf_live_model *m);

/* A call that computes begins and ends. False: a rule refuses it. */
bool taf_owner_begin(struct taf_call *c);
enum taf_owner_what {
	TAF_OWNER_EVAL, /* whatever was submitted before is done when it returns */
	TAF_OWNER_ASYNC, /* a token, by what every server makes of it */
	TAF_OWNER_ONE, /* one array: waits for it */
};
void taf_owner_end(struct taf_call *c, enum taf_owner_what what, int64_t rc);

/* The program has synchronized. */
void taf_owner_synced(void);
/* The generation of this thread is over if it is idle, or in any case when must is set;
 * what the policy wants after it is done. */
void taf_owner_settle(bool must);
/* Another thread leaves, and this one is about to stand still: it drains its own. */
void taf_owner_leave(void);
/* Waits for the thread of w to do so. False: it did not, and a crumb says why. */
bool taf_owner_await(struct taf_work *w, uint64_t ns, int rule);

#endif
