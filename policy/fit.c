/* SPDX-License-Identifier: MIT */
/* fit.c -- whether a model fits: asked when one is loaded, and again when a
 * context of it is made.
 *
 * A misfit drains first, as memory may be held by work that is done; the shell
 * then reads the free memory again and asks once more.  What no release of
 * memory could make fit is not waited for.  memory.max_wait ends a wait with a
 * warning: the guess that something does not fit is not worth standing still. */
#include "fit.h"

#include "text.h"

/* A small model has small buffers: at most this share of its weights and cache. */
#define BESIDE_SHARE 4

bool taf_fits(uint64_t need, uint64_t room)
{
	return need <= room;
}

uint64_t taf_less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

uint64_t taf_plus(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t taf_amount_bytes(const struct taf_amount *a, uint64_t whole)
{
	if (a->is == TAF_AMOUNT_BYTES)
		return a->bytes;
	return a->is == TAF_AMOUNT_PCT ? whole / 100 * a->pct + whole % 100 * a->pct / 100 : 0;
}

uint64_t taf_amount_tiered(const struct taf_amount *a, uint64_t whole, uint64_t tier)
{
	return a->is == TAF_AMOUNT_TIER ? tier : taf_amount_bytes(a, whole);
}

bool taf_amount_is_limit(const struct taf_amount *a, uint64_t whole, uint64_t tier)
{
	switch (a->is) {
	case TAF_AMOUNT_BYTES: return true;
	case TAF_AMOUNT_PCT: return whole != 0;
	case TAF_AMOUNT_TIER: return tier != 0;
	default: return false;
	}
}

const char *taf_basis_name(enum taf_basis basis)
{
	static const char names[][16] = { "", "name", "file sizes", "file headers" };

	return (unsigned)basis < 4 ? names[basis] : "";
}

/* A load, or a context of a model that is there. */
static bool is_asked(const struct taf_event *ev)
{
	return ev->phase == TAF_BEGIN &&
	       (ev->kind == TAF_LOAD || (ev->kind == TAF_NOTE && ev->is_context));
}

#define THOUSANDTH_GB 1000000u

void taf_fit_tier(struct taf_memory *m, const struct taf_registry *r)
{
	const struct taf_reg_hardware *tier = m->total ? taf_registry_hardware(r, m->total) : NULL;

	m->overhead = tier ? (uint64_t)tier->overhead_gb * THOUSANDTH_GB : 0;
	m->tier_headroom = tier ? (uint64_t)tier->headroom_gb * THOUSANDTH_GB : 0;
	m->tier_growth = tier ? (uint64_t)tier->growth_gb_min * THOUSANDTH_GB : 0;
}

void taf_fit_need(const struct taf_question *q, struct taf_fit_need *n)
{
	const struct taf_event *ev = q->event;
	uint64_t most;

	n->weights = ev->kind == TAF_LOAD ? ev->bytes : 0;
	n->cache = ev->cache_bytes;
	most = taf_plus(n->weights, n->cache) / BESIDE_SHARE;
	n->beside = q->facts->memory.overhead < most ? q->facts->memory.overhead : most;
	n->sum = taf_plus(taf_plus(n->weights, n->cache), n->beside);
}

static bool has_limit(const struct taf_question *q)
{
	return taf_amount_is_limit(&q->rules->memory_limit, q->facts->memory.total, 0);
}

bool taf_fit_is_unknown(const struct taf_question *q)
{
	const struct taf_event *ev = q->event;

	return is_asked(ev) && (!(ev->kind == TAF_LOAD ? ev->bytes : ev->cache_bytes) ||
				(!q->facts->memory.total && !has_limit(q)));
}

void taf_fit_text(const struct taf_fit_need *n, enum taf_basis basis, struct taf_text *out)
{
	if (n->weights) {
		taf_text_put(out, "weights ");
		taf_text_bytes(out, n->weights);
		if (basis == TAF_BASIS_NAME)
			taf_text_put(out, " (guessed from the name)");
	}
	if (n->cache) {
		taf_text_put(out, n->weights ? " + cache " : "cache ");
		taf_text_bytes(out, n->cache);
	}
	if (n->beside) {
		taf_text_put(out, " + ");
		taf_text_bytes(out, n->beside);
		taf_text_put(out, " beside");
	}
}

/* What is there of what is needed; could: of what there would be if all were released. */
struct misfit {
	int rule;
	uint64_t have, need;
	bool could;
};

/* By free memory, and by what must stay free. */
static bool is_short(const struct taf_question *q, uint64_t need, struct misfit *m)
{
	const struct taf_memory *now = &q->facts->memory;
	uint64_t keep =
		taf_amount_tiered(&q->rules->memory_headroom, now->total, now->tier_headroom);

	if (!now->total || taf_fits(taf_plus(need, keep), now->free))
		return false;
	m->rule = taf_fits(need, now->free) ? TAF_RULE_memory_headroom : TAF_RULE_memory_on_misfit;
	m->have = m->rule == TAF_RULE_memory_headroom ? taf_less(now->free, keep) : now->free;
	m->need = need;
	m->could = taf_fits(taf_plus(need, keep), now->total);
	return true;
}

/* By what this process may take. */
static bool is_over(const struct taf_question *q, uint64_t need, struct misfit *m)
{
	const struct taf_memory *now = &q->facts->memory;
	uint64_t limit = taf_amount_bytes(&q->rules->memory_limit, now->total);

	if (!has_limit(q) || taf_fits(taf_plus(now->own, need), limit))
		return false;
	m->rule = TAF_RULE_memory_limit;
	m->have = taf_less(limit, now->own);
	m->need = need;
	m->could = taf_fits(need, limit);
	return true;
}

static enum taf_action act_of(const struct taf_question *q, bool could)
{
	enum taf_action act = taf_action_of(q->rules->memory_on_misfit);

	if (q->facts->fits_anyway || (act == TAF_ACT_WAIT && !could))
		return TAF_ACT_WARN;
	return act;
}

static void say(const struct taf_question *q, struct taf_verdict *v, const struct misfit *m)
{
	const struct taf_facts *f = q->facts;
	struct taf_fit_need n;
	struct taf_text about;
	struct taf_answer a = { .action = act_of(q, m->could),
				.rule = m->rule,
				.unit = TAF_UNIT_BYTES,
				.have = m->have,
				.need = m->need,
				.pass_ms = TAF_PASS_UNKNOWN };

	taf_fit_need(q, &n);
	taf_text_init(&about, a.about, sizeof(a.about));
	if (f->fits_anyway)
		taf_text_put(&about, "let through by --fit-anyway, ");
	taf_fit_text(&n, q->event->basis, &about);
	taf_answer_wait(&a, f->waited_ms, q->rules->memory_max_wait_ms, TAF_ACT_WARN);
	if (f->contexts_live && !f->fits_anyway)
		taf_verdict_drain(v, TAF_DRAIN_SYNC | TAF_DRAIN_TRIM, m->rule);
	taf_verdict_say(v, &a);
}

static void count_models(const struct taf_question *q, struct taf_verdict *v)
{
	uint32_t most = q->rules->models_max_loaded;
	uint64_t need = (uint64_t)q->facts->models_live + 1;
	struct taf_answer a;

	if (!most || q->event->kind != TAF_LOAD || q->event->is_companion || need <= most)
		return;
	a = (struct taf_answer){ .action = act_of(q, true),
				 .rule = TAF_RULE_models_max_loaded,
				 .unit = TAF_UNIT_COUNT,
				 .have = most,
				 .need = need,
				 .pass_ms = TAF_PASS_UNKNOWN };
	if (q->facts->fits_anyway)
		taf_copy(a.about, "let through by --fit-anyway", sizeof(a.about));
	taf_answer_wait(&a, q->facts->waited_ms, q->rules->memory_max_wait_ms, TAF_ACT_WARN);
	taf_verdict_say(v, &a);
}

void taf_fit(const struct taf_question *q, struct taf_verdict *v)
{
	struct taf_fit_need n;
	struct misfit m;

	if (!is_asked(q->event))
		return;
	count_models(q, v);
	if (taf_fit_is_unknown(q))
		return;
	taf_fit_need(q, &n);
	if (is_short(q, n.sum, &m))
		say(q, v, &m);
	if (is_over(q, n.sum, &m))
		say(q, v, &m);
}
