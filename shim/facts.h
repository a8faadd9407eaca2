/* SPDX-License-Identifier: MIT */
/* facts.h -- what the rules may know, gathered by the shell.
 *
 * Cheap facts are counters of this process; they serve at every door.  The
 * rest (the ledger, the lock, memory, the registry) is gathered for the few
 * calls that are admitted by all rules: admit.h.
 */
#ifndef TAF_FACTS_H
#define TAF_FACTS_H

#include "work.h"

/* The counters alone. w: the context at hand, or NULL. */
void taf_facts_cheap(struct taf_facts *f, const struct taf_work *w);
/* What the rules of memory look at besides. */
void taf_facts_memory(struct taf_facts *f);
/* What can be asked outside of the shared section, for ev; holder has room for the
 * text that f->lock_holder then points at. */
void taf_facts_world(struct taf_facts *f, const struct taf_event *ev, struct taf_text *holder);

#endif
