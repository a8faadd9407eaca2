/* SPDX-License-Identifier: MIT */
#include "stall.h"

#define MS_NS 1000000u

static int limit_of(const struct taf_ring_call *call)
{
	switch (call->kind) {
	case TAF_LOAD: return TAF_RULE_watch_load_after_ms;
	case TAF_INFER: return TAF_RULE_watch_infer_after_ms;
	default: return TAF_RULE_watch_orphan_after_ms;
	}
}

static uint64_t limit_ms(const struct taf_rules *r, int rule)
{
	return rule == TAF_RULE_watch_load_after_ms    ? r->watch_load_after_ms
	       : rule == TAF_RULE_watch_infer_after_ms ? r->watch_infer_after_ms
						       : r->watch_orphan_after_ms;
}

/* False: the thread is in no call, or waits for us. */
static bool moved_ns(const struct taf_ring_copy *c, uint32_t i, const struct taf_ring_lane *lane,
		     uint64_t *moved)
{
	struct taf_ring_record newest;

	if (lane->tid <= 0 || !lane->is_inside)
		return false;
	*moved = lane->open.mono_ns;
	if (!taf_ring_lane_records(c, i, &newest, 1))
		return true;
	if ((newest.call.kind == TAF_HOLD || newest.call.kind == TAF_SETTLE) &&
	    newest.phase == TAF_BEGIN)
		return false;
	if (newest.call.mono_ns > *moved)
		*moved = newest.call.mono_ns;
	return true;
}

size_t taf_stall_find(const struct taf_ring_copy *c, const struct taf_rules *r, uint64_t now_ns,
		      struct taf_stall *out, size_t room)
{
	struct taf_ring_lane lane;
	uint64_t moved;
	size_t n = 0;

	for (uint32_t i = 0; n < room && taf_ring_lane_view(c, i, &lane); i++) {
		struct taf_stall s = { .call = lane.open, .tid = lane.tid };

		if (!moved_ns(c, i, &lane, &moved) || moved >= now_ns)
			continue;
		s.still_ms = (now_ns - moved) / MS_NS;
		s.rule = limit_of(&lane.open);
		s.limit_ms = limit_ms(r, s.rule);
		if (s.still_ms >= s.limit_ms)
			out[n++] = s;
	}
	return n;
}

bool taf_stall_is_idle(const struct taf_ring_copy *c, uint64_t now_ns, uint64_t quiet_ms)
{
	uint64_t last = c->facts.last_activity_ns;
	struct taf_ring_lane lane;

	for (uint32_t i = 0; taf_ring_lane_view(c, i, &lane); i++) {
		if (lane.tid <= 0)
			continue;
		if (lane.is_inside)
			return false;
		if (lane.last_submit_ns > last)
			last = lane.last_submit_ns;
	}
	return last + quiet_ms * MS_NS <= now_ns;
}
