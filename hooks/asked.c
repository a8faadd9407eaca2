/* SPDX-License-Identifier: MIT */
#include "asked.h"

#include "../shim/answer.h"
#include "../shim/gate.h"

int taf_asked_row(const struct taf_table *t, const char *name)
{
	int row;

	return name && taf_real_row(name, &row) == t ? row : -1;
}

void *taf_asked_ours(const struct taf_table *t, int row)
{
	atomic_fetch_or(&taf_routes, TAF_ROUTE_DLSYM);
	return taf_fn_object(t->ours(row));
}

void *taf_asked(const struct taf_table *t, const char *name, void *theirs, const void *caller)
{
	int row = theirs && taf_state_now() != TAF_OFF ? taf_asked_row(t, name) : -1;
	taf_fn real;

	if (row < 0 || taf_real_is_ours(theirs))
		return theirs;
	/* What no object exports is known by such answers alone, and may be of one driver. */
	real = taf_real(t, row, caller);
	if (!real || (real != taf_object_fn(theirs) && !taf_answer_is_export(t, row, real)))
		return taf_answer_row(t, row, theirs);
	return taf_asked_ours(t, row);
}
