/* SPDX-License-Identifier: MIT */
/* failed.c -- a process whose computation failed loads no model (on_error poison). */
#include "policy.h"
#include "text.h"

void taf_failed(const struct taf_question *q, struct taf_verdict *v)
{
	struct taf_answer a = { .action = TAF_ACT_REFUSE,
				.rule = TAF_RULE_on_error,
				.unit = TAF_UNIT_NONE,
				.pass_ms = TAF_PASS_UNKNOWN };

	if (q->event->kind != TAF_LOAD || q->event->phase != TAF_BEGIN ||
	    q->rules->on_error != TAF_ON_ERROR_POISON || !q->facts->has_failed)
		return;
	taf_copy(a.about, "a computation failed: start the program again", sizeof(a.about));
	taf_verdict_say(v, &a);
}
