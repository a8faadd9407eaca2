/* SPDX-License-Identifier: MIT */
/* stall.h -- which calls of a process do not come back, as its ring tells it.
 *
 * A call has stalled when its thread is inside it and has shown no progress for
 * longer than the policy allows: watch.load_after for a load, infer_after for
 * a whole generation that is one call, orphan_after for everything else.
 * Progress is any record of that thread: a decode inside a load or a
 * generation, an allocation, the end of a wait.  A thread whose newest record
 * is the begin of a hold waits because a rule says so: that is no hang.
 *
 * Reads a copy of a ring (ring_read.h): of another process, or the program's own.
 */
#ifndef TAF_STALL_H
#define TAF_STALL_H

#include "../policy/rules.h"
#include "ring_read.h"

struct taf_stall {
	struct taf_ring_call call;
	int32_t tid;
	uint64_t still_ms; /* without progress */
	uint64_t limit_ms;
	int rule; /* row of the limit */
};

/* The stalled calls, at most room; how many. */
size_t taf_stall_find(const struct taf_ring_copy *c, const struct taf_rules *r, uint64_t now_ns,
		      struct taf_stall *out, size_t room);
/* Whether no thread is inside a call and the last submit is at least quiet_ms ago. */
bool taf_stall_is_idle(const struct taf_ring_copy *c, uint64_t now_ns, uint64_t quiet_ms);

#endif
