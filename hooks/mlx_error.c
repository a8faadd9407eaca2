/* SPDX-License-Identifier: MIT */
/* mlx_error.c -- computations of MLX that fail: what its exceptions and messages tell. */
#include "../policy/classify.h"
#include "../policy/ledger.h"
#include "../policy/text.h"
#include "../shim/error.h"
#include "mlx.h"

/* A path that is not there, a shape that does not fit: what the program asked for. Only a
 * text that is known tells of the device, or of memory. */
static enum taf_failure failure_of(const char *text)
{
	struct taf_error_class found;

	if (!text || !taf_classify(text, taf_len(text), &found))
		return TAF_FAILED_UNKNOWN;
	return found.level < TAF_SEVERITY_PROCESS ? TAF_FAILED_REQUEST : TAF_FAILED_COMPUTE;
}

void taf_mlx_failed(const struct taf_mlx_job *j, const char *text, const char *type)
{
	struct taf_work *mine = taf_owner_mine();
	struct taf_error e = { .call = &j->call,
			       .work = j->load ? NULL : j->call.work,
			       .what = failure_of(text),
			       .rc = -1,
			       .text = text ? text : type };

	e.model = j->load ? j->call.model : taf_work_model_name(mine);
	taf_error_failed(&e);
}
