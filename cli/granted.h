/* SPDX-License-Identifier: MIT */
/* granted.h -- what of a limit that the program asked for its engine was told, by the records
 * (shim/limit.h, hooks/mlx_limit.c):
 *
 *   the end of a call   "asked 32.0 GiB, granted 16.0 GiB: limits.memory"
 *                       "asked 32.0 GiB, would be granted nothing: limits.wired"   observed
 *   a mark with a rule  set before the program asked
 */
#ifndef TAF_GRANTED_H
#define TAF_GRANTED_H

#include "sessions.h"

struct taf_granted {
	bool is_would; /* observed: nothing was changed */
	char rule[48];
	char text[160]; /* without the rule */
};

/* False: p is no record of a limit, or of one that was passed on as it was asked for. */
bool taf_granted_read(const struct taf_past *p, struct taf_granted *g);

#endif
