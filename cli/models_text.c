/* SPDX-License-Identifier: MIT */
/* models_text.c -- the registry for people. */
#include <stdio.h>
#include <string.h>

#include "../policy/family.h"
#include "models.h"
#include "show.h"

static const char *text(const struct taf_models *m, uint32_t at)
{
	return taf_registry_text(m->registry, at);
}

static void line(const char *label, const char *s)
{
	if (!*s)
		return;
	printf("  %-12s", label);
	taf_show_text(stdout, s, 1024);
	putchar('\n');
}

/* A list in one line, or one each. */
static void lines(const struct taf_models *m, const char *label, uint32_t list)
{
	const char *s;

	for (uint32_t i = 0; (s = taf_registry_line(m->registry, list, i)); i++)
		line(i ? "" : label, s);
}

/* "M1, M3, M4" */
static void print_gpus(const struct taf_models *m, uint32_t bits)
{
	const struct taf_reg_gpu *g;
	const char *comma = "";

	for (uint32_t i = 0; (g = taf_registry_row(m->registry, TAF_REG_GPU, i)); i++)
		if (bits >> i & 1) {
			fputs(comma, stdout);
			taf_show_text(stdout, text(m, g->text), 32);
			comma = ", ";
		}
}

/* ---- One model ------------------------------------------------------------------- */

static void print_class(const struct taf_models *m, const struct taf_reg_class *c)
{
	printf("\n  ");
	taf_show_text(stdout, text(m, c->type), 80);
	fputs(c->gpus ? " on " : "", stdout);
	print_gpus(m, c->gpus);
	putchar('\n');
	line("text", text(m, c->signature));
	lines(m, "hardware", c->hardware);
	line("workload", text(m, c->workload));
	line("first seen", text(m, c->source));
	line("instead", text(m, c->mitigation));
}

static void print_classes(const struct taf_models *m, const struct taf_reg_model *row)
{
	for (uint32_t i = 0; i < TAF_REG_COUNT(row->classes); i++) {
		const struct taf_reg_class *c = taf_registry_row(m->registry, TAF_REG_CLASS,
								 TAF_REG_FROM(row->classes) + i);

		if (taf_registry_affects(m->registry, c, m->gpu))
			print_class(m, c);
	}
}

static void print_runs(const struct taf_models *m, const struct taf_reg_model *row)
{
	for (uint32_t i = 0; i < TAF_REG_COUNT(row->runs); i++) {
		const struct taf_reg_run *r =
			taf_registry_row(m->registry, TAF_REG_RUN, TAF_REG_FROM(row->runs) + i);
		char buf[320];

		snprintf(buf, sizeof(buf), "%s%s%s%s%s", text(m, r->at), r->after ? ", after " : "",
			 text(m, r->after), r->note ? ": " : "", text(m, r->note));
		line("seen", buf);
	}
}

static void print_hit(const struct taf_models *m)
{
	char tier[24];

	if (!m->hit) {
		printf("  %-12sno%s%s\n", "listed", m->gpu ? ", not on " : "",
		       m->gpu ? m->gpu : "");
		return;
	}
	printf("  %-12s%s, as ", "listed", taf_models_word(TAF_REG_TIER_KIND, m->hit->tier, tier));
	taf_show_text(stdout, text(m, m->hit->id), 128);
	putchar('\n');
	line("do", text(m, m->hit->advice));
	line("safe", text(m, m->hit->safe));
	print_runs(m, m->hit);
	lines(m, "variants", m->hit->variants);
	line("note", text(m, m->hit->note));
	lines(m, "sources", m->hit->sources);
	print_classes(m, m->hit);
}

static void print_one(const struct taf_models *m)
{
	enum taf_family_id family = taf_family_of(m->id);
	char buf[32];

	taf_show_text(stdout, m->id, sizeof(m->id));
	putchar('\n');
	if (family)
		printf("  %-12s%s: %u s between it and another model, %.1f s before its first "
		       "generation\n",
		       "family", taf_family_name(family), taf_family_floor_ms(family) / 1000,
		       taf_family_settle_ms(m->id, 0) / 1000.0);
	printf("  %-12s%s%s%s\n", "weights",
	       m->bytes ? taf_show_bytes(buf, sizeof(buf), m->bytes) : "unknown",
	       m->bytes ? ", by its " : "", taf_size_basis_name(m->basis));
	print_hit(m);
}

/* ---- Lists ----------------------------------------------------------------------- */

static void print_models(const struct taf_models *m)
{
	const struct taf_reg_model *row;
	char tier[24];
	uint32_t n = 0;

	for (uint32_t i = 0; (row = taf_models_next(m, &i)); n++) {
		const struct taf_reg_class *c =
			taf_registry_row(m->registry, TAF_REG_CLASS, TAF_REG_FROM(row->classes));

		printf("%-12s ", taf_models_word(TAF_REG_TIER_KIND, row->tier, tier));
		taf_show_text(stdout, text(m, row->id), 128);
		if (c && TAF_REG_COUNT(row->classes)) {
			fputs(" (", stdout);
			taf_show_text(stdout, text(m, c->type), 64);
			puts(TAF_REG_COUNT(row->classes) > 1 ? ", ...)" : ")");
		} else {
			putchar('\n');
		}
	}
	if (!n)
		puts("no model is listed");
}

static void print_versions(const struct taf_models *m)
{
	const struct taf_reg_release *v;
	char severity[24], system[24];

	for (uint32_t i = 0; (v = taf_registry_row(m->registry, TAF_REG_RELEASE, i)); i++) {
		printf("%-8s ", taf_models_word(TAF_REG_SEVERITY_KIND, v->severity, severity));
		taf_show_text(stdout, text(m, v->package), 64);
		putchar(' ');
		taf_show_text(stdout, text(m, v->spec), 64);
		if (v->system)
			printf(" on %s", taf_models_word(TAF_REG_SYSTEM_KIND, v->system, system));
		puts(v->is_blocked ? ", blocked" : "");
		line("what", text(m, v->topic));
		line("do", text(m, v->advice));
		lines(m, "sources", v->sources);
	}
}

static void print_workloads(const struct taf_models *m)
{
	const struct taf_reg_workload *w;
	char severity[24];

	for (uint32_t i = 0; (w = taf_registry_row(m->registry, TAF_REG_WORKLOAD, i)); i++) {
		printf("%-8s ", taf_models_word(TAF_REG_SEVERITY_KIND, w->severity, severity));
		taf_show_text(stdout, text(m, w->id), 64);
		putchar('\n');
		line("what", text(m, w->topic));
		line("do", text(m, w->advice));
		lines(m, "sources", w->sources);
	}
}

void taf_models_print(const struct taf_models *m)
{
	if (m->name) {
		print_one(m);
		return;
	}
	if (!m->shows_versions) {
		print_models(m);
		return;
	}
	print_versions(m);
	print_workloads(m);
}
