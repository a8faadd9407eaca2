/* SPDX-License-Identifier: MIT */
/* cases.h -- cases: inputs and expected results of the pure functions, as JSON.
 *
 *   {"area": "size", "cases": [{"id", "name", "input": {...}, "expect": {...}}]}
 *
 * build/tests/cases FILE... runs them.  A function of an area gets the input
 * and fills got with the keys that expect may have; it calls the real functions
 * and knows nothing about any case.
 *
 * Each key of expect is compared with the same key of got: texts, truth and
 * null exactly, numbers to 1e-6 of their size, lists element by element, objects
 * by the keys that expect has.  KEY_min and KEY_max hold a number got[KEY]
 * between them; with "null_allowed": true it may be null instead.
 */
#ifndef TAF_CASES_H
#define TAF_CASES_H

#include <stdbool.h>

#include <cjson/cJSON.h>

typedef void taf_case_fn(const cJSON *input, cJSON *got);

#define AREA(name, input, expect) taf_case_fn taf_case_##name;
#include "cases.def"
#undef AREA

/* A text of the input; NULL when it is missing, null or something else. */
static inline const char *taf_case_text(const cJSON *input, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(input, key));
}

/* A number of the input, or other. */
static inline double taf_case_number(const cJSON *input, const char *key, double other)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(input, key);

	return cJSON_IsNumber(n) ? n->valuedouble : other;
}

static inline bool taf_case_has(const cJSON *input, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(input, key) != NULL;
}

#endif
