/* SPDX-License-Identifier: MIT */
/* history.h -- all events that are kept, the oldest first: STATE/events and what
 * was set aside before it, events-<utc>. The ledger holds the newest of them. */
#ifndef TAF_HISTORY_H
#define TAF_HISTORY_H

#include "../policy/ledger.h"

struct taf_history {
	struct taf_ledger_event *at; /* malloc'd */
	size_t n, room;
	size_t n_bad; /* lines that were skipped */
};

/* Whatever of it can be read. 0, or -errno of the first file that could not. */
int taf_history_read(const char *state, struct taf_history *h);
void taf_history_free(struct taf_history *h);

#endif
