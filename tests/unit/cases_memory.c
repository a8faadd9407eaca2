/* SPDX-License-Identifier: MIT */
/* cases_memory.c -- the area of memory: fit. */
#include "cases.h"

#include <math.h>

#include "../../policy/fit.h"

/* GB are 1e9 bytes. */
static uint64_t bytes_of(const cJSON *input, const char *key)
{
	double gb = taf_case_number(input, key, 0);

	return gb > 0 ? (uint64_t)llround(gb * 1e9) : 0;
}

/* The rule itself, with what the case takes as free and as needed: all of the
 * overhead counts there, so it stands in the weights. A size that is not told is unknown. */
void taf_case_fit(const cJSON *input, cJSON *got)
{
	static struct taf_rules rules;
	struct taf_facts facts = { .memory = { .total = bytes_of(input, "limit_gb") } };
	struct taf_event event = { .kind = TAF_LOAD, .phase = TAF_BEGIN };
	struct taf_question q = { &rules, &event, &facts };
	struct taf_verdict v;
	uint64_t used = taf_plus(bytes_of(input, "active_gb"), bytes_of(input, "own_active_gb"));

	used = taf_plus(used, bytes_of(input, "other_processes_gb"));
	facts.memory.own = bytes_of(input, "own_active_gb");
	facts.memory.free = taf_less(facts.memory.total, used);
	if (cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(input, "model_gb")))
		event.bytes = taf_plus(bytes_of(input, "model_gb"), bytes_of(input, "overhead_gb"));
	taf_rules_default(&rules);
	rules.memory_on_misfit = TAF_ON_REFUSE;
	taf_verdict_init(&v);
	taf_fit(&q, &v);
	cJSON_AddBoolToObject(got, "fits", v.action != TAF_ACT_REFUSE);
}
