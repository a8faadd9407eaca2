/* SPDX-License-Identifier: MIT */
/* policy.h -- runs all rules and joins their verdicts.
 *
 * Each rule may only make the verdict stricter: actions and waits take the
 * maximum, drain flags are or-ed, a tie is named by the lowest row of
 * rules.def.  So the order of the rules cannot matter.
 */
#ifndef TAF_POLICY_H
#define TAF_POLICY_H

#include "event.h"
#include "rules.h"

struct taf_question {
	const struct taf_rules *rules;
	const struct taf_event *event;
	const struct taf_facts *facts;
};

typedef void taf_rule_fn(const struct taf_question *q, struct taf_verdict *v);

void taf_decide(const struct taf_question *q, struct taf_verdict *v);
/* The verdict that asks for nothing. */
void taf_verdict_init(struct taf_verdict *v);
/* Makes v ask for drain as well, in the name of rule. */
void taf_verdict_drain(struct taf_verdict *v, unsigned drain, int rule);
/* Makes v at least as strict as action; waits take the maximum. */
void taf_verdict_act(struct taf_verdict *v, enum taf_action action, uint32_t wait_ms, int rule);

taf_rule_fn taf_boundary; /* boundary.c: when to synchronize and clear */

/* All rules, for tests that call them in every order. */
extern taf_rule_fn *const taf_rule_list[];
extern const int taf_rule_list_count;

#endif
