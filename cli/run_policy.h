/* SPDX-License-Identifier: MIT */
/* run_policy.h -- what the policy says to `run` about one command. */
#ifndef TAF_RUN_POLICY_H
#define TAF_RUN_POLICY_H

#include <limits.h>

#include "../policy/rules.h"
#include "run.h"
#include "state_cli.h"

struct taf_run_policy {
	struct taf_rules rules; /* in force for the command */
	char path[PATH_MAX]; /* absolute; "": built-in */
	char blob[PATH_MAX]; /* compiled; "": none */
	char *set; /* for TAFFRAIL_SET: what was there and then --set; NULL: nothing */
	bool is_strict;
};

/* exe is the program that will run in the end. Says every mistake. 0, or the
 * exit status when it must not go on. */
int taf_run_policy_read(const struct taf_run_args *a, const char *exe,
			const struct taf_state_dir *state, struct taf_run_policy *p);

#endif
