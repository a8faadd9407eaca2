/* SPDX-License-Identifier: MIT */
#include "recycle.h"

#include "text.h"

__extension__ typedef unsigned __int128 taf_u128;

static struct taf_answer reason(int rule, enum taf_unit unit, uint64_t have, uint64_t need)
{
	struct taf_answer a = { .action = TAF_ACT_WARN,
				.rule = rule,
				.unit = unit,
				.have = have,
				.need = need,
				.pass_ms = TAF_PASS_UNKNOWN };

	return a;
}

/* The bytes of an amount; 0, as of the other figures, is never: nothing is asked for, or a
 * share of an unknown whole. */
static uint64_t bytes_of(const struct taf_amount *a, uint64_t total)
{
	if (a->is == TAF_AMOUNT_BYTES)
		return a->bytes;
	return a->is == TAF_AMOUNT_PCT ? (uint64_t)((taf_u128)total * a->pct / 100) : 0;
}

int taf_recycle_due(const struct taf_rules *r, const struct taf_facts *f,
		    struct taf_answer out[TAF_RECYCLE_REASONS])
{
	uint64_t footprint = bytes_of(&r->recycle_footprint, f->memory.total);
	int n = 0;

	if (f->resource_limit &&
	    (taf_u128)f->resources * 100 >= (taf_u128)f->resource_limit * r->recycle_resource_pct) {
		out[n] = reason(TAF_RULE_recycle_resource_pct, TAF_UNIT_COUNT, f->resources,
				f->resource_limit);
		taf_copy(out[n++].about, "live resources", sizeof(out->about));
	}
	if (r->recycle_inferences && f->infers >= r->recycle_inferences) {
		out[n] = reason(TAF_RULE_recycle_inferences, TAF_UNIT_COUNT, f->infers,
				r->recycle_inferences);
		taf_copy(out[n++].about, "generations", sizeof(out->about));
	}
	if (footprint && f->footprint >= footprint) {
		out[n] =
			reason(TAF_RULE_recycle_footprint, TAF_UNIT_BYTES, f->footprint, footprint);
		taf_copy(out[n++].about, "memory of its own", sizeof(out->about));
	}
	if (r->recycle_uptime_ms && f->uptime_ms >= r->recycle_uptime_ms) {
		out[n] = reason(TAF_RULE_recycle_uptime_ms, TAF_UNIT_MS, f->uptime_ms,
				r->recycle_uptime_ms);
		taf_copy(out[n++].about, "of use", sizeof(out->about));
	}
	return n;
}

void taf_recycle(const struct taf_question *q, struct taf_verdict *v)
{
	struct taf_answer due[TAF_RECYCLE_REASONS];
	bool is_load = q->event->kind == TAF_LOAD && q->event->phase == TAF_BEGIN &&
		       !q->event->is_companion;
	int n;

	/* The first load of a process is what a restart leads to: never held for it. */
	if (!is_load || !q->facts->infers)
		return;
	n = taf_recycle_due(q->rules, q->facts, due);
	for (int i = 0; i < n; i++) {
		due[i].action = taf_action_of(q->rules->recycle_on_due);
		taf_answer_wait(&due[i], q->facts->waited_ms, q->rules->recycle_max_wait_ms,
				TAF_ACT_WARN);
		taf_verdict_say(v, &due[i]);
	}
}
