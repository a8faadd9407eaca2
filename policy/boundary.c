/* SPDX-License-Identifier: MIT */
/* boundary.c -- when to synchronize and clear caches: round a generation,
 * before an unload, between models, every N submits, at exit. */
#include "policy.h"

static void at_infer(const struct taf_question *q, struct taf_verdict *v)
{
	const struct taf_rules *r = q->rules;

	if (q->event->phase == TAF_BEGIN && r->drain_pre_clear)
		taf_verdict_drain(v, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM, TAF_RULE_drain_pre_clear);
	if (q->event->phase == TAF_BEGIN && r->drain_every_ms &&
	    q->facts->undrained_ms >= r->drain_every_ms)
		taf_verdict_drain(v, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM, TAF_RULE_drain_every_ms);
	if (q->event->phase == TAF_END && r->drain_post_sync)
		taf_verdict_drain(v, TAF_DRAIN_SYNC, TAF_RULE_drain_post_sync);
	if (q->event->phase == TAF_END && r->drain_post_clear)
		taf_verdict_drain(v, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM, TAF_RULE_drain_post_clear);
}

void taf_boundary(const struct taf_question *q, struct taf_verdict *v)
{
	const struct taf_rules *r = q->rules;
	const struct taf_facts *f = q->facts;

	/* All but the two ends below are asked before their function runs. */
	switch (q->event->kind) {
	case TAF_INFER: at_infer(q, v); break;
	case TAF_SUBMIT:
		if (r->drain_every_submits &&
		    f->submits_since_sync >=
			    (f->submit_window ? f->submit_window : r->drain_every_submits))
			taf_verdict_drain(v, TAF_DRAIN_SYNC, TAF_RULE_drain_every_submits);
		break;
	case TAF_UNLOAD:
		if (r->drain_before_unload && f->contexts_live)
			taf_verdict_drain(v, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM,
					  TAF_RULE_drain_before_unload);
		break;
	case TAF_LOAD:
		if (r->drain_between_models && f->models_live && f->contexts_live)
			taf_verdict_drain(v, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM,
					  TAF_RULE_drain_between_models);
		break;
	case TAF_EXIT:
		if (r->drain_at_exit && f->contexts_live)
			taf_verdict_drain(v, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM,
					  TAF_RULE_drain_at_exit);
		break;
	default: break;
	}
}

bool taf_kind_may_drain(enum taf_kind kind)
{
	switch (kind) {
	case TAF_LOAD:
	case TAF_UNLOAD:
	case TAF_INFER:
	case TAF_SUBMIT:
	case TAF_EXIT:
	case TAF_NOTE: /* a context is made */ return true;
	default: return false;
	}
}
