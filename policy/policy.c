/* SPDX-License-Identifier: MIT */
#include "policy.h"

taf_rule_fn *const taf_rule_list[] = {
#define R(fn) fn,
	TAF_RULE_FNS(R)
#undef R
};

const int taf_rule_list_count = (int)(sizeof(taf_rule_list) / sizeof(*taf_rule_list));

void taf_verdict_init(struct taf_verdict *v)
{
	v->action = TAF_ACT_ALLOW;
	v->wait_ms = 0;
	v->drain = 0;
	v->rule = v->drain_rule = -1;
	v->n_said = 0;
}

void taf_verdict_drain(struct taf_verdict *v, unsigned drain, int rule)
{
	v->drain |= drain;
	if (v->drain_rule < 0 || rule < v->drain_rule)
		v->drain_rule = rule;
}

/* One answer a rule: the stricter. */
static void keep_said(struct taf_verdict *v, const struct taf_answer *a)
{
	for (uint32_t i = 0; i < v->n_said; i++)
		if (v->said[i].rule == a->rule) {
			if (a->action > v->said[i].action)
				v->said[i] = *a;
			return;
		}
	if (v->n_said < TAF_SAID_MAX)
		v->said[v->n_said++] = *a;
}

void taf_verdict_say(struct taf_verdict *v, const struct taf_answer *a)
{
	if (a->action == TAF_ACT_ALLOW)
		return;
	keep_said(v, a);
	if (a->action > v->action || (a->action == v->action && (v->rule < 0 || a->rule < v->rule)))
		v->rule = a->rule;
	if (a->action > v->action)
		v->action = a->action;
	if (a->wait_ms > v->wait_ms)
		v->wait_ms = a->wait_ms;
}

const struct taf_answer *taf_verdict_why(const struct taf_verdict *v)
{
	for (uint32_t i = 0; i < v->n_said; i++)
		if (v->said[i].rule == v->rule && v->said[i].action == v->action)
			return &v->said[i];
	return NULL;
}

const struct taf_answer *taf_verdict_binding(const struct taf_verdict *v)
{
	const struct taf_answer *best = NULL;

	for (uint32_t i = 0; i < v->n_said; i++) {
		const struct taf_answer *a = &v->said[i];

		if (a->action == v->action &&
		    (!best || a->pass_ms > best->pass_ms ||
		     (a->pass_ms == best->pass_ms && a->rule < best->rule)))
			best = a;
	}
	return best;
}

enum taf_action taf_action_of(uint32_t on)
{
	switch (on) {
	case TAF_ON_WAIT: return TAF_ACT_WAIT;
	case TAF_ON_REFUSE:
	case TAF_ON_EXIT: return TAF_ACT_REFUSE;
	default: return TAF_ACT_WARN;
	}
}

/* Nobody says when it is over: look again so often. */
#define LOOK_AGAIN_MS 1000u

void taf_answer_wait(struct taf_answer *a, uint64_t waited_ms, uint64_t max_ms,
		     enum taf_action after)
{
	uint64_t left = max_ms > waited_ms ? max_ms - waited_ms : 0;
	uint64_t ms = a->pass_ms == TAF_PASS_UNKNOWN ? LOOK_AGAIN_MS : a->pass_ms;

	if (a->action != TAF_ACT_WAIT)
		return;
	if (!left) {
		a->action = after;
		return;
	}
	ms = ms < left ? ms : left;
	a->wait_ms = ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

static void put_amount(struct taf_text *out, enum taf_unit unit, uint64_t n)
{
	switch (unit) {
	case TAF_UNIT_MS: taf_text_ms(out, n); break;
	case TAF_UNIT_BYTES: taf_text_bytes(out, n); break;
	case TAF_UNIT_PCT:
		taf_text_u64(out, n);
		taf_text_char(out, '%');
		break;
	default: taf_text_u64(out, n); break;
	}
}

/* What is used or has grown needs nothing. */
static bool is_growth(int rule)
{
	return rule == TAF_RULE_memory_growth_per_min || rule == TAF_RULE_memory_growth_per_infer;
}

static bool is_use(int rule)
{
	return rule == TAF_RULE_memory_warn_pct || rule == TAF_RULE_memory_critical_pct;
}

/* Of crashes `about` says how many there were. */
static bool is_storm(const struct taf_answer *a)
{
	return a->rule == TAF_RULE_aborts_threshold && a->about[0];
}

/* "3 models with this one, at most 2" */
static void put_models(const struct taf_answer *a, struct taf_text *out)
{
	put_amount(out, a->unit, a->need);
	taf_text_put(out, " models with this one, at most ");
	put_amount(out, a->unit, a->have);
}

void taf_answer_text(const struct taf_answer *a, struct taf_text *out)
{
	if (is_growth(a->rule)) {
		taf_text_put(out, "grown by ");
		put_amount(out, a->unit, a->need);
		taf_text_char(out, ' ');
		taf_text_put(out, a->about);
		taf_text_put(out, ", more than ");
		put_amount(out, a->unit, a->have);
		return;
	}
	if (a->rule == TAF_RULE_models_max_loaded) {
		put_models(a, out);
	} else if (a->unit == TAF_UNIT_BYTES && a->have < a->need && !is_use(a->rule)) {
		taf_text_put(out, "needs ");
		put_amount(out, a->unit, a->need);
		taf_text_put(out, ", has ");
		put_amount(out, a->unit, a->have);
	} else if (a->unit != TAF_UNIT_NONE && !is_storm(a)) {
		put_amount(out, a->unit, a->have);
		taf_text_put(out, " of ");
		put_amount(out, a->unit, a->need);
	}
	if (a->about[0]) {
		taf_text_put(out, a->unit == TAF_UNIT_NONE || is_storm(a) ? "" : ", ");
		taf_text_put(out, a->about);
	}
	if (a->pass_ms != TAF_PASS_UNKNOWN && a->pass_ms) {
		taf_text_put(out, a->unit == TAF_UNIT_NONE && !a->about[0] ? "" : ", ");
		taf_text_put(out, "passes in ");
		taf_text_left(out, a->pass_ms);
	}
}

void taf_decide(const struct taf_question *q, struct taf_verdict *v)
{
	taf_verdict_init(v);
	for (int i = 0; i < taf_rule_list_count; i++)
		taf_rule_list[i](q, v);
}
