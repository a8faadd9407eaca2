/* SPDX-License-Identifier: MIT */
/* gate.c -- the verdict of cooldown.h. */
#include "classify.h"
#include "cooldown.h"

#define ACK_AHEAD_MS (5u * TAF_MINUTE_MS)
#define NEVER UINT64_MAX

/* What was seen in one pass over the events; ages, NEVER when there is none. */
struct sight {
	const struct taf_gate_question *q;
	uint64_t horizon_ms; /* what is older than that holds nothing */
	uint32_t n_near; /* events that are not */
	struct taf_gate_counts n;
	uint64_t newest, oldest; /* panic within 72 h */
	uint64_t suspected; /* the newest one */
	uint64_t ack; /* of an acknowledgement that counts */
	const struct taf_ledger_event *newest_event, *suspected_event;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint8_t severity_of(const struct taf_gate_question *q, const struct taf_ledger_event *e)
{
	return taf_class_severity(q->rules, e->class, e->severity);
}

static void see_panic(struct sight *s, const struct taf_ledger_event *e, uint64_t age)
{
	if (e->is_suspected) {
		s->n.suspected_24h += age <= TAF_DAY_MS;
		if (age < s->suspected) {
			s->suspected = age;
			s->suspected_event = e;
		}
		return;
	}
	if (age > 3ull * TAF_DAY_MS)
		return;
	s->n.panics_72h++;
	s->n.panics_24h += age <= TAF_DAY_MS;
	if (s->oldest == NEVER || age > s->oldest)
		s->oldest = age;
	if (age < s->newest) {
		s->newest = age;
		s->newest_event = e;
	}
}

/* The age of the acknowledgement, or NEVER when it does not count. */
static uint64_t ack_age(const struct taf_gate_question *q)
{
	const struct taf_moment *ack = &q->ledger->ack;
	uint64_t age = taf_moment_age_ms(ack, &q->now);
	bool is_same_boot = ack->boot && ack->boot == q->now.boot;

	if (!is_same_boot && ack->utc_ms > q->now.utc_ms + ACK_AHEAD_MS)
		return NEVER;
	return age < q->rules->cooldown_ack_ttl_ms ? age : NEVER;
}

static uint64_t horizon_of(const struct taf_rules *r)
{
	uint64_t ms = 3ull * TAF_DAY_MS;

	ms = r->cooldown_stage1_ms > ms ? r->cooldown_stage1_ms : ms;
	ms = r->cooldown_max_ms > ms ? r->cooldown_max_ms : ms;
	return (uint64_t)r->aborts_hold_ms + r->aborts_window_ms > ms
		       ? (uint64_t)r->aborts_hold_ms + r->aborts_window_ms
		       : ms;
}

static void look(struct sight *s, const struct taf_gate_question *q)
{
	*s = (struct sight){ .q = q,
			     .horizon_ms = horizon_of(q->rules),
			     .newest = NEVER,
			     .oldest = NEVER,
			     .suspected = NEVER,
			     .ack = ack_age(q) };
	for (uint32_t i = 0; i < q->ledger->n_events; i++) {
		const struct taf_ledger_event *e = &q->ledger->event[i];
		uint64_t age;
		uint8_t severity;

		if (taf_ledger_is_older(e, &q->now, s->horizon_ms) || e->is_elsewhere)
			continue;
		s->n_near++;
		age = taf_ledger_age_ms(e, &q->now);
		severity = severity_of(q, e);
		if (severity == TAF_SEVERITY_NONE)
			continue;
		if (e->is_abort)
			s->n.aborts_24h += age <= TAF_DAY_MS;
		else if (severity == TAF_SEVERITY_PANIC)
			see_panic(s, e, age);
	}
}

static bool is_acked(const struct sight *s, uint64_t age)
{
	return s->ack != NEVER && s->ack <= age;
}

static void hold(struct taf_gate *out, enum taf_gate_reason reason, uint64_t pass_ms,
		 const struct taf_ledger_event *why)
{
	out->is_held = true;
	out->reason = reason;
	out->pass_ms = pass_ms;
	out->why = why;
}

/* What is left of the hold by hand; cooldown.max ends it, too. */
static uint64_t by_hand_ms(const struct sight *s)
{
	const struct taf_ledger_hold *h = &s->q->ledger->hold;
	uint64_t lasts = least(h->for_ms, s->q->rules->cooldown_max_ms);
	uint64_t age = taf_moment_age_ms(&h->set, &s->q->now);

	/* What somebody set after having looked stands. */
	if (age >= lasts || (s->ack < age && is_acked(s, s->newest)))
		return 0;
	return lasts - age;
}

/* How long a stored hold still stands, ours or another guard's. */
static uint64_t stored_ms(const struct sight *s)
{
	uint64_t by_hand = by_hand_ms(s);
	uint64_t other = least(s->q->sentinel_ms, s->q->rules->cooldown_max_ms);

	if (is_acked(s, s->newest))
		other = 0;
	return by_hand > other ? by_hand : other;
}

static bool is_locked(const struct sight *s)
{
	const struct taf_rules *r = s->q->rules;

	return s->n.panics_72h && (s->n.panics_24h >= r->cooldown_lockout_24h ||
				   s->n.panics_72h >= r->cooldown_lockout_72h);
}

static uint64_t stage1_ms(const struct taf_rules *r)
{
	return least(r->cooldown_stage1_ms, r->cooldown_max_ms);
}

/* The staircase: what panics that are known to be some ask for. */
static void climb(const struct sight *s, struct taf_gate *out)
{
	uint64_t stage1 = stage1_ms(s->q->rules);

	if (is_locked(s)) {
		if (is_acked(s, s->newest))
			out->reason = TAF_GATE_ACK;
		else if (s->oldest >= s->q->rules->cooldown_max_ms)
			out->reason = TAF_GATE_ABSOLUTE_MAX;
		else
			hold(out, TAF_GATE_LOCKOUT, TAF_PASS_UNKNOWN, s->newest_event);
	} else if (s->n.panics_24h && s->newest < stage1) {
		hold(out, TAF_GATE_COOLDOWN, stage1 - s->newest, s->newest_event);
	} else if (s->n.panics_24h) {
		out->reason = TAF_GATE_EXPIRED;
	}
}

/* ---- what holds beside the staircase ---- */

static bool is_of_this_boot(const struct taf_gate_question *q, const struct taf_ledger_event *e,
			    uint64_t age)
{
	if (e->at.boot && q->now.boot)
		return e->at.boot == q->now.boot;
	return age < q->now.boot_ms;
}

static bool is_for_device(const struct taf_gate_question *q, const struct taf_ledger_event *e)
{
	return !q->device || !q->device[0] || !e->device[0] || taf_same(q->device, e->device);
}

static bool is_for_us(const struct taf_gate_question *q, const struct taf_ledger_event *e)
{
	return (q->pid && q->pid == e->pid) ||
	       (q->model && q->model[0] && taf_ledger_same(q->model, e->model));
}

static void longer(struct taf_gate *out, const struct taf_gate *one)
{
	uint32_t panics_24h = out->panics_24h, panics_72h = out->panics_72h;
	bool is_blind = out->is_blind;

	if (out->is_held && out->pass_ms >= one->pass_ms)
		return;
	*out = *one;
	out->panics_24h = panics_24h;
	out->panics_72h = panics_72h;
	out->is_blind = is_blind;
}

/* One event of the running boot, by how far it reaches. */
static void reach(const struct sight *s, const struct taf_ledger_event *e, struct taf_gate *out)
{
	const struct taf_gate_question *q = s->q;
	uint64_t age = taf_ledger_age_ms(e, &q->now), stage1 = stage1_ms(q->rules);
	struct taf_gate one = { .is_held = true, .why = e };
	uint8_t severity;

	if (age > s->horizon_ms || e->is_elsewhere || e->is_abort || !is_of_this_boot(q, e, age) ||
	    is_acked(s, age))
		return;
	severity = severity_of(q, e);
	if (severity < TAF_SEVERITY_PROCESS || severity == TAF_SEVERITY_PANIC)
		return;
	if (severity == TAF_SEVERITY_MACHINE && age < q->rules->cooldown_max_ms) {
		one.reason = TAF_GATE_MACHINE;
		one.pass_ms = TAF_PASS_UNKNOWN;
	} else if (severity == TAF_SEVERITY_DEVICE && age < stage1 && is_for_device(q, e)) {
		one.reason = TAF_GATE_DEVICE;
		one.scope = TAF_SCOPE_GPU;
		one.pass_ms = stage1 - age;
	} else if (severity == TAF_SEVERITY_PROCESS && age < q->rules->aborts_hold_ms &&
		   is_for_us(q, e)) {
		one.reason = TAF_GATE_COOLDOWN;
		one.scope = TAF_SCOPE_MODEL;
		one.pass_ms = q->rules->aborts_hold_ms - age;
	} else {
		return;
	}
	longer(out, &one);
}

static bool is_crash(const struct sight *s, const struct taf_ledger_event *e)
{
	return e->is_abort && !e->is_elsewhere && severity_of(s->q, e) != TAF_SEVERITY_NONE;
}

/* The crashes in the window that ended with one of that age. */
static uint32_t crashes_up_to(const struct sight *s, uint64_t age)
{
	const struct taf_ledger *l = s->q->ledger;
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n_events; i++) {
		uint64_t other;

		if (!is_crash(s, &l->event[i]))
			continue;
		other = taf_ledger_age_ms(&l->event[i], &s->q->now);
		n += other >= age && other - age <= s->q->rules->aborts_window_ms;
	}
	return n;
}

/* A storm holds for aborts.hold from its last crash. */
static void storm(const struct sight *s, struct taf_gate *out)
{
	const struct taf_rules *r = s->q->rules;
	const struct taf_ledger *l = s->q->ledger;

	for (uint32_t i = 0; s->n.aborts_24h >= r->aborts_threshold && i < l->n_events; i++) {
		const struct taf_ledger_event *e = &l->event[i];
		uint64_t age = taf_ledger_age_ms(e, &s->q->now);
		struct taf_gate one = { .is_held = true, .reason = TAF_GATE_ABORTS, .why = e };

		if (!is_crash(s, e) || age >= r->aborts_hold_ms || is_acked(s, age) ||
		    (out->is_held && out->pass_ms >= r->aborts_hold_ms - age) ||
		    crashes_up_to(s, age) < r->aborts_threshold)
			continue;
		one.pass_ms = r->aborts_hold_ms - age;
		one.crashes = crashes_up_to(s, age);
		longer(out, &one);
	}
}

static void suspect(const struct sight *s, struct taf_gate *out)
{
	uint64_t stage1 = stage1_ms(s->q->rules);
	struct taf_gate one = { .is_held = true,
				.reason = TAF_GATE_SUSPECTED_PANIC,
				.why = s->suspected_event };

	if (s->q->rules->cooldown_dirty_boot != TAF_DIRTY_COUNT || s->suspected >= stage1 ||
	    is_acked(s, s->suspected))
		return;
	one.pass_ms = stage1 - s->suspected;
	longer(out, &one);
}

static void look_beside(const struct sight *s, struct taf_gate *out)
{
	const struct taf_ledger *l = s->q->ledger;
	struct taf_gate blind = { .is_held = true,
				  .reason = TAF_GATE_BLIND,
				  .pass_ms = TAF_PASS_UNKNOWN };

	suspect(s, out);
	for (uint32_t i = 0; s->n_near && i < l->n_events; i++)
		reach(s, &l->event[i], out);
	storm(s, out);
	if (out->is_blind && s->q->rules->cooldown_blind == TAF_BLIND_HOLD)
		longer(out, &blind);
}

void taf_gate_judge(const struct taf_gate_question *q, struct taf_gate *out)
{
	struct sight s;
	uint64_t stored;

	*out = (struct taf_gate){ .is_blind = q->ledger->is_blind || q->ledger->lost[0] };
	if (!q->rules->cooldown_mode) {
		out->reason = TAF_GATE_KILL_SWITCH;
		return;
	}
	look(&s, q);
	stored = stored_ms(&s);
	if (stored) {
		hold(out, TAF_GATE_SENTINEL, stored, NULL);
		return;
	}
	out->panics_24h = s.n.panics_24h;
	out->panics_72h = s.n.panics_72h;
	climb(&s, out);
	if (out->reason != TAF_GATE_LOCKOUT)
		look_beside(&s, out);
}

void taf_gate_count(const struct taf_gate_question *q, struct taf_gate_counts *out)
{
	struct sight s;

	look(&s, q);
	*out = s.n;
}

uint64_t taf_gate_by_hand_ms(const struct taf_gate_question *q)
{
	struct sight s;

	look(&s, q);
	return by_hand_ms(&s);
}
