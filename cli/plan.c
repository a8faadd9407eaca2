/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include "../policy/fit.h"

#define SCORE_BYTES 2u
#define SCORES_MOST 4000000000u /* of one step, where memory is plenty */
#define ROOM_PCT 70u /* of what is left after the load */
#define STEP_UNIT 512u

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t r;

	return __builtin_mul_overflow(a, b, &r) ? UINT64_MAX : r;
}

static uint64_t scores_of(uint64_t heads, uint64_t step, uint64_t context)
{
	return times(times(heads, step), times(context, SCORE_BYTES));
}

uint64_t taf_plan_step(uint64_t heads, uint64_t context, uint64_t most)
{
	uint64_t token = scores_of(heads, 1, context), step;

	if (!token)
		return 0;
	step = most / token;
	if (step >= context)
		return context;
	if (step >= STEP_UNIT)
		return step / STEP_UNIT * STEP_UNIT;
	for (uint64_t half = STEP_UNIT / 2; half > TAF_PLAN_STEP_MIN; half /= 2)
		if (half <= step)
			return half;
	return context < TAF_PLAN_STEP_MIN ? context : TAF_PLAN_STEP_MIN;
}

/* Whether the rule would let the load begin with such a cache. */
static bool fits(const struct taf_question *q, uint64_t cache)
{
	struct taf_rules rules = *q->rules;
	struct taf_event event = *q->event;
	struct taf_facts facts = *q->facts;
	struct taf_verdict v;

	rules.memory_on_misfit = TAF_ON_REFUSE;
	rules.models_max_loaded = 0;
	facts.fits_anyway = false;
	event.cache_bytes = cache;
	taf_verdict_init(&v);
	taf_fit(&(struct taf_question){ &rules, &event, &facts }, &v);
	return v.action != TAF_ACT_REFUSE;
}

static uint64_t cache_at(const struct taf_model *m, struct taf_cache_ask ask, uint64_t context)
{
	ask.context = context;
	return taf_cache_bytes(&m->cache, &ask);
}

/* Between 0, where not even the weights fit, and the largest that anybody asks for. */
static uint64_t largest_context(const struct taf_model *m, const struct taf_cache_ask *ask,
				const struct taf_question *q)
{
	uint64_t low = 0, high = TAF_PLAN_CONTEXT_MAX;

	if (fits(q, cache_at(m, *ask, high)))
		return UINT64_MAX;
	while (high - low > 1) {
		uint64_t middle = (low + high) / 2;

		if (fits(q, cache_at(m, *ask, middle)))
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* What is left of memory for the scores once the load is done. */
static uint64_t scores_most(const struct taf_question *q, const struct taf_plan *p)
{
	const struct taf_memory *now = &q->facts->memory;
	uint64_t taken = taf_plus(taf_plus(p->weights, p->cache), p->beside);
	uint64_t left = taf_less(now->free, taken) / 100 * ROOM_PCT;

	return now->total && left < SCORES_MOST ? left : SCORES_MOST;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void taf_plan_make(const struct taf_model *m, const struct taf_cache_ask *ask,
		   const struct taf_question *q, struct taf_plan *p)
{
	struct taf_event event = *q->event;
	struct taf_cache_ask f16 = *ask, q8 = *ask;
	struct taf_fit_need need;

	f16.k_unit = f16.v_unit = taf_cache_unit("f16");
	q8.k_unit = q8.v_unit = taf_cache_unit("q8_0");
	*p = (struct taf_plan){ .context = ask->context, .weights = event.bytes };
	p->largest_tensor = m->largest;
	p->cache = taf_cache_bytes(&m->cache, ask);
	p->cache_f16 = taf_cache_bytes(&m->cache, &f16);
	p->cache_q8 = taf_cache_bytes(&m->cache, &q8);
	event.cache_bytes = p->cache;
	taf_fit_need(&(struct taf_question){ q->rules, &event, q->facts }, &need);
	p->beside = need.beside;
	p->scores = scores_of(m->heads,
			      TAF_PLAN_STEP_USUAL < p->context ? TAF_PLAN_STEP_USUAL : p->context,
			      p->context);
	p->largest_alloc = larger(p->largest_tensor, larger(p->cache, p->scores));
	if (m->cache.layers) {
		p->fits_f16 = largest_context(m, &f16, q);
		p->fits_q8 = largest_context(m, &q8, q);
	}
	p->step = taf_plan_step(m->heads, p->context, scores_most(q, p));
}
