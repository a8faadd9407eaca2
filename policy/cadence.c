/* SPDX-License-Identifier: MIT */
/* cadence.c -- time between loads: of one model, and of different ones.
 *
 * An interval runs from the last thing that a model did: being loaded,
 * computing, being given up.  So a model that was loaded hours ago and left a
 * moment ago counts as young.  The interval between two different models is the longest of
 * cadence.cross_model and the floors of both families: leaving a family with a
 * floor is as risky as coming to it.  A stamp from the future counts as now. */
#include "family.h"
#include "ledger.h"
#include "policy.h"

struct gap {
	uint64_t age_ms, need_ms;
	const char *other; /* NULL: the model itself */
};

/* Since the model did anything at all. */
static uint64_t age_of(const struct taf_ledger_model *m, const struct taf_moment *now)
{
	uint64_t age = taf_moment_youngest_ms(&m->load, &m->infer, now);
	uint64_t left = taf_moment_age_ms(&m->unload, now);

	return age < left ? age : left;
}

static uint64_t longer(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Of the policy's own list and of the families that are known to need one. */
static uint64_t floor_of(const struct taf_rules *r, const char *id)
{
	uint64_t floor_ms = taf_family_floor_ms(taf_family_of(id));

	for (uint32_t i = 0; i < r->cadence_families.n; i++)
		if (r->cadence_families.at[i].floor_ms > floor_ms &&
		    taf_glob(r->cadence_families.at[i].name, id))
			floor_ms = r->cadence_families.at[i].floor_ms;
	return floor_ms;
}

/* No interval can be longer: what is older need not be looked at. */
static uint64_t longest(const struct taf_rules *r)
{
	uint64_t ms = longer(r->cadence_same_model_ms, r->cadence_cross_model_ms);

	ms = longer(ms, taf_family_floor_most_ms());
	for (uint32_t i = 0; i < r->cadence_families.n; i++)
		ms = longer(ms, r->cadence_families.at[i].floor_ms);
	return ms;
}

/* What each model that was used lately asks for. */
static void look(const struct taf_question *q, struct gap *same, struct gap *cross)
{
	const struct taf_ledger *l = q->facts->ledger;
	const char *id = q->event->model;
	uint64_t most = longest(q->rules);

	for (uint32_t i = 0; i < l->n_models && i < TAF_LEDGER_MODELS; i++) {
		const struct taf_ledger_model *m = &l->model[i];
		struct gap g = { .age_ms = age_of(m, &q->facts->now), .other = m->id };

		if (g.age_ms >= most)
			continue;
		if (taf_ledger_same(m->id, id)) {
			same->age_ms = g.age_ms;
			continue;
		}
		g.need_ms = longer(floor_of(q->rules, id), floor_of(q->rules, m->id));
		g.need_ms = longer(g.need_ms, q->rules->cadence_cross_model_ms);
		if (g.age_ms < g.need_ms &&
		    (!cross->other || g.need_ms - g.age_ms > cross->need_ms - cross->age_ms))
			*cross = g;
	}
}

static void say(const struct taf_question *q, struct taf_verdict *v, const struct gap *g, int rule)
{
	struct taf_answer a = { .action = taf_action_of(q->rules->cadence_on_violation),
				.rule = rule,
				.unit = TAF_UNIT_MS,
				.have = g->age_ms,
				.need = g->need_ms,
				.pass_ms = g->need_ms - g->age_ms };

	taf_copy(a.about, g->other ? g->other : q->event->model, sizeof(a.about));
	taf_answer_wait(&a, q->facts->waited_ms, q->rules->cadence_max_wait_ms, TAF_ACT_WARN);
	taf_verdict_say(v, &a);
}

void taf_cadence(const struct taf_question *q, struct taf_verdict *v)
{
	struct gap same = { .age_ms = UINT64_MAX, .need_ms = q->rules->cadence_same_model_ms };
	struct gap cross = { .other = NULL };

	if (q->event->kind != TAF_LOAD || q->event->phase != TAF_BEGIN || q->event->is_companion ||
	    !q->facts->ledger || !q->event->model || !q->event->model[0])
		return;
	look(q, &same, &cross);
	if (same.age_ms < same.need_ms)
		say(q, v, &same, TAF_RULE_cadence_same_model_ms);
	if (cross.other)
		say(q, v, &cross, TAF_RULE_cadence_cross_model_ms);
}
