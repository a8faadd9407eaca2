/* SPDX-License-Identifier: MIT */
/* cases_evidence.c -- the areas of what went wrong: classify, panic_signature, ingest. */
#include <stdlib.h>
#include <string.h>

#include "../../policy/classify.h"
#include "../../policy/panic.h"
#include "cases.h"

void taf_case_classify(const cJSON *input, cJSON *got)
{
	const char *text = taf_case_text(input, "text");
	struct taf_error_class c;
	cJSON *class;

	if (!text || !taf_classify(text, strlen(text), &c)) {
		cJSON_AddNullToObject(got, "class");
		return;
	}
	class = cJSON_AddObjectToObject(got, "class");
	cJSON_AddStringToObject(class, "name", c.name);
	cJSON_AddStringToObject(class, "severity", c.severity);
	cJSON_AddStringToObject(class, "hint", c.hint);
}

void taf_case_panic_signature(const cJSON *input, cJSON *got)
{
	const char *text = taf_case_text(input, "text");
	const char *signature = text ? taf_signature(text, strlen(text)) : NULL;

	if (signature)
		cJSON_AddStringToObject(got, "signature", signature);
	else
		cJSON_AddNullToObject(got, "signature");
}

void taf_case_ingest(const cJSON *input, cJSON *got)
{
	const char *text = taf_case_text(input, "body");
	char *body = strdup(text ? text : "");
	struct taf_panic p;

	if (!body)
		return;
	taf_panic_parse(body, strlen(body), &p);
	cJSON_AddNumberToObject(
		got, "ts", p.utc_us ? (double)p.utc_us / 1e6 : taf_case_number(input, "mtime", 0));
	if (p.has_pid)
		cJSON_AddNumberToObject(got, "pid", p.pid);
	else
		cJSON_AddNullToObject(got, "pid");
	cJSON_AddStringToObject(got, "signature", p.signature ? p.signature : "unknown");
	free(body);
}
