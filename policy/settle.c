/* SPDX-License-Identifier: MIT */
/* settle.c -- pauses: after an unload, until the kernel has taken the memory
 * back, and before the first inference of a family that is known to need one.
 *
 * A pause is no judgement: it is waited out and never refuses anything. */
#include "ledger.h"
#include "policy.h"

/* A model that held more than half of the device is waited for so much longer:
 * metal-guard saw 8 s needed on a 64 GB machine after a 24 GB model, and uses 2 s else. */
#define BIG_MODEL_FACTOR 4u

static void pause_for(struct taf_verdict *v, struct taf_answer *a)
{
	a->action = TAF_ACT_WAIT;
	a->unit = TAF_UNIT_MS;
	a->pass_ms = a->need - a->have;
	a->wait_ms = a->pass_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)a->pass_ms;
	taf_verdict_say(v, a);
}

static void after_unload(const struct taf_question *q, struct taf_verdict *v)
{
	const struct taf_ledger *l = q->facts->ledger;
	uint64_t need = q->rules->drain_settle_after_unload_ms, most = 0, age_ms = 0;
	const struct taf_ledger_model *last = NULL;
	struct taf_answer a;

	for (uint32_t i = 0; l && need && i < l->n_models && i < TAF_LEDGER_MODELS; i++) {
		const struct taf_ledger_model *m = &l->model[i];
		uint64_t age = taf_moment_age_ms(&m->unload, &q->facts->now), mine = need;

		if (q->facts->memory.total && m->bytes > q->facts->memory.total / 2)
			mine *= BIG_MODEL_FACTOR;
		if (age < mine && mine - age > most - age_ms) {
			most = mine;
			age_ms = age;
			last = m;
		}
	}
	if (!last)
		return;
	a = (struct taf_answer){ .rule = TAF_RULE_drain_settle_after_unload_ms,
				 .need = most,
				 .have = age_ms };
	taf_copy(a.about, last->id, sizeof(a.about));
	pause_for(v, &a);
}

static uint32_t pause_of(const struct taf_family_list *families, const char *id)
{
	uint32_t ms = 0;

	for (uint32_t i = 0; i < families->n; i++)
		if (families->at[i].settle_ms > ms && taf_glob(families->at[i].name, id))
			ms = families->at[i].settle_ms;
	return ms;
}

static void before_first(const struct taf_question *q, struct taf_verdict *v)
{
	const char *id = q->event->model;
	struct taf_answer a;
	uint32_t ms;

	if (!q->event->is_first || !id || !id[0])
		return;
	ms = pause_of(&q->rules->cadence_families, id);
	if (!ms)
		return;
	taf_verdict_drain(v, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM, TAF_RULE_cadence_families);
	if (q->facts->waited_ms >= ms)
		return;
	a = (struct taf_answer){ .rule = TAF_RULE_cadence_families,
				 .have = q->facts->waited_ms,
				 .need = ms };
	taf_copy(a.about, id, sizeof(a.about));
	pause_for(v, &a);
}

void taf_settle(const struct taf_question *q, struct taf_verdict *v)
{
	if (q->event->phase != TAF_BEGIN)
		return;
	if (q->event->kind == TAF_LOAD && !q->event->is_companion)
		after_unload(q, v);
	if (q->event->kind == TAF_INFER)
		before_first(q, v);
}
