/* SPDX-License-Identifier: MIT */
/* dirty.h -- what the log says went wrong, entered into the ledger.
 *
 * Called when a process becomes active, and by the verbs that ask the gate: a
 * boot that ended inside a call is looked for once a boot, crashes of this boot
 * since the last time.  How far it got stands in the ledger's cursors.  The
 * breaker is opened where the ledger says that it has to be.
 */
#ifndef TAF_DIRTY_H
#define TAF_DIRTY_H

#include "../policy/rules.h"

struct taf_dirty_ask {
	const struct taf_rules *rules;
	const char *crumbs; /* STATE/crumbs; after taf_share_open */
	bool wants_live; /* failed calls of processes that live, too: they cost a read each time */
};

/* 0, or -errno when what was found stays with this process. */
int taf_dirty_check(const struct taf_dirty_ask *ask);

#endif
