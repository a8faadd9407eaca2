/* SPDX-License-Identifier: MIT */
/* pick.h -- which session the user means. */
#ifndef TAF_PICK_H
#define TAF_PICK_H

#include "sessions.h"

/* The one guest's session that name (a pid, an id or the beginning of one)
 * stands for. 0, or TAF_EXIT_USAGE after saying on stderr which there are. */
int taf_pick_session(struct taf_trails *trails, const char *verb, const char *name,
		     struct taf_trail **picked);

#endif
