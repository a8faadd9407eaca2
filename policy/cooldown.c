/* SPDX-License-Identifier: MIT */
/* cooldown.c -- the gate as a rule, and in words. */
#include "cooldown.h"

#include "policy.h"

const char *taf_gate_word(enum taf_gate_reason reason)
{
	switch (reason) {
#define REASON(NAME, word, todo) \
	case TAF_GATE_##NAME: return #word;
		TAF_GATE_REASONS(REASON)
#undef REASON
	}
	return "?";
}

const char *taf_gate_todo(enum taf_gate_reason reason)
{
	switch (reason) {
#define REASON(NAME, word, todo) \
	case TAF_GATE_##NAME: return todo;
		TAF_GATE_REASONS(REASON)
#undef REASON
	}
	return "";
}

int taf_gate_rule(const struct taf_gate *g, const struct taf_rules *r)
{
	switch (g->reason) {
	case TAF_GATE_LOCKOUT:
		return g->panics_24h >= r->cooldown_lockout_24h ? TAF_RULE_cooldown_lockout_24h
								: TAF_RULE_cooldown_lockout_72h;
	case TAF_GATE_COOLDOWN:
		return g->scope == TAF_SCOPE_MODEL ? TAF_RULE_aborts_hold_ms
						   : TAF_RULE_cooldown_stage1_ms;
	case TAF_GATE_SUSPECTED_PANIC: return TAF_RULE_cooldown_dirty_boot;
	case TAF_GATE_MACHINE:
	case TAF_GATE_DEVICE: return TAF_RULE_cooldown_classes;
	case TAF_GATE_ABORTS: return TAF_RULE_aborts_threshold;
	case TAF_GATE_BLIND: return TAF_RULE_cooldown_blind;
	default: return TAF_RULE_cooldown_mode;
	}
}

static void put_panics(const struct taf_gate *g, struct taf_text *out)
{
	taf_text_u64(out, g->panics_24h);
	taf_text_put(out, g->panics_24h == 1 ? " panic in 24 h, " : " panics in 24 h, ");
	taf_text_u64(out, g->panics_72h);
	taf_text_put(out, " in 72 h; the last: ");
}

static void put_event(const struct taf_gate *g, const struct taf_gate_question *q,
		      struct taf_text *out)
{
	taf_text_put(out, g->why->class[0] ? g->why->class : "a panic");
	if (g->why->device[0]) {
		taf_text_put(out, " on ");
		taf_text_put(out, g->why->device);
	}
	taf_text_char(out, ' ');
	taf_text_ms(out, taf_ledger_age_ms(g->why, &q->now));
	taf_text_put(out, " ago");
}

void taf_gate_lost_text(const struct taf_ledger *l, struct taf_text *out)
{
	taf_text_put(out, "the state was damaged (see ");
	taf_text_put(out, l->lost);
	taf_text_put(out, "); a hold by hand may be lost: look, then taffrail ack, or hold");
}

/* The longer of the two was taken. */
static void put_stored(const struct taf_gate *g, const struct taf_gate_question *q,
		       struct taf_text *out)
{
	const char *why = q->ledger->hold.why;

	if (q->sentinel_ms && q->sentinel_ms >= g->pass_ms) {
		taf_text_put(out, taf_gate_word(g->reason));
		taf_text_put(out, ": another guard holds");
		return;
	}
	taf_text_put(out, "held by hand");
	taf_text_put(out, why[0] ? ": " : "");
	taf_text_put(out, why);
	taf_text_put(out, "; taffrail hold --clear");
}

void taf_gate_text(const struct taf_gate *g, const struct taf_gate_question *q,
		   struct taf_text *out)
{
	if (g->reason == TAF_GATE_SENTINEL) {
		put_stored(g, q, out);
		return;
	}
	taf_text_put(out, taf_gate_word(g->reason));
	if (g->reason == TAF_GATE_BLIND) {
		taf_text_put(out, ": ");
		if (q->ledger->lost[0])
			taf_gate_lost_text(q->ledger, out);
		else
			taf_text_put(out, q->ledger->blind);
	} else if (g->why) {
		taf_text_put(out, ": ");
		if (g->reason == TAF_GATE_ABORTS) {
			taf_text_u64(out, g->crashes);
			taf_text_put(out, g->crashes == 1 ? " crash" : " crashes");
			taf_text_put(out, " within aborts.window (");
			taf_text_ms(out, q->rules->aborts_window_ms);
			taf_text_put(out, "); the last: ");
		} else if (g->scope == TAF_SCOPE_ALL && g->reason != TAF_GATE_MACHINE) {
			put_panics(g, out);
		}
		put_event(g, q, out);
	}
}

/* What was compared, as far as it is one number with another. */
static void fill(const struct taf_gate *g, const struct taf_gate_question *q, struct taf_answer *a)
{
	const struct taf_rules *r = q->rules;

	if (g->reason == TAF_GATE_LOCKOUT) {
		bool is_day = a->rule == TAF_RULE_cooldown_lockout_24h;

		a->unit = TAF_UNIT_COUNT;
		a->have = is_day ? g->panics_24h : g->panics_72h;
		a->need = is_day ? r->cooldown_lockout_24h : r->cooldown_lockout_72h;
	} else if (g->reason == TAF_GATE_ABORTS) {
		a->unit = TAF_UNIT_COUNT;
		a->have = g->crashes;
		a->need = r->aborts_threshold;
	} else if (g->pass_ms != TAF_PASS_UNKNOWN && g->why) {
		a->unit = TAF_UNIT_MS;
		a->have = taf_ledger_age_ms(g->why, &q->now);
		a->need = a->have + g->pass_ms;
	}
}

void taf_cooldown(const struct taf_question *q, struct taf_verdict *v)
{
	struct taf_gate_question ask = { .rules = q->rules,
					 .ledger = q->facts->ledger,
					 .now = q->facts->now,
					 .model = q->event->model };
	struct taf_answer a;
	struct taf_text about;
	struct taf_gate g;

	/* A companion belongs to a load that was let through. */
	if (!ask.ledger || q->event->is_companion || q->event->phase != TAF_BEGIN ||
	    !q->rules->cooldown_mode || (q->event->kind != TAF_LOAD && q->event->kind != TAF_START))
		return;
	taf_gate_judge(&ask, &g);
	if (!g.is_held)
		return;
	a = (struct taf_answer){ .action = taf_action_of(q->rules->cooldown_on_hold),
				 .rule = taf_gate_rule(&g, q->rules),
				 .pass_ms = g.pass_ms };
	fill(&g, &ask, &a);
	taf_text_init(&about, a.about, sizeof(a.about));
	taf_gate_text(&g, &ask, &about);
	taf_answer_wait(&a, q->facts->waited_ms, q->rules->cooldown_max_wait_ms, TAF_ACT_REFUSE);
	taf_verdict_say(v, &a);
}
