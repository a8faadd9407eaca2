/* SPDX-License-Identifier: MIT */
/* admit.h -- may this call begin?
 *
 *   enter the shared section -> facts -> rules -> mark -> leave -> crumbs
 *        ^                                   |
 *        +---- drain, or wait a while <------+ not yet
 *
 * Asked at the start of a process that uses a device without loading a model
 * first (START), before a LOAD, before the first generation on a model, and
 * before an ALLOC where memory has a limit.  What is looked at and what is
 * marked lies in one critical section, so of two processes that come at once
 * one is first.  Waiting, draining and writing crumbs happen outside of it.
 *
 * In observe mode nothing is waited for or refused, and a `would` crumb says
 * what would have been; a rule that only warns leaves a note.
 */
#ifndef TAF_ADMIT_H
#define TAF_ADMIT_H

#include "work.h"

struct taf_admission {
	const struct taf_event *event;
	const char *call; /* name of the entry point, or NULL */
	struct taf_work *work; /* INFER: the context, claimed by this thread; else NULL */
	uint64_t waited_ms; /* before it was asked, and part of what max_wait allows */
	uint32_t told; /* ALLOC: warnings that stand, enum taf_told */
};

/* False: refused, and a crumb says by which rule. */
bool taf_admit(const struct taf_admission *a);
/* The same for an ALLOC: asks the cheap rules alone, and never waits. */
bool taf_admit_alloc(const struct taf_call *c);
/* The question at the START of a process, once, and while it is held again and again. */
bool taf_admit_start(const struct taf_call *c);
/* What follows from taf_rules when a process becomes active. */
void taf_admit_reset(void);
/* Reasons of admit.c for the narrow door to take the long way. */
uint32_t taf_admit_alerts(void);

#endif
