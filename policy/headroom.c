/* SPDX-License-Identifier: MIT */
/* headroom.c -- how memory is used and grows: one allocation that is too large,
 * a process over its limit, a device that fills up, growth that does not end.
 *
 * Only an allocation is ever refused, and only where on_misfit says more than warn:
 * it is never waited for, as it may be made under locks that the release would need,
 * so that wait refuses it too.
 * Warnings are given once a crossing: facts->memory.told knows which still stand.
 */
#include "fit.h"

#include "fault.h"
#include "text.h"

static void say(const struct taf_question *q, struct taf_verdict *v, struct taf_answer *a,
		enum taf_told told)
{
	if (a->action == TAF_ACT_WARN && (q->facts->memory.told & told))
		return;
	a->pass_ms = TAF_PASS_UNKNOWN;
	taf_verdict_say(v, a);
}

static enum taf_action act_of(const struct taf_question *q)
{
	bool warns = q->rules->memory_on_misfit == TAF_ON_WARN || q->facts->fits_anyway;

	return warns ? TAF_ACT_WARN : TAF_ACT_REFUSE;
}

static void at_alloc(const struct taf_question *q, struct taf_verdict *v)
{
	const struct taf_rules *r = q->rules;
	const struct taf_memory *m = &q->facts->memory;
	uint64_t most = taf_amount_bytes(&r->memory_max_single_alloc, m->total);
	uint64_t limit = taf_amount_bytes(&r->memory_limit, m->total);
	struct taf_answer a = { .action = act_of(q),
				.unit = TAF_UNIT_BYTES,
				.need = q->event->bytes };

	if (taf_amount_is_limit(&r->memory_max_single_alloc, m->total, 0) && a.need > most) {
		a.rule = TAF_RULE_memory_max_single_alloc;
		a.have = most;
		taf_copy(a.about, "one allocation", sizeof(a.about));
		say(q, v, &a, TAF_TOLD_SINGLE);
	}
	if (taf_amount_is_limit(&r->memory_limit, m->total, 0) &&
	    taf_plus(m->own, a.need) > limit) {
		a.rule = TAF_RULE_memory_limit;
		a.have = taf_less(limit, m->own);
		taf_copy(a.about, "an allocation", sizeof(a.about));
		say(q, v, &a, TAF_TOLD_LIMIT);
	}
}

bool taf_memory_is_over(const struct taf_memory *m, uint32_t pct)
{
	struct taf_amount mark = { .is = TAF_AMOUNT_PCT, .pct = pct };

	return m->total && taf_less(m->total, m->free) > taf_amount_bytes(&mark, m->total);
}

struct growth {
	int rule;
	enum taf_told told;
	const struct taf_amount *most;
	uint64_t by;
	const char *about;
};

static void grown(const struct taf_question *q, struct taf_verdict *v, const struct growth *g)
{
	const struct taf_memory *m = &q->facts->memory;
	uint64_t most = taf_amount_tiered(g->most, m->total, m->tier_growth);
	struct taf_answer a;

	if (!taf_amount_is_limit(g->most, m->total, m->tier_growth) || g->by <= most)
		return;
	a = (struct taf_answer){ .action = TAF_ACT_WARN,
				 .rule = g->rule,
				 .unit = TAF_UNIT_BYTES,
				 .have = most,
				 .need = g->by };
	taf_copy(a.about, g->about, sizeof(a.about));
	say(q, v, &a, g->told);
}

/* The higher of the two marks that is passed. */
static void filled(const struct taf_question *q, struct taf_verdict *v)
{
	const struct taf_memory *m = &q->facts->memory;
	uint32_t critical = q->rules->memory_critical_pct, warn = q->rules->memory_warn_pct;
	bool is_critical = taf_memory_is_over(m, critical);
	struct taf_answer a;

	if (!is_critical && !taf_memory_is_over(m, warn))
		return;
	a = (struct taf_answer){ .action = TAF_ACT_WARN,
				 .rule = is_critical ? TAF_RULE_memory_critical_pct
						     : TAF_RULE_memory_warn_pct,
				 .unit = TAF_UNIT_BYTES,
				 .have = taf_less(m->total, m->free),
				 .need = m->total };
	taf_copy(a.about, "memory in use", sizeof(a.about));
	say(q, v, &a, is_critical ? TAF_TOLD_CRITICAL : TAF_TOLD_WARN);
}

void taf_headroom(const struct taf_question *q, struct taf_verdict *v)
{
	const struct taf_rules *r = q->rules;
	const struct taf_memory *m = &q->facts->memory;
	enum taf_kind kind = q->event->kind;
	bool is_bare = taf_api_of(q->event->engine) != TAF_API_NONE; /* knows no generations */
	const struct growth kinds[] = {
		{ TAF_RULE_memory_growth_per_min, TAF_TOLD_MIN, &r->memory_growth_per_min,
		  m->growth_per_min, "a minute" },
		{ TAF_RULE_memory_growth_per_infer, TAF_TOLD_INFER, &r->memory_growth_per_infer,
		  m->growth_per_infer, is_bare ? "a burst" : "a generation" },
	};

	if (q->event->phase != TAF_BEGIN ||
	    (kind != TAF_LOAD && kind != TAF_INFER && kind != TAF_ALLOC))
		return;
	if (kind == TAF_ALLOC)
		at_alloc(q, v);
	filled(q, v);
	for (int i = 0; i < 2; i++)
		grown(q, v, &kinds[i]);
}
