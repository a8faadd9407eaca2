/* SPDX-License-Identifier: MIT */
/* lookout.h -- what `run` does now and then while its guest runs.
 *
 *   is the guard where it should be (witness.h), twice, in the beginning
 *   does something hang (watcher.h), as long as the guest lives
 *   does something wait because a rule says so (held.h)
 *   does somebody ask to be restarted, and has nothing in flight (restart.h)
 *
 * No thread: it is called back by taf_supervise.
 */
#ifndef TAF_LOOKOUT_H
#define TAF_LOOKOUT_H

#include "held.h"
#include "restart.h"
#include "watcher.h"
#include "witness.h"

#define TAF_LOOKOUT_FIRST_MS TAF_WITNESS_FIRST_MS

struct taf_lookout {
	const struct taf_rules *rules;
	struct taf_witness witness;
	struct taf_watcher watcher; /* crumbs "": nothing is looked at */
	struct taf_restarter *restarter;
	char stacks[PATH_MAX];
	/* its own */
	struct taf_held held;
	int32_t guest; /* of which the rest speaks */
	uint64_t witness_ms, watch_ms; /* when they are due; UINT64_MAX: never again */
};

/* For struct taf_guest: ms until the next look. */
int taf_lookout_look(struct taf_lookout *l);

#endif
