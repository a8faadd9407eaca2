/* SPDX-License-Identifier: MIT */
/* explain_json.c -- prints an explanation for programs. */
#include "explain.h"

#include <stdio.h>

#include "../policy/fit.h"
#include "jsonout.h"

#define TEXT_ROOM 1280

/* 0 is unknown. */
static void put_known(struct taf_json *j, const char *key, uint64_t v)
{
	if (v)
		taf_json_u64(j, key, v);
	else
		taf_json_null(j, key);
}

static void put_model(struct taf_json *j, const struct taf_explain *x)
{
	const struct taf_model *m = &x->info;

	taf_json_open(j, "model", '{');
	taf_json_text(j, "id", x->id);
	taf_json_bool(j, "is_file", x->is_file);
	taf_json_text(j, "arch", m->arch[0] ? m->arch : NULL);
	taf_json_text(j, "quant", m->quant[0] ? m->quant : NULL);
	put_known(j, "layers", m->layers);
	put_known(j, "context", m->context);
	taf_json_text(j, "flaw", m->flaw[0] ? m->flaw : x->wreck);
	taf_json_close(j);
}

static void put_answer(struct taf_json *j, const struct taf_explain *x, const struct taf_answer *a,
		       int step)
{
	static const char *const units[] = { "none", "ms", "bytes", "count", "percent" };
	char buf[TEXT_ROOM];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_explain_text(x, a, &t);
	taf_json_open(j, NULL, '{');
	taf_json_text(j, "step", taf_explain_step_name((enum taf_explain_step)step));
	taf_json_text(j, "setting", taf_rule_info(a->rule)->path);
	taf_json_text(j, "action", taf_explain_action_name(a->action));
	taf_json_text(j, "unit", units[a->unit]);
	taf_json_u64(j, "have", a->have);
	taf_json_u64(j, "need", a->need);
	if (a->pass_ms == TAF_PASS_UNKNOWN)
		taf_json_null(j, "passes_in_ms");
	else
		taf_json_u64(j, "passes_in_ms", a->pass_ms);
	taf_json_text(j, "about", a->about);
	taf_json_text(j, "text", buf);
	taf_json_close(j);
}

static void put_rules(struct taf_json *j, const struct taf_explain *x)
{
	taf_json_open(j, "rules", '[');
	for (int i = 0; i < TAF_EXPLAIN_RULES; i++) {
		enum taf_action most = TAF_ACT_ALLOW;

		for (int s = 0; s < TAF_STEP_COUNT; s++)
			if (x->alone[s][i].action > most)
				most = x->alone[s][i].action;
		taf_json_open(j, NULL, '{');
		taf_json_text(j, "rule", taf_explain_rule_name(i));
		taf_json_text(j, "action", taf_explain_action_name(most));
		taf_json_open(j, "answers", '[');
		for (int s = 0; s < TAF_STEP_COUNT; s++)
			for (uint32_t k = 0; k < x->alone[s][i].n_said; k++)
				put_answer(j, x, &x->alone[s][i].said[k], s);
		taf_json_close(j);
		taf_json_close(j);
	}
	taf_json_close(j);
}

static void put_verdict(struct taf_json *j, const struct taf_explain *x)
{
	enum taf_explain_step step = taf_explain_worst(x);
	const struct taf_verdict *v = &x->joint[step];
	const struct taf_answer *a = taf_verdict_why(v);

	taf_json_text(j, "verdict", x->wreck ? "unloadable" : taf_explain_action_name(v->action));
	taf_json_text(j, "step", a ? taf_explain_step_name(step) : NULL);
	taf_json_text(j, "setting", a ? taf_rule_info(a->rule)->path : NULL);
	if (a && a->pass_ms != TAF_PASS_UNKNOWN)
		taf_json_u64(j, "passes_in_ms", a->pass_ms);
	else
		taf_json_null(j, "passes_in_ms");
}

/* null where any fits; any_context_fits tells that from the unknown. */
static void put_context(struct taf_json *j, const char *key, uint64_t tokens, bool is_known)
{
	if (is_known && tokens != UINT64_MAX)
		taf_json_u64(j, key, tokens);
	else
		taf_json_null(j, key);
}

static void put_plan(struct taf_json *j, const struct taf_explain *x)
{
	const struct taf_plan *p = &x->plan;
	bool is_known = x->info.cache.layers > 0;

	taf_json_open(j, "size", '{');
	taf_json_bool(j, "is_unknown",
		      taf_fit_is_unknown(&(struct taf_question){
			      &x->found.rules, &x->event[TAF_STEP_LOAD], &x->facts }));
	taf_json_u64(j, "context", p->context);
	put_known(j, "weights", p->weights);
	taf_json_text(j, "basis", x->size.basis ? taf_basis_name(x->size.basis) : NULL);
	put_known(j, "cache", p->cache);
	put_known(j, "cache_f16", p->cache_f16);
	put_known(j, "cache_q8_0", p->cache_q8);
	put_known(j, "beside_estimate", p->beside);
	put_known(j, "scores_estimate", p->scores);
	put_known(j, "largest_tensor", p->largest_tensor);
	put_known(j, "largest_alloc_estimate", p->largest_alloc);
	put_context(j, "largest_context_f16", p->fits_f16, is_known);
	put_context(j, "largest_context_q8_0", p->fits_q8, is_known);
	taf_json_bool(j, "any_context_fits", is_known && p->fits_f16 == UINT64_MAX);
	put_known(j, "prefill_step_estimate", p->step);
	taf_json_close(j);
}

void taf_explain_json(const struct taf_explain *x)
{
	static const char *const modes[] = { "enforce", "observe", "off" };
	struct taf_json j;

	taf_json_init(&j, stdout);
	taf_json_open(&j, NULL, '{');
	put_verdict(&j, x);
	put_model(&j, x);
	taf_json_text(&j, "policy", x->found.is_read ? x->found.path : NULL);
	taf_json_text(&j, "mode", modes[x->found.rules.mode < 3 ? x->found.rules.mode : 0]);
	taf_json_time(&j, "at", x->now.utc_ms * 1000);
	taf_json_open(&j, "memory", '{');
	put_known(&j, "total", x->facts.memory.total);
	taf_json_u64(&j, "free", x->facts.memory.free);
	taf_json_close(&j);
	taf_json_text(&j, "trouble", x->trouble[0] ? x->trouble : NULL);
	put_rules(&j, x);
	put_plan(&j, x);
	taf_json_close(&j);
	taf_json_end(&j);
}
