/* SPDX-License-Identifier: MIT */
/* lock.c -- one run at a time on the GPU, or lock.slots of them. Whose turn it is
 * the shell knows (shim/lockfile.h); here stands what follows from it. */
#include "policy.h"

/* hold = run: when the process begins with the device, whatever comes first.
 * hold = inference: round each piece of computing, and nothing else. */
bool taf_lock_concerns(const struct taf_rules *r, const struct taf_event *ev)
{
	if (ev->phase == TAF_END)
		return false;
	if (r->lock_hold == TAF_LOCK_HOLD_INFERENCE)
		return ev->kind == TAF_INFER || ev->kind == TAF_SUBMIT;
	return ev->kind == TAF_START || ev->kind == TAF_LOAD || ev->kind == TAF_INFER;
}

void taf_lock(const struct taf_question *q, struct taf_verdict *v)
{
	const struct taf_rules *r = q->rules;
	const struct taf_facts *f = q->facts;
	struct taf_answer a;

	if (f->lock != TAF_LOCK_BUSY || !taf_lock_concerns(r, q->event))
		return;
	a = (struct taf_answer){ .action = taf_action_of(r->lock_on_conflict),
				 .rule = TAF_RULE_lock_on_conflict,
				 .unit = TAF_UNIT_COUNT,
				 .have = r->lock_slots,
				 .need = r->lock_slots,
				 .pass_ms = TAF_PASS_UNKNOWN };
	taf_copy(a.about, f->lock_holder ? f->lock_holder : "another run", sizeof(a.about));
	taf_answer_wait(&a, f->waited_ms, r->lock_max_wait_ms, TAF_ACT_REFUSE);
	taf_verdict_say(v, &a);
}
