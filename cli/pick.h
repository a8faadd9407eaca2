/* SPDX-License-Identifier: MIT */
/* pick.h -- which session or run the user means. */
#ifndef TAF_PICK_H
#define TAF_PICK_H

#include "sessions.h"

/* The one guest's session that name (a pid, an id or the beginning of one)
 * stands for. 0, or TAF_EXIT_USAGE after saying on stderr which there are. */
int taf_pick_session(struct taf_trails *trails, const char *verb, const char *name,
		     struct taf_trail **picked);

/* Whether name is the beginning of one run's id and no more; with any, a run of
 * which only notes are left counts too. 0, or TAF_EXIT_USAGE after saying why not. */
int taf_pick_run(const struct taf_trails *trails, const char *verb, const char *name, bool any);

#endif
