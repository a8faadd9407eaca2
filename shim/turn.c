/* SPDX-License-Identifier: MIT */
#include "turn.h"

#include "act.h"
#include "admit.h"
#include "lock_threads.h"
#include "lockfile.h"
#include "traced.h"

#define QUIET_MS 2000u /* as long as some eight servers take for one round */
#define SLICE_MS 200u /* how often a waiter looks whether the process leaves */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Of a burst other threads may be at this door too: they wait here beside this one, not
 * for its claim. */
static enum taf_lock_state wait_quietly(struct taf_work *w, uint64_t *waited_ms)
{
	uint32_t ms = least(QUIET_MS, taf_rules.lock_max_wait_ms);
	enum taf_lock_state s = TAF_LOCK_BUSY;
	uint64_t began_ns = taf_sys_mono_ns();
	struct taf_trace_span span = { 0 };

	if (taf_traced_is_on())
		span = taf_traced_open(w);
	if (w->is_burst)
		taf_work_release(w);
	for (; ms && s == TAF_LOCK_BUSY && taf_state_now() == TAF_ACTIVE;
	     ms -= least(ms, SLICE_MS)) {
		taf_lock_wait(least(ms, SLICE_MS));
		s = taf_lock_try(&taf_rules, NULL);
	}
	*waited_ms = (taf_sys_mono_ns() - began_ns) / 1000000;
	if (w->is_burst && !taf_work_claim(w, taf_rules.drain_deadline_ms))
		taf_work_seize(w);
	if (taf_traced_is_on())
		taf_traced_close(w, TAF_PART_HELD, &span);
	return s;
}

bool taf_turn_take(struct taf_work *w, const struct taf_call *c)
{
	struct taf_event ev = { .kind = TAF_SUBMIT,
				.phase = TAF_BEGIN,
				.engine = c->table->engine,
				.model = taf_work_model_name(w) };
	struct taf_admission a = { .event = &ev,
				   .call = taf_row_name(c->table, c->row),
				   .work = w };
	bool is_enforced = taf_rules.mode == TAF_MODE_ENFORCE;
	enum taf_lock_state s;

	s = taf_lock_try(&taf_rules, NULL);
	/* A generation that has begun is not broken off because others had a turn. */
	if (s == TAF_LOCK_BUSY && is_enforced &&
	    (taf_rules.lock_on_conflict == TAF_ON_WAIT ||
	     (w->is_inferring && taf_rules.lock_on_conflict == TAF_ON_REFUSE)))
		s = wait_quietly(w, &a.waited_ms);
	if (s == TAF_LOCK_OURS)
		return true;
	/* What is only said is said once a generation. */
	if (w->is_inferring && (!is_enforced || taf_rules.lock_on_conflict == TAF_ON_WARN))
		return true;
	return (s == TAF_LOCK_UNKNOWN && w->is_inferring) || taf_admit(&a);
}

void taf_turn_give(struct taf_work *w)
{
	if (w && w->since_sync && taf_rules.mode == TAF_MODE_ENFORCE)
		taf_act_sync(w);
	taf_lock_release();
}

void taf_turn_end_all(void)
{
	if (taf_turn_is_taken())
		taf_lock_release_all();
}
