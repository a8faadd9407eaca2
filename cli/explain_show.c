/* SPDX-License-Identifier: MIT */
/* explain_show.c -- prints an explanation for people. */
#include "explain.h"

#include <stdio.h>
#include <string.h>

#include "../policy/fit.h"
#include "show.h"

#define BYTES_ROOM 24
#define TEXT_ROOM 1280

static void label(const char *name)
{
	printf("%-12s ", name);
}

static void put_bytes(uint64_t bytes)
{
	char buf[BYTES_ROOM];

	fputs(taf_show_bytes(buf, sizeof(buf), bytes), stdout);
}

static void show_model(const struct taf_explain *x)
{
	const struct taf_model *m = &x->info;

	label("model");
	taf_show_text(stdout, x->id, sizeof(x->id));
	if (x->is_file && m->arch[0]) {
		fputs(" (", stdout);
		taf_show_text(stdout, m->arch, sizeof(m->arch));
		if (m->quant[0])
			putchar(' ');
		taf_show_text(stdout, m->quant, sizeof(m->quant));
		printf(", %u layers)", m->layers);
	}
	putchar('\n');
	if (m->flaw[0] || x->wreck) {
		label("");
		taf_show_text(stdout, m->flaw[0] ? m->flaw : x->wreck, sizeof(m->flaw));
		putchar('\n');
	}
}

static void show_policy(const struct taf_explain *x)
{
	static const char *const modes[] = { "", " (observe: nothing is held)",
					     " (off: no rule acts)" };

	label("policy");
	if (x->found.is_read)
		taf_show_text(stdout, x->found.path, sizeof(x->found.path));
	else
		fputs("built-in", stdout);
	if (x->found.program && x->found.rules.recognize)
		printf(", with the profile of %s", taf_app_name(x->found.program));
	puts(modes[x->found.rules.mode < 3 ? x->found.rules.mode : 0]);
}

static void show_world(const struct taf_explain *x)
{
	const struct taf_memory *m = &x->facts.memory;
	char when[TAF_TIME_ROOM];

	label("at");
	printf("%s%s\n", taf_show_time(when, x->now.utc_ms * 1000),
	       x->at ? " (as asked; memory is that of now)" : "");
	label("memory");
	if (m->total) {
		put_bytes(m->free);
		fputs(" free of ", stdout);
		put_bytes(m->total);
		puts(", of this machine; a GPU with memory of its own is asked by the guard alone");
	} else {
		puts("unknown");
	}
	if (x->trouble[0]) {
		label("state");
		taf_show_text(stdout, x->trouble, sizeof(x->trouble));
		putchar('\n');
	}
}

static void show_answer(const struct taf_explain *x, const struct taf_answer *a, const char *step)
{
	char buf[TEXT_ROOM];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_explain_text(x, a, &t);
	printf("  %-10s %-7s %s, at %s%s", "", taf_explain_action_name(a->action),
	       taf_rule_info(a->rule)->path, step, buf[0] ? ": " : "");
	taf_show_text(stdout, buf, sizeof(buf));
	putchar('\n');
}

/* What the fit compared where it had nothing against it. */
static void show_fit(const struct taf_explain *x)
{
	struct taf_question q = { &x->found.rules, &x->event[TAF_STEP_LOAD], &x->facts };
	struct taf_fit_need n;
	char buf[TEXT_ROOM];
	struct taf_text t;

	taf_fit_need(&q, &n);
	taf_text_init(&t, buf, sizeof(buf));
	taf_fit_text(&n, x->size.basis, &t);
	if (taf_fit_is_unknown(&q)) {
		printf("  %-10s         %s: it is let through\n", "",
		       n.weights ? "nobody knows how much memory there is"
				 : "nobody knows how large it is");
		return;
	}
	printf("  %-10s         %s, ", "", buf);
	put_bytes(x->facts.memory.free);
	puts(" free in this machine");
}

/* Each rule, and beneath it what it compared where it says anything. */
static void show_rules(const struct taf_explain *x)
{
	puts("\nrule by rule");
	for (int i = 0; i < TAF_EXPLAIN_RULES; i++) {
		enum taf_action most = TAF_ACT_ALLOW;

		for (int s = 0; s < TAF_STEP_COUNT; s++)
			if (x->alone[s][i].action > most)
				most = x->alone[s][i].action;
		printf("  %-10s %s\n", taf_explain_rule_name(i), taf_explain_action_name(most));
		if (i == TAF_EXPLAIN_taf_fit && most == TAF_ACT_ALLOW)
			show_fit(x);
		for (int s = 0; s < TAF_STEP_COUNT; s++)
			for (uint32_t k = 0; k < x->alone[s][i].n_said; k++)
				show_answer(x, &x->alone[s][i].said[k],
					    taf_explain_step_name((enum taf_explain_step)s));
	}
}

static void size_line(const char *name, uint64_t bytes, const char *more)
{
	printf("  %-20s ", name);
	if (bytes)
		put_bytes(bytes);
	else
		fputs("unknown", stdout);
	printf("%s%s\n", bytes && *more ? " " : "", bytes ? more : "");
}

static void context_line(const char *name, uint64_t tokens, uint32_t trained)
{
	printf("  %-20s ", name);
	if (tokens == UINT64_MAX)
		fputs("any", stdout);
	else
		printf("%llu tokens", (unsigned long long)tokens);
	if (trained)
		printf(" (the model was trained with %u)", trained);
	putchar('\n');
}

static void show_plan(const struct taf_explain *x)
{
	const struct taf_plan *p = &x->plan;
	char basis[40];

	printf("\nsize at %llu tokens\n", (unsigned long long)p->context);
	snprintf(basis, sizeof(basis), "by %s", taf_basis_name(x->size.basis));
	size_line("weights", p->weights, basis);
	size_line("cache, f16", p->cache_f16, "");
	size_line("cache, q8_0", p->cache_q8, "");
	size_line("beside", p->beside, "(estimate)");
	size_line("largest tensor", p->largest_tensor, "");
	size_line("largest allocation", p->largest_alloc,
		  p->largest_alloc == p->scores ? "(estimate: attention of one step)" : "");
	if (x->info.cache.layers) {
		context_line("fits, cache f16", p->fits_f16, x->info.context);
		context_line("fits, cache q8_0", p->fits_q8, x->info.context);
	}
	if (p->step)
		printf("  %-20s %llu tokens (estimate)\n", "prefill step",
		       (unsigned long long)p->step);
}

static void show_verdict(const struct taf_explain *x)
{
	enum taf_explain_step step = taf_explain_worst(x);
	const struct taf_verdict *v = &x->joint[step];
	const struct taf_answer *a = taf_verdict_why(v);

	label("verdict");
	if (x->wreck) {
		printf("cannot be loaded by anybody: %s\n", x->wreck);
		return;
	}
	fputs(taf_explain_action_name(v->action), stdout);
	if (a) {
		printf(": %s, at %s", taf_rule_info(a->rule)->path, taf_explain_step_name(step));
		if (a->action > TAF_ACT_WARN && a->pass_ms != TAF_PASS_UNKNOWN) {
			char buf[BYTES_ROOM];
			struct taf_text t;

			taf_text_init(&t, buf, sizeof(buf));
			taf_text_left(&t, a->pass_ms);
			printf(", passes in %s", buf);
		}
	}
	putchar('\n');
}

void taf_explain_show(const struct taf_explain *x)
{
	show_model(x);
	show_policy(x);
	show_world(x);
	show_verdict(x);
	show_rules(x);
	if (x->is_file || x->context || x->plan.weights)
		show_plan(x);
}
