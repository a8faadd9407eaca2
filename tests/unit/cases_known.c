/* SPDX-License-Identifier: MIT */
/* cases_known.c -- the areas of what is known about models: family, size, GPU, settle. */
#include "cases.h"

#include <string.h>

#include "../../policy/family.h"
#include "../../policy/size.h"
#include "../../shim/model_id.h"

void taf_case_family(const cJSON *input, cJSON *got)
{
	const char *observed = taf_case_text(input, "observed");
	char id[TAF_MODEL_ID];
	bool is_it;

	if (observed)
		is_it = taf_model_id(observed, id) && taf_family_of(id) == TAF_FAMILY_GEMMA_4;
	else
		is_it = taf_family_is_literal(TAF_FAMILY_GEMMA_4, taf_case_text(input, "model_id"));
	cJSON_AddBoolToObject(got, "gemma4", is_it);
}

void taf_case_size(const cJSON *input, cJSON *got)
{
	const cJSON *files = cJSON_GetObjectItemCaseSensitive(input, "opened_files"), *file;
	uint64_t opened = 0, bytes;
	enum taf_size_basis basis;

	cJSON_ArrayForEach(file, files)
	{
		opened += (uint64_t)taf_case_number(file, "bytes", 0);
	}
	basis = taf_size(taf_case_text(input, "model_name"), opened, &bytes);
	if (basis == TAF_SIZE_UNKNOWN)
		cJSON_AddNullToObject(got, "gb");
	else
		cJSON_AddNumberToObject(got, "gb", (double)bytes / 1e9);
	cJSON_AddStringToObject(got, "basis", taf_size_basis_name(basis));
}

void taf_case_gpu_family(const cJSON *input, cJSON *got)
{
	char family[256];
	struct taf_text t;

	taf_text_init(&t, family, sizeof(family));
	taf_gpu_family(taf_case_text(input, "architecture"), &t);
	cJSON_AddStringToObject(got, "family", family);
}

void taf_case_settle(const cJSON *input, cJSON *got)
{
	uint64_t prior = (uint64_t)taf_case_number(input, "prior_generates", 0);

	cJSON_AddNumberToObject(got, "settle_s",
				taf_family_settle_ms(taf_case_text(input, "model"), prior) / 1e3);
}
