/* SPDX-License-Identifier: MIT */
/* mlx_error.c -- computations of MLX that fail: what its exceptions and messages tell. */
#include "failure.h"
#include "mlx.h"

void taf_mlx_failed(const struct taf_mlx_job *j, const char *text, const char *type)
{
	struct taf_work *mine = taf_owner_mine();
	struct taf_error e = { .call = &j->call,
			       .work = j->load ? NULL : j->call.work,
			       .what = taf_failure_of(text),
			       .rc = -1,
			       .text = text ? text : type };

	/* Our own refusal, on its way out through an engine: its record is there. */
	if (text && taf_find(text, TAF_MLX_REFUSED))
		return;
	e.model = j->load || j->call.model ? j->call.model : taf_work_model_name(mine);
	taf_error_failed(&e);
}
