/* SPDX-License-Identifier: MIT */
/* cases_registry.c -- the areas registry and version, asked of the registry that comes along. */
#include "cases.h"

#include <stdlib.h>
#include <string.h>

#include "../../policy/registry.h"
#include "../../policy/value.h"
#include "../../policy/version.h"
#include "../../shim/model_id.h"

static const struct taf_registry *known(void)
{
	return (const void *)taf_registry_builtin;
}

static const char *text(uint32_t at)
{
	return taf_registry_text(known(), at);
}

static void add_word(cJSON *got, const char *key, enum taf_reg_kind kind, uint32_t word)
{
	char buf[32];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_value_show_word(&t, taf_reg_words(kind), word);
	cJSON_AddStringToObject(got, key, buf);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The texts in their order. */
static void add_sorted(cJSON *got, const char *key, const char **all, size_t n)
{
	cJSON *list = cJSON_AddArrayToObject(got, key);

	qsort(all, n, sizeof(*all), by_text);
	for (size_t i = 0; i < n; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(all[i]));
}

/* ---- registry ---------------------------------------------------------------- */

static void add_types(cJSON *hit, const struct taf_reg_model *m, const char *family)
{
	cJSON *types = cJSON_AddArrayToObject(hit, "types");

	for (uint32_t i = 0; i < TAF_REG_COUNT(m->classes); i++) {
		const struct taf_reg_class *c =
			taf_registry_row(known(), TAF_REG_CLASS, TAF_REG_FROM(m->classes) + i);

		if (taf_registry_affects(known(), c, family))
			cJSON_AddItemToArray(types, cJSON_CreateString(text(c->type)));
	}
}

static void add_hit(const cJSON *input, cJSON *got)
{
	const char *observed = taf_case_text(input, "observed");
	const char *family = taf_case_text(input, "gpu_family");
	const struct taf_reg_model *m;
	char id[TAF_MODEL_ID] = "";
	cJSON *hit;

	if (observed)
		m = taf_model_id(observed, id) ? taf_registry_find(known(), id) : NULL;
	else
		m = taf_registry_literal(known(), taf_case_text(input, "model_id"));
	if (!m || !taf_registry_hits(known(), m, family)) {
		cJSON_AddNullToObject(got, "hit");
		return;
	}
	hit = cJSON_AddObjectToObject(got, "hit");
	add_word(hit, "tier", TAF_REG_TIER_KIND, m->tier);
	add_types(hit, m, family);
}

static void add_models(const cJSON *input, cJSON *got)
{
	const char *tier = taf_case_text(input, "tier");
	const char *family = taf_case_text(input, "gpu_family_list");
	const char *all[256];
	const struct taf_reg_model *m;
	uint32_t word = 0;
	size_t n = 0;
	bool is_word = tier && !taf_value_word(taf_reg_words(TAF_REG_TIER_KIND), tier, &word, NULL);

	for (uint32_t i = 0; (m = taf_registry_row(known(), TAF_REG_MODEL, i)) && n < 256; i++)
		if (tier ? is_word && m->tier == word : taf_registry_hits(known(), m, family))
			all[n++] = text(m->id);
	add_sorted(got, "models", all, n);
}

void taf_case_registry(const cJSON *input, cJSON *got)
{
	const struct taf_reg_workload *w =
		taf_registry_workload(known(), taf_case_text(input, "workload"));

	if (taf_case_has(input, "model_id") || taf_case_has(input, "observed"))
		add_hit(input, got);
	if (taf_case_has(input, "tier") || taf_case_has(input, "gpu_family_list"))
		add_models(input, got);
	if (w)
		add_word(got, "severity", TAF_REG_SEVERITY_KIND, w->severity);
	else
		cJSON_AddNullToObject(got, "severity");
}

/* ---- version ----------------------------------------------------------------- */

static void add_blocked(cJSON *got, const char *package, const char *version)
{
	const struct taf_reg_release *v;

	for (uint32_t i = 0; (v = taf_registry_release(known(), package, version, &i));)
		if (v->is_blocked) {
			add_word(got, "blocked", TAF_REG_SEVERITY_KIND, v->severity);
			return;
		}
	cJSON_AddNullToObject(got, "blocked");
}

static void add_issues(cJSON *got, const cJSON *packages)
{
	const struct taf_reg_release *v;
	const char *all[256];
	const cJSON *p;
	size_t n = 0;

	cJSON_ArrayForEach(p, packages)
	{
		const char *version = cJSON_GetStringValue(p);

		for (uint32_t i = 0;
		     version && (v = taf_registry_release(known(), p->string, version, &i));)
			if (!v->is_blocked && n < 256)
				all[n++] = taf_registry_line(known(), v->sources, 0);
	}
	add_sorted(got, "issues", all, n);
}

void taf_case_version(const cJSON *input, cJSON *got)
{
	const char *package = taf_case_text(input, "package");
	const char *version = taf_case_text(input, "version");
	const char *spec = taf_case_text(input, "spec");

	if (package)
		add_blocked(got, package, version ? version : "");
	if (taf_case_has(input, "packages"))
		add_issues(got, cJSON_GetObjectItemCaseSensitive(input, "packages"));
	if (spec)
		cJSON_AddBoolToObject(got, "match",
				      taf_version_matches(version ? version : "", spec));
}
