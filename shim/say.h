/* SPDX-License-Identifier: MIT */
/* say.h -- puts what the rules said into crumbs.
 *
 *   hold     begin and end round a wait, settle where it is a mere pause
 *   refuse   the call was not made
 *   note     a rule only warns
 *   would    observe mode: what a rule would have done
 *
 * Each has rule (the path of the row), msg (what was compared, for people) and
 * the same as members: have, need, unit, and pass_ms where it is known.
 */
#ifndef TAF_SAY_H
#define TAF_SAY_H

#include "admit.h"

/* A wait begins; returns the seq of its begin. */
uint64_t taf_say_hold(const struct taf_admission *a, const struct taf_verdict *v);
/* It ended after waited_ms. */
void taf_say_held(const struct taf_admission *a, uint64_t of, int rule, uint64_t waited_ms);
/* The verdict with which an admission ends, after a wait of waited_ms. One refuse a
 * call, by the rule that passes last; other rules that refuse it leave a note. */
void taf_say_verdict(const struct taf_admission *a, const struct taf_verdict *v,
		     uint64_t waited_ms);
/* The same at the door of allocations: at most one crumb a rule in ten seconds, or
 * one a second of a refusal; the ring counts each refusal. */
void taf_say_alloc(const struct taf_admission *a, const struct taf_verdict *v);
/* A process becomes active and has said nothing. */
void taf_say_reset(void);

#endif
