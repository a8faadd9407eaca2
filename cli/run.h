/* SPDX-License-Identifier: MIT */
/* run.h -- what `taffrail run` was asked to do.
 *
 * Order of run.c: arguments, the program, the policy, whether a preload can
 * work, the state directory, the environment; then it becomes the guest or
 * waits for it.  Every trouble is one line on stderr; under --strict (or
 * TAFFRAIL_STRICT=1, or the policy's strict) it also ends `run` before the
 * program starts, otherwise the program runs as well guarded as can be.
 */
#ifndef TAF_RUN_H
#define TAF_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "../policy/restart.h"

struct taf_run_args {
	const char *policy, *state, *label; /* NULL: not given */
	const char **sets; /* K=V, in their order */
	size_t n_sets;
	bool is_strict, is_verbose, becomes_guest, fits_anyway;
	struct taf_restart_rules restart;
	char **command; /* closed by NULL */
};

/* 0, or the exit status after a line on stderr. */
int taf_run_args_read(int argc, char **argv, struct taf_run_args *a);

#endif
