/* SPDX-License-Identifier: MIT */
/* cases_cadence.c -- the area cadence: what the rule says to a load, after what. */
#include "cases.h"

#include <string.h>

#include "../../policy/ledger.h"
#include "../../policy/policy.h"
#include "../../shim/model_id.h"

#define UPTIME_MS (30ull * TAF_DAY_MS)

struct world {
	struct taf_rules rules;
	struct taf_ledger ledger;
	struct taf_moment now;
};

static void id_of(const char *seen, char id[TAF_MODEL_ID])
{
	if (!seen || !taf_model_id(seen, id))
		id[0] = '\0';
}

/* The boot of the case is old enough for every stamp of it. */
static void begin(struct world *w, const cJSON *input)
{
	const cJSON *policy = cJSON_GetObjectItemCaseSensitive(input, "policy");
	double same = taf_case_number(policy, "same_model_interval_s", 180);
	double cross = taf_case_number(policy, "cross_model_interval_s", 0);

	memset(w, 0, sizeof(*w));
	taf_rules_default(&w->rules);
	w->rules.cadence_same_model_ms = (uint32_t)(same * 1000);
	w->rules.cadence_cross_model_ms = (uint32_t)(cross * 1000);
	w->rules.cadence_on_violation = TAF_ON_REFUSE;
	w->now.boot = 1;
	w->now.boot_ms = UPTIME_MS;
	w->now.utc_ms = (uint64_t)(taf_case_number(input, "now", 0) * 1000);
}

static void mark(struct world *w, const char *model, enum taf_kind what, double offset_s)
{
	char id[TAF_MODEL_ID];
	int64_t offset_ms = (int64_t)(offset_s * 1000);
	struct taf_ledger_stamp m = { .id = id, .kind = what, .now = w->now };

	id_of(model, id);
	m.now.boot_ms = (uint64_t)((int64_t)m.now.boot_ms + offset_ms);
	m.now.utc_ms = (uint64_t)((int64_t)m.now.utc_ms + offset_ms);
	m.keep_ms = TAF_DAY_MS;
	taf_ledger_mark(&w->ledger, &m);
}

static enum taf_kind deed_of(const char *event)
{
	if (event && !strcmp(event, "unload"))
		return TAF_UNLOAD;
	return event && !strcmp(event, "infer") ? TAF_INFER : TAF_LOAD;
}

static void mark_all(struct world *w, const cJSON *input)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(
					input, "last_load_offset_s")) if (cJSON_IsNumber(one))
		mark(w, one->string, TAF_LOAD, one->valuedouble);
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(input, "events"))
		mark(w, taf_case_text(one, "model"), deed_of(taf_case_text(one, "event")),
		     taf_case_number(one, "t", 0));
}

/* The model as the case calls it. */
static const char *name_in(const cJSON *input, const char *id)
{
	const cJSON *one;
	char other[TAF_MODEL_ID];

	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(input, "last_load_offset_s"))
	{
		id_of(one->string, other);
		if (!strcmp(other, id))
			return one->string;
	}
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(input, "events"))
	{
		id_of(taf_case_text(one, "model"), other);
		if (!strcmp(other, id))
			return taf_case_text(one, "model");
	}
	return id;
}

static void judge(struct world *w, const cJSON *input, cJSON *got)
{
	const char *target = taf_case_text(input, "target_model");
	char id[TAF_MODEL_ID];
	struct taf_event ev = { .kind = TAF_LOAD, .phase = TAF_BEGIN, .model = id };
	struct taf_facts facts = { .now = w->now, .ledger = &w->ledger };
	struct taf_question q = { &w->rules, &ev, &facts };
	const struct taf_answer *why;
	struct taf_verdict v;

	id_of(target ? target : taf_case_text(input, "target_path"), id);
	taf_verdict_init(&v);
	taf_cadence(&q, &v);
	why = taf_verdict_why(&v);
	if (!why) {
		cJSON_AddStringToObject(got, "verdict", "allow");
		return;
	}
	cJSON_AddStringToObject(got, "verdict",
				why->rule == TAF_RULE_cadence_same_model_ms ? "block_same_model"
									    : "block_cross_model");
	cJSON_AddNumberToObject(got, "required_s", (double)why->need / 1000);
	cJSON_AddNumberToObject(got, "elapsed_s", (double)why->have / 1000);
	cJSON_AddNumberToObject(got, "retry_after_s", (double)why->pass_ms / 1000);
	if (why->rule == TAF_RULE_cadence_cross_model_ms)
		cJSON_AddStringToObject(got, "other_model", name_in(input, why->about));
	else
		cJSON_AddNullToObject(got, "other_model");
}

/* Who is still remembered after a mark, in the order of the alphabet. */
static void remember(struct world *w, const cJSON *input, cJSON *got)
{
	const char *model = taf_case_text(input, "mark");
	char id[TAF_MODEL_ID];
	struct taf_ledger_stamp m = { .id = id, .kind = TAF_LOAD, .now = w->now };
	cJSON *list = cJSON_AddArrayToObject(got, "remaining");

	id_of(model, id);
	taf_ledger_mark(&w->ledger, &m);
	for (uint32_t i = 0; i < w->ledger.n_models; i++) {
		const char *name = w->ledger.model[i].id;
		int at = 0;

		while (at < cJSON_GetArraySize(list) &&
		       strcmp(cJSON_GetArrayItem(list, at)->valuestring, name) < 0)
			at++;
		cJSON_InsertItemInArray(list, at, cJSON_CreateString(name));
	}
}

void taf_case_cadence(const cJSON *input, cJSON *got)
{
	static struct world w;

	begin(&w, input);
	mark_all(&w, input);
	if (taf_case_text(input, "target_model") || taf_case_text(input, "target_path"))
		judge(&w, input, got);
	if (taf_case_text(input, "mark"))
		remember(&w, input, got);
}
