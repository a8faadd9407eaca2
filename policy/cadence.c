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

/* No floor can be longer. */
static uint64_t longest_floor(const struct taf_rules *r)
{
	uint64_t floor_ms = taf_family_floor_most_ms();

	for (uint32_t i = 0; i < r->cadence_families.n; i++)
		floor_ms = longer(floor_ms, r->cadence_families.at[i].floor_ms);
	return floor_ms;
}

/* The other model whose interval has the most left to run. */
static void worst_gap(const struct taf_question *q, const struct taf_ledger_model *self,
		      struct gap *worst)
{
	const struct taf_ledger *l = q->facts->ledger;
	uint64_t base =
		longer(q->rules->cadence_cross_model_ms, floor_of(q->rules, q->event->model));
	uint64_t most = longer(base, longest_floor(q->rules));

	for (uint32_t i = 0; i < l->n_models && i < TAF_LEDGER_MODELS; i++) {
		struct gap g = { .other = l->model[i].id };

		if (&l->model[i] == self)
			continue;
		g.age_ms = age_of(&l->model[i], &q->facts->now);
		if (g.age_ms >= most)
			continue;
		g.need_ms = longer(base, floor_of(q->rules, g.other));
		if (g.age_ms < g.need_ms &&
		    (!worst->other || g.need_ms - g.age_ms > worst->need_ms - worst->age_ms))
			*worst = g;
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
	const struct taf_ledger *l = q->facts->ledger;
	const struct taf_ledger_model *self;
	struct gap same = { .need_ms = q->rules->cadence_same_model_ms }, cross = { .other = NULL };

	if (q->event->kind != TAF_LOAD || q->event->phase != TAF_BEGIN || q->event->is_companion ||
	    !l || !q->event->model || !q->event->model[0])
		return;
	self = taf_ledger_model_of(l, q->event->model);
	same.age_ms = self ? age_of(self, &q->facts->now) : UINT64_MAX;
	if (same.age_ms < same.need_ms)
		say(q, v, &same, TAF_RULE_cadence_same_model_ms);
	worst_gap(q, self, &cross);
	if (cross.other)
		say(q, v, &cross, TAF_RULE_cadence_cross_model_ms);
}
