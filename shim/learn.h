/* SPDX-License-Identifier: MIT */
/* learn.h -- what this process did goes into the ledger that all share.
 *
 * A load is marked when it is let through, inside the section that decided it,
 * and durably: after a panic it must be known.  The rest is written without a
 * flush: the end of a load, generations (at most every LEARN_EVERY_MS), the
 * end of a model by an unload or with its process.
 */
#ifndef TAF_LEARN_H
#define TAF_LEARN_H

#include "work.h"

struct taf_ledger;

/* Inside the shared section: ev, a LOAD, begins. */
void taf_learn_mark(struct taf_ledger *l, const struct taf_event *ev, const struct taf_moment *now);
/* That load brought nothing in: it is taken back, if it is the latest mark of this process. */
void taf_learn_undo(const char *model);
/* A model that was loaded for an estimate and not computed with: it was never there. */
bool taf_learn_is_none(const struct taf_live_model *m);
/* A LOAD came back with a model, or a model was freed. */
void taf_learn_loaded(const char *model);
void taf_learn_unloaded(const char *model, uint64_t bytes);
/* A generation on w ended at w->last_ns. Under the claim. */
void taf_learn_inferred(const struct taf_work *w);
/* The process leaves with these models alive. */
void taf_learn_leaving(void);

#endif
