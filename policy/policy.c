/* SPDX-License-Identifier: MIT */
#include "policy.h"

taf_rule_fn *const taf_rule_list[] = {
	taf_boundary,
};

const int taf_rule_list_count = (int)(sizeof(taf_rule_list) / sizeof(*taf_rule_list));

void taf_verdict_init(struct taf_verdict *v)
{
	*v = (struct taf_verdict){ .rule = -1, .drain_rule = -1 };
}

void taf_verdict_drain(struct taf_verdict *v, unsigned drain, int rule)
{
	v->drain |= drain;
	if (v->drain_rule < 0 || rule < v->drain_rule)
		v->drain_rule = rule;
}

void taf_verdict_act(struct taf_verdict *v, enum taf_action action, uint32_t wait_ms, int rule)
{
	if (action > v->action) {
		v->action = action;
		v->rule = rule;
	} else if (action == v->action && action != TAF_ACT_ALLOW &&
		   (v->rule < 0 || rule < v->rule)) {
		v->rule = rule;
	}
	if (wait_ms > v->wait_ms)
		v->wait_ms = wait_ms;
}

void taf_decide(const struct taf_question *q, struct taf_verdict *v)
{
	taf_verdict_init(v);
	for (int i = 0; i < taf_rule_list_count; i++)
		taf_rule_list[i](q, v);
}
