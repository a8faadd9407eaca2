/* SPDX-License-Identifier: MIT */
/* sites.h -- engines that are built into the program: their call sites.
 *
 * Where no symbol is exported none can be preloaded.  `taffrail run` finds in the
 * program's file where it calls an engine of its own and says so in
 * TAFFRAIL_SITES (sites_text.h).  The constructor, which is alone and before the
 * program's first instruction, holds that against what is in memory and points
 * the calls at our doors (stubs.h, code.h).
 *
 * Nothing is touched unless all of this holds: the text can be read to its end,
 * the build id is the program's, there is one thread, and this system lets
 * changed code run.  A row of which one site is not a call of that very function
 * stays as it is, whole; if that row ends something (a free, an unload), so does all
 * of its engine, since a drain must not touch what was freed unseen (sites_plan.h).
 * What was done and what was not, and why, is a crumb when the process becomes active.
 *
 * Their function of such a row is where it always was: to who calls from the
 * program it is the answer of taf_real. */
#ifndef TAF_SITES_H
#define TAF_SITES_H

#include "table.h"

/* Called once, by the constructor, with the environment that it was given. */
void taf_sites_init(char *const *envp);
/* The program's own function of that row, for a caller in the program; else NULL. */
taf_fn taf_sites_real(const struct taf_table *t, int row, const void *caller);
/* Writes the crumbs about it, if there is anything to say. */
void taf_sites_tell(enum taf_engine engine);

#endif
