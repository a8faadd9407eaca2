/* SPDX-License-Identifier: MIT */
/* run_sites.h -- TAFFRAIL_SITES for the program that `run` is about to start (sites.h). */
#ifndef TAF_RUN_SITES_H
#define TAF_RUN_SITES_H

#include <stdbool.h>
#include <stddef.h>

#include "vars.h"

/* Sets the variable, or takes away one that is of another program. What of an engine in
 * the program itself is not guarded is told. 0 or -ENOMEM. */
int taf_run_sites(const char *program, struct taf_vars *vars);

#endif
