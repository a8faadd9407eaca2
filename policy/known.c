/* SPDX-License-Identifier: MIT */
/* known.c -- a model or an engine version that is known to make trouble.
 *
 * Nothing ends such a trouble, so there is nothing to wait for: "wait" refuses. */
#include "policy.h"

static void say(struct taf_verdict *v, uint32_t on, int rule, const struct taf_text *about)
{
	struct taf_answer a = { .action = taf_action_of(on),
				.rule = rule,
				.unit = TAF_UNIT_NONE,
				.pass_ms = TAF_PASS_UNKNOWN };

	taf_copy(a.about, about->start, sizeof(a.about));
	taf_answer_wait(&a, 0, 0, TAF_ACT_REFUSE);
	taf_verdict_say(v, &a);
}

static void at_model(const struct taf_question *q, struct taf_verdict *v)
{
	static const char harm[][32] = { [TAF_TIER_DEGRADATION] = "known to go wrong in time",
					 [TAF_TIER_ABORT] = "known to end its process",
					 [TAF_TIER_PANIC] = "known to take machines down" };
	const struct taf_rules *r = q->rules;
	const uint32_t on[] = { [TAF_TIER_DEGRADATION] = r->models_on_degradation,
				[TAF_TIER_ABORT] = r->models_on_abort,
				[TAF_TIER_PANIC] = r->models_on_panic };
	static const int rule[] = { [TAF_TIER_DEGRADATION] = TAF_RULE_models_on_degradation,
				    [TAF_TIER_ABORT] = TAF_RULE_models_on_abort,
				    [TAF_TIER_PANIC] = TAF_RULE_models_on_panic };
	enum taf_tier tier = q->facts->tier;
	char buf[TAF_ABOUT_ROOM];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, harm[tier]);
	if (q->facts->tier_why && q->facts->tier_why[0]) {
		taf_text_put(&t, ": ");
		taf_text_put(&t, q->facts->tier_why);
	}
	say(v, on[tier], rule[tier], &t);
}

void taf_known(const struct taf_question *q, struct taf_verdict *v)
{
	char buf[TAF_ABOUT_ROOM];
	struct taf_text t;

	if (q->event->phase != TAF_BEGIN ||
	    (q->event->kind != TAF_LOAD && q->event->kind != TAF_START))
		return;
	if (q->event->kind == TAF_LOAD && q->facts->tier > TAF_TIER_NONE &&
	    q->facts->tier <= TAF_TIER_PANIC)
		at_model(q, v);
	if (!q->facts->version_hit)
		return;
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, q->facts->version_hit);
	say(v, q->rules->versions_on_hit, TAF_RULE_versions_on_hit, &t);
}
