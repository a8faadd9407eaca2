/* SPDX-License-Identifier: MIT */
/* act.h -- carries out what the rules decided: synchronize, clear, and say so.
 *
 * Order everywhere: claim the context, synchronize, then clear.  If the wait
 * fails, the clear is skipped and the crumb says so.  In observe mode nothing
 * is done and a `would` crumb is written.  A drain writes a begin and an end, so
 * that a hang in it is an open begin; of those before a free, of which a program with
 * many threads makes thousands a second, the first of a generation do and then one a
 * second, which tells how many did not.
 */
#ifndef TAF_ACT_H
#define TAF_ACT_H

#include "work.h"

/* What the rules want drained at ev, and which of them (-1: none). */
unsigned taf_act_drains(const struct taf_event *ev, const struct taf_work *w, int *rule);
/* Drains one context, which this thread has claimed. */
void taf_act_drain(struct taf_work *w, unsigned drain, int rule);
/* Drains every context that can be claimed within drain.deadline, those of engines first;
 * those of model only, if it is not NULL. Returns how many could not. */
int taf_act_drain_all(const struct taf_live_model *model, unsigned drain, int rule);
/* Says that it was not, and why; rule: which wanted it (-1: none). */
void taf_act_not_drained(const struct taf_work *w, int rule, const char *why);
/* Whether an engine whose work belongs to threads synchronizes or clears for us at this moment. */
bool taf_act_is_in_engine(void);
void taf_act_forget(void); /* a fork child has no thread that does */
/* Synchronizes, without a crumb: 0, or -errno. Under the claim. */
int taf_act_sync(struct taf_work *w);
/* The same for `trace`: nothing that the rules count changes by it. */
void taf_act_trace(struct taf_work *w);
/* A generation is about to begin: drain.pre_clear, and what its model asks for. False:
 * a rule refuses it. Under the claim. */
bool taf_act_before_infer(struct taf_work *w);
/* drain.post_sync and drain.post_clear; under the claim. */
void taf_act_after_infer(struct taf_work *w);
/* drain.every_submits; under the claim. */
void taf_act_after_submit(struct taf_work *w);

#endif
